import Core

/// What one bucket of one entity holds; cells of the same entity merge into longer buckets.
struct TrafficCell: Equatable {
    var pageViews: Int64 = 0
    var seatViews: Int64 = 0
    var beacons: Int64 = 0
    var sessions: Int64 = 0
    /// Sum of last - first over the sessions that began here, in milliseconds.
    var sessionMs: Int64 = 0
    var visitors = VisitorSketch()

    mutating func merge(_ other: TrafficCell) {
        pageViews += other.pageViews
        seatViews += other.seatViews
        beacons += other.beacons
        sessions += other.sessions
        sessionMs += other.sessionMs
        visitors.merge(other.visitors)
    }

    /// Buckets that hold nothing have no row.
    var isEmpty: Bool { beacons == 0 && sessions == 0 && sessionMs == 0 }
}
