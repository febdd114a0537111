import Core
import Storage

/// Counts a reporting day's details from its folded raw beacons.
struct DayDetails {
    /// Who looked at an event, and at its seats.
    struct Funnel: Equatable {
        var viewers = VisitorSketch()
        var seatViewers = VisitorSketch()
    }

    private static let columns = ColumnSet([
        .timestamp, .eventType, .artistId, .eventId, .visitorId, .sessionId, .clientHash, .path, .referrer, .userAgent,
        .country,
    ])

    /// Those of a day whose ids' hashes, divided by so many parts, leave `part`; the site is of the first.
    private struct Share {
        var part: UInt64 = 0
        var parts: UInt64 = 1

        func holds(_ id: UnsafeRawBufferPointer) -> Bool { parts == 1 || Murmur3.hash64(id) % parts == part }

        /// The same in four parts.
        var quarters: [Share] { (0..<4).map { Share(part: part + $0 * parts, parts: parts * 4) } }
    }

    private struct TooManyEntities: Error {}

    /// Artists, and events, that are counted at once: a funnel may take the 16 KiB of two large sketches.
    static let maxEntities = 4000

    /// What is held at once.
    struct Bounds {
        var maxEntities = DayDetails.maxEntities
        var maxGroups = Breakdown.maxGroups
        var maxValues = Breakdown.maxValues
        var maxSiteValues = Breakdown.maxSiteValues
        var maxRows = Breakdown.maxRows
    }

    private let instants: Range<Int64>
    private let bounds: Bounds
    private let connection: PostgresConnection
    /// The artists of a share.
    private var entities = EntityTable()
    /// All of the day.
    private(set) var beacons: Int64 = 0

    /// Reads the day's batches, several times where it has many values, artists or events.
    ///
    /// - Parameters:
    ///   - eachRows: gets the rows of some artists, whole, at a time.
    ///   - eachFunnels: gets those of some events.
    init(
        _ day: Day, calendar: ReportingCalendar, bounds: Bounds = Bounds(), on connection: PostgresConnection,
        eachRows: ([BreakdownRows.Key: BreakdownRows.Row]) throws -> Void,
        eachFunnels: ([ExactText: Funnel]) throws -> Void
    ) throws {
        self.bounds = bounds
        self.connection = connection
        instants = calendar.range(of: day)
        guard !instants.isEmpty else { return }
        try count(Share(), eachRows, eachFunnels)
    }

    private mutating func count(
        _ share: Share, _ eachRows: ([BreakdownRows.Key: BreakdownRows.Row]) throws -> Void,
        _ eachFunnels: ([ExactText: Funnel]) throws -> Void
    ) throws {
        entities = EntityTable()
        let (chosen, funnels): ([Breakdown.Group], [ExactText: Funnel])
        do {
            (chosen, funnels) = try choose(share)
        } catch is TooManyEntities {
            // Nothing of this share was handed out yet.
            for quarter in share.quarters { try count(quarter, eachRows, eachFunnels) }
            return
        }
        try eachFunnels(funnels)
        // Every artist has a row at least for each dimension, and one for the remainder.
        var rowsOf: [Int32: Int] = [:]
        for group in chosen { rowsOf[group.artist, default: 0] += 1 }
        var some: Set<Int32> = []
        var rows = 0
        let numbers = (share.part == 0 ? [Breakdown.site] : []) + entities.entities.indices.map(Int32.init)
        for (index, artist) in numbers.enumerated() {
            some.insert(artist)
            rows += 2 * Dimension.allCases.count + (rowsOf[artist] ?? 0)
            guard rows >= bounds.maxRows || index == numbers.count - 1 else { continue }
            var details = BreakdownRows(some, chosen: chosen.filter { some.contains($0.artist) })
            try eachBatch(share) { batch, rows, artists in details.add(batch, rows: rows, artists: artists) }
            let entities = entities
            try eachRows(details.result { $0 == Breakdown.site ? Breakdown.siteEntity : entities[$0].id })
            (some, rows) = ([], 0)
        }
    }

