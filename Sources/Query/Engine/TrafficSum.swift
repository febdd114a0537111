import Core

/// Traffic added up, its visitors still mergeable.
struct TrafficSum: Sendable {
    var pageViews: Int64 = 0
    var seatViews: Int64 = 0
    var sessions: Int64 = 0
    var sessionMs: Int64 = 0
    var beacons: Int64 = 0
    var visitors = VisitorSketch()

    static func += (left: inout TrafficSum, right: TrafficSum) {
        left.pageViews += right.pageViews
        left.seatViews += right.seatViews
        left.sessions += right.sessions
        left.sessionMs += right.sessionMs
        left.beacons += right.beacons
        left.visitors.merge(right.visitors)
    }

    var numbers: TrafficNumbers {
        // A few thousand ids, made up to fill a sketch, would else be a billion visitors.
        TrafficNumbers(
            pageViews: pageViews, uniqueVisitors: min(Int64(visitors.value), beacons), sessions: sessions,
            sessionMs: sessionMs)
    }
}
