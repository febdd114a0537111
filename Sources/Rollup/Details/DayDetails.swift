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

    private let day: Day
    private let instants: Range<Int64>
    private let connection: PostgresConnection
    private var entities = EntityTable()
    private(set) var funnels: [ExactText: Funnel] = [:]

    /// All artists that have beacons, and the site.
    var artists: [ExactText] { [Breakdown.siteEntity] + entities.entities.map(\.id) }

    /// Reads the day's batches, several times where it has many values.
    ///
    /// - Parameter eachRows: gets the rows of some artists, whole, at a time.
    init(
        _ day: Day, calendar: ReportingCalendar, maxGroups: Int = Breakdown.maxGroups,
        maxValues: Int = Breakdown.maxValues, maxSiteValues: Int = Breakdown.maxSiteValues,
        maxRows: Int = Breakdown.maxRows, on connection: PostgresConnection,
        eachRows: ([BreakdownRows.Key: BreakdownRows.Row]) throws -> Void
    ) throws {
        self.day = day
        self.connection = connection
        instants = calendar.range(of: day)
        guard !instants.isEmpty else { return }
        let chosen = try choose(maxGroups: maxGroups, maxValues: maxValues, maxSiteValues: maxSiteValues)
        // Every artist has a row at least for each dimension, and one for the remainder.
        var rowsOf: [Int32: Int] = [:]
        for group in chosen { rowsOf[group.artist, default: 0] += 1 }
        var some: Set<Int32> = []
        var rows = 0
        let numbers = [Breakdown.site] + entities.entities.indices.map(Int32.init)
        for (index, artist) in numbers.enumerated() {
            some.insert(artist)
            rows += 2 * Dimension.allCases.count + (rowsOf[artist] ?? 0)
            guard rows >= maxRows || index == numbers.count - 1 else { continue }
            var details = BreakdownRows(some, chosen: chosen.filter { some.contains($0.artist) })
            try eachBatch { batch, rows, artists in details.add(batch, rows: rows, artists: artists) }
            let entities = entities
            try eachRows(details.result { $0 == Breakdown.site ? Breakdown.siteEntity : entities[$0].id })
            (some, rows) = ([], 0)
        }
    }

    /// The first values of each artist and of the site, by dimension; meanwhile the funnels.
    private mutating func choose(
        maxGroups: Int, maxValues: Int, maxSiteValues: Int
    ) throws -> [Breakdown.Group] {
        var parts = 1
        while true {
            var count = BreakdownCount(maxGroups: maxGroups, maxValues: maxValues, maxSiteValues: maxSiteValues)
            do {
                for part in 0..<parts {
                    count.begin(part: part, of: parts)
                    if part == 0 { funnels = [:] }
                    var funnels = funnels
                    try eachBatch { batch, rows, artists in
                        try count.add(batch, rows: rows, artists: artists)
                        if part == 0 { Self.add(batch, rows, to: &funnels) }
                    }
                    self.funnels = funnels
                    count.finishPart()
                }
                return count.groups
            } catch is BreakdownCount.TooManyGroups {
                parts *= 4
            }
        }
    }

    private static func add(_ batch: BeaconBatch, _ rows: [Int32], to funnels: inout [ExactText: Funnel]) {
        let visits = Visits(batch, rows)
        let pageView = batch[.eventType].code(of: "page_view")
        let seatView = batch[.eventType].code(of: "seat_view")
        let events = batch[.eventId]
        // By code; a dictionary of texts once a batch.
        var found: [UInt32: Funnel] = [:]
        for (place, row) in rows.enumerated() {
            let type = batch[.eventType].codes[Int(row)]
            let event = events.codes[Int(row)]
            guard event != 0, type == pageView || type == seatView, let visitor = visits.visitor(at: place) else {
                continue
            }
            found[event, default: Funnel()].viewers.add(hash: visitor)
            if type == seatView { found[event]!.seatViewers.add(hash: visitor) }
        }
        for (event, funnel) in found {
            let id = ExactText(events.string(ofValue: Int(event) - 1))
            funnels[id, default: Funnel()].viewers.merge(funnel.viewers)
            funnels[id]!.seatViewers.merge(funnel.seatViewers)
        }
    }

    private mutating func eachBatch(
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
            let repeats = RowSet(try row.get(1), of: batch.count)
            let rows = (0..<Int32(batch.count)).filter {
                instants.contains(batch.timestamp[Int($0)]) && !repeats.contains(Int($0))
            }
            guard !rows.isEmpty else { return }
            let numbers = entities.numbers(of: batch[.artistId], family: .artist)
            let codes = batch[.artistId].codes
            try body(batch, rows, rows.map { codes[Int($0)] == 0 ? nil : numbers[Int(codes[Int($0)]) - 1] })
        }
        self.entities = entities
    }
}