    /// The first values of each artist and of the site, by dimension; and the funnels.
    private mutating func choose(_ share: Share) throws -> ([Breakdown.Group], [ExactText: Funnel]) {
        let bounds = bounds
        var parts = 1
        while true {
            var count = BreakdownCount(
                maxGroups: bounds.maxGroups, maxValues: bounds.maxValues, maxSiteValues: bounds.maxSiteValues,
                withSite: share.part == 0)
            var funnels: [ExactText: Funnel] = [:]
            var beacons: Int64 = 0
            // A statement whose rows are thrown at is cancelled, which must not fail the transaction.
            try connection.execute("SAVEPOINT choosing")
            do {
                for part in 0..<parts {
                    count.begin(part: part, of: parts)
                    try eachBatch(share, maxEntities: bounds.maxEntities) { batch, rows, artists in
                        try count.add(batch, rows: rows, artists: artists)
                        guard part == 0 else { return }
                        Self.add(batch, rows, share, to: &funnels)
                        if funnels.count > bounds.maxEntities { throw TooManyEntities() }
                        beacons += Int64(rows.count)
                    }
                    count.finishPart()
                }
                self.beacons = beacons
                try connection.execute("RELEASE SAVEPOINT choosing")
                return (count.groups, funnels)
            } catch is BreakdownCount.TooManyGroups {
                try rollBackChoosing()
                parts *= 4
            } catch let error as TooManyEntities {
                try rollBackChoosing()
                throw error
            }
        }
    }

    private func rollBackChoosing() throws {
        try connection.execute("ROLLBACK TO SAVEPOINT choosing")
        try connection.execute("RELEASE SAVEPOINT choosing")
    }

    private static func add(
        _ batch: BeaconBatch, _ rows: [Int32], _ share: Share, to funnels: inout [ExactText: Funnel]
    ) {
        let visits = Visits(batch, rows)
        let pageView = batch[.eventType].code(of: "page_view")
        let seatView = batch[.eventType].code(of: "seat_view")
        let events = batch[.eventId]
        let isOurs = Self.holds(share, events)
        // By code; a dictionary of texts once a batch.
        var found: [UInt32: Funnel] = [:]
        for (place, row) in rows.enumerated() {
            let type = batch[.eventType].codes[Int(row)]
            let event = events.codes[Int(row)]
            guard event != 0, isOurs[Int(event) - 1], type == pageView || type == seatView,
                let visitor = visits.visitor(at: place)
            else { continue }
            found[event, default: Funnel()].viewers.add(hash: visitor)
            if type == seatView { found[event]!.seatViewers.add(hash: visitor) }
        }
        for (event, funnel) in found {
            let id = ExactText(events.string(ofValue: Int(event) - 1))
            funnels[id, default: Funnel()].viewers.merge(funnel.viewers)
            funnels[id]!.seatViewers.merge(funnel.seatViewers)
        }
    }

    /// By a value's number.
    private static func holds(_ share: Share, _ column: TextColumn) -> [Bool] {
        column.bytes.withUnsafeBytes { bytes in
            (0..<column.valueCount).map {
                share.holds(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)]))
            }
        }
    }

    /// - Parameter body: gets all of the day's rows; artists of other shares as nil.
    private mutating func eachBatch(
        _ share: Share, maxEntities: Int = .max,
        _ body: (BeaconBatch, _ rows: [Int32], _ artists: [Int32?]) throws -> Void
    ) throws {
        var entities = entities
        try connection.stream(
            """
            SELECT e.payload, f.duplicates, e.received_day, e.node, e.seq
            FROM analytics_events e JOIN rollup_folded f USING (received_day, node, seq)
            WHERE e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
              AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
            ORDER BY e.received_day, e.node, e.seq
            """
        ) { row in
            let key = BatchKey(day: try row.get(2), node: try row.get(3), seq: try row.get(4))
            let batch = try row.withBytes(0) { try RawBatches.decode($0, of: key, columns: Self.columns) }
            guard let repeats = RowSet(recorded: try row.get(1), of: batch.count) else {
                throw RawBatches.Unreadable(key: key, reason: RawBatches.Unreadable.noRepeats)
            }
            let rows = (0..<Int32(batch.count)).filter {
                instants.contains(batch.timestamp[Int($0)]) && !repeats.contains(Int($0))
            }
            guard !rows.isEmpty else { return }
            let column = batch[.artistId]
            let numbers: [Int32?] = column.bytes.withUnsafeBytes { bytes in
                (0..<column.valueCount).map {
                    let id = UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)])
                    return share.holds(id) ? entities.number(of: id, family: .artist) : nil
                }
            }
            if entities.entities.count > maxEntities { throw TooManyEntities() }
            let codes = column.codes
            try body(batch, rows, rows.map { codes[Int($0)] == 0 ? nil : numbers[Int(codes[Int($0)]) - 1] })
        }
        self.entities = entities
    }
}
