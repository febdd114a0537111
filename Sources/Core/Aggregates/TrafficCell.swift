/// What one bucket of one entity holds; cells of the same entity merge into longer buckets.
package struct TrafficCell: Equatable, Sendable {
    package var pageViews: Int64
    package var seatViews: Int64
    package var beacons: Int64
    package var sessions: Int64
    /// Sum of last - first over the sessions that began here, in milliseconds.
    package var sessionMs: Int64
    package var visitors: VisitorSketch

    package init(
        pageViews: Int64 = 0, seatViews: Int64 = 0, beacons: Int64 = 0, sessions: Int64 = 0, sessionMs: Int64 = 0,
        visitors: VisitorSketch = VisitorSketch()
    ) {
        self.pageViews = pageViews
        self.seatViews = seatViews
        self.beacons = beacons
        self.sessions = sessions
        self.sessionMs = sessionMs
        self.visitors = visitors
    }

    package mutating func merge(_ other: TrafficCell) {
        pageViews += other.pageViews
        seatViews += other.seatViews
        beacons += other.beacons
        sessions += other.sessions
        sessionMs += other.sessionMs
        visitors.merge(other.visitors)
    }

    /// Buckets that hold nothing have no row.
    package var isEmpty: Bool { beacons == 0 && sessions == 0 && sessionMs == 0 }
}
