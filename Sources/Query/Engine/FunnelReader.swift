import Core
import Storage

/// Reads who came to each step of an event's funnel, bucket by bucket.
///
/// Days are read as they are stored. On top come beacons that were folded since, and where bookings changed since, the day's
/// own reservations and payments.
struct FunnelReader {
    /// Beacons of all events looked at that were folded since their days were derived, which `rollup run --follow` lets
    /// wait for ten minutes. Where there are more the answer says how far it reaches instead.
    static let maxBeacons = 200_000

    private(set) var buckets: [FunnelSketches]
    private(set) var explanation = Explanation()
    /// Of later beacons some may be missing. Milliseconds since 1970; nil where none is.
    private(set) var asOf: Int64?
    private let plan: PeriodPlan
    private let eventID: String

    /// In the snapshot of the transaction that is under way.
    ///
    /// - Precondition: the plan's buckets are whole reporting days.
    init(
        _ plan: PeriodPlan, eventID: String, maxBeacons: Int = Self.maxBeacons, on connection: PostgresConnection
    ) throws {
        self.plan = plan
        self.eventID = eventID
        buckets = Array(repeating: FunnelSketches(), count: plan.buckets.count)
        try readViewers(maxBeacons: maxBeacons, on: connection)
        try readBookings(on: connection)
    }

    private mutating func readViewers(maxBeacons: Int, on connection: PostgresConnection) throws {
        let days = plan.days
        explanation.say("event_funnel_daily: \(days.lowerBound) to \(days.upperBound)")
        for row in try connection.query(FunnelQueries.viewers(days, eventID: eventID)) {
            let bucket = plan.bucket(of: try row.get(0, as: Day.self))
            buckets[bucket].viewers.merge(try row.withBytes(1) { try VisitorSketch(bytes: $0) })
            buckets[bucket].seatViewers.merge(try row.withBytes(2) { try VisitorSketch(bytes: $0) })
        }
        let stale = try DetailQueries.stale(days, on: connection)
        // These may be wrong in any beacon of theirs.
        if let day = stale.unknown.first { asOf = plan.calendar.start(of: day) }
        guard let behind = stale.behind else { return }
        let instants =
            plan.calendar.range(of: behind.days.lowerBound)
            .lowerBound..<plan.calendar.range(
                of: behind.days.upperBound
            ).upperBound
        let row = try connection.query(DetailQueries.addedSince(behind, instants))[0]
        guard try row.get(0, as: Int64.self) <= Int64(maxBeacons) else {
            let received = try row.get(1, as: PostgresTimestamp.self).ms
            asOf = min(asOf ?? received, received)
            return
        }
        explanation.say(
            "analytics_events: what was folded since fold \(behind.firstFold), of \(behind.days.lowerBound) to "
                + "\(behind.days.upperBound)")
        let added = FoldedBatches(
            instants, eventID: eventID, columns: [.eventType, .visitorId, .sessionId, .clientHash])
        try connection.stream(DetailQueries.batchesSince(behind, instants)) { row in
            if let batch = try added.batch(StoredBatch(row: row)) { add(batch) }
        }
    }

    private mutating func add(_ batch: BeaconBatch) {
        let types = batch[.eventType]
        let pageView = types.code(of: "page_view")
        let seatView = types.code(of: "seat_view")
        for row in 0..<batch.count {
            let type = types.codes[row]
            guard type == pageView || type == seatView, let visitor = batch.visitorHash(at: row) else { continue }
            let bucket = plan.bucket(of: batch.timestamp[row])
            buckets[bucket].viewers.add(hash: visitor)
            if type == seatView { buckets[bucket].seatViewers.add(hash: visitor) }
        }
    }

    private mutating func readBookings(on connection: PostgresConnection) throws {
        let changed = try DirtyQueries.read(
            DirtyQueries.buckets(family: "booking", entity: "", of: plan), on: connection, plan.calendar
        ).days.filter(plan.days.contains).sorted()
        explanation.say("event_booking_daily: \(plan.days.lowerBound) to \(plan.days.upperBound)")
        for row in try connection.query(FunnelQueries.bookers(plan.days, except: changed, eventID: eventID)) {
            let bucket = plan.bucket(of: try row.get(0, as: Day.self))
            buckets[bucket].reservers.merge(try row.withBytes(1) { try VisitorSketch(bytes: $0) })
            buckets[bucket].payers.merge(try row.withBytes(2) { try VisitorSketch(bytes: $0) })
            buckets[bucket].reservationsWithoutVisitor += try row.get(3, as: Int64.self)
            buckets[bucket].paymentsWithoutVisitor += try row.get(4, as: Int64.self)
        }
        guard !changed.isEmpty else { return }
        explanation.say(
            "reservation_states, revenue_ledger: " + changed.map(\.description).joined(separator: ", "))
        let ranges = changed.map { (bucket: Int32(plan.bucket(of: $0)), instants: plan.calendar.range(of: $0)) }
        for row in try connection.query(FunnelQueries.bookings(ranges, eventID: eventID)) {
            let bucket = Int(try row.get(0, as: Int32.self))
            let isPayment = try row.get(1, as: Bool.self)
            switch (isPayment, try row.get(2, as: Int64?.self)) {
            case (false, let visitor?): buckets[bucket].reservers.add(hash: UInt64(bitPattern: visitor))
            case (true, let visitor?): buckets[bucket].payers.add(hash: UInt64(bitPattern: visitor))
            case (false, nil): buckets[bucket].reservationsWithoutVisitor += try row.get(3, as: Int64.self)
            case (true, nil): buckets[bucket].paymentsWithoutVisitor += try row.get(3, as: Int64.self)
            }
        }
    }
}
