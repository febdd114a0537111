import Platform

/// What one bucket, or the whole, of a traffic answer says.
package struct TrafficNumbers: Equatable, Sendable {
    package var pageViews: Int64 = 0
    package var uniqueVisitors: Int64 = 0
    package var sessions: Int64 = 0
    package var sessionMs: Int64 = 0

    /// Whole seconds, rounded half up; 0 without sessions.
    package var avgSessionDuration: Int64 { Rounded.quotient(sessionMs, sessions * 1000) }

    func write(to json: inout JSONWriter) {
        json.member("pageViews", pageViews)
        json.member("uniqueVisitors", uniqueVisitors)
        json.member("avgSessionDuration", avgSessionDuration)
        json.member("sessions", sessions)
    }

    var cells: [Sheet.Cell] {
        [.count(pageViews), .count(uniqueVisitors), .seconds(avgSessionDuration), .count(sessions)]
    }

    static let columns: [Sheet.Column] = [
        .number("pageViews", "page views"), .number("uniqueVisitors", "unique visitors"),
        .number("avgSessionDuration", "avg session"), .number("sessions", "sessions"),
    ]
}
