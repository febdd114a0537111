import Core

/// Traffic added up, its visitors still mergeable.
struct TrafficSum: Sendable {
    var pageViews: Int64 = 0
    var seatViews: Int64 = 0
    var sessions: Int64 = 0
    var sessionMs: Int64 = 0
    var visitors = VisitorSketch()

    static func += (left: inout TrafficSum, right: TrafficSum) {
        left.pageViews += right.pageViews
        left.seatViews += right.seatViews
        left.sessions += right.sessions
        left.sessionMs += right.sessionMs
        left.visitors.merge(right.visitors)
    }

    var numbers: TrafficNumbers {
        TrafficNumbers(
            pageViews: pageViews, uniqueVisitors: Int64(visitors.value), sessions: sessions, sessionMs: sessionMs)
    }
}
