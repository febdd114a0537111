import Core
import Storage

/// Counts folded raw batches again, hour by hour, into temporary tables, sharing nothing with the ledgers that the
/// incremental rollup keeps.
///
/// Works through the range a day at a time, or an hour where a day has many beacons: memory is bounded by what one such
/// slice holds. Must run in one transaction: repeatable read, or under the apply lock.
struct Recount {
    /// A raw batch's place in time.
    private struct Source {
        var key: BatchKey
        var times: ClosedRange<Int64>
        var beacons: Int
        var recorded: [Int32]
    }

    /// A day with more beacons than this is counted hour by hour.
    static let maxSliceBeacons = 4_000_000

    /// The whole days counted; nil where nothing is stored.
    let days: ClosedRange<Day>?
    let calendar: ReportingCalendar
    /// Batches whose repeats were recorded otherwise than they are now decided.
    private(set) var changedRepeats: [(key: BatchKey, repeats: [Int32])] = []
    private(set) var beacons = 0
    /// Batches that were folded and can't be read any more: what they held is missing from the count.
    private(set) var unreadable: [RawBatches.Unreadable] = []
    /// Collects the id sets and intervals, and throws at what can't be read.
    private let replacesLedgers: Bool
    private let maxSliceBeacons: Int
    /// Claimed instants before this one are decided.
    private var decidedThrough: Int64 = 0
    private var sources: [Source] = []
    private var fold = Fold()
    /// Sessions that a later day may continue, by session.
    private var open: [UInt64: SessionFragment] = [:]

    /// How far a claimed timestamp may lie ahead of the one that counts.
    static let maxClampMs: Int64 = 600_000

    /// - Parameter replacesLedgers: also collects the id sets and intervals, which `Rebuild` stores; a batch that
    ///   can't be read is then an error.
    init(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, replacesLedgers: Bool,
        maxSliceBeacons: Int = Recount.maxSliceBeacons, on connection: PostgresConnection
    ) throws {
        self.calendar = calendar
        self.replacesLedgers = replacesLedgers
        self.maxSliceBeacons = maxSliceBeacons
        let stored = try Self.storedDays(calendar, on: connection)
        days = range ?? stored
        try Self.makeTables(on: connection)
        guard let days, let stored else { return }
        let instants = calendar.start(of: days.lowerBound)..<calendar.start(of: days.upperBound + 1)
        // Days without anything stored need no look, however many the range has.
        let scanned = max(
            try Self.scannedFrom(days.lowerBound, calendar: calendar, on: connection), stored.lowerBound - 1)
        let start = calendar.start(of: scanned)
        sources = try Self.sources(from: start - RepeatedMessages.stampedWindowMs, on: connection)
        var repeats = [[Int32]](repeating: [], count: sources.count)
        try decideStamped(&repeats, recordedBefore: range == nil ? .min : start, on: connection)
        decidedThrough = start
        // A session that begins in the range may end after it: go on until none of those is open.
        var day = scanned
        while day <= days.upperBound || open.values.contains(where: { instants.contains($0.started) }) {
            guard day <= stored.upperBound, day - days.upperBound < Self.maxDaysBeyond else { break }
            for slice in slices(of: day) {
                try decideTimed(through: slice.upperBound + Self.maxClampMs, &repeats, on: connection)
                try count(slice, repeats, isInRange: days.contains(day), on: connection)
            }
            day = day + 1
        }
        for fragment in open.values { try close(fragment, on: connection) }
        try flush(on: connection)
        for (index, source) in sources.enumerated() {
            let decided = repeats[index].sorted()
            // Batches that reach out of the scanned days were decided in part only.
            if range == nil || isWithin(source), decided != source.recorded {
                changedRepeats.append((source.key, decided))
            }
        }
    }

    /// A session that goes on for longer after the range's end is cut: a bound against a clock gone wild.
    static let maxDaysBeyond = 400

    /// The whole day, or its hours.
    private func slices(of day: Day) -> [Range<Int64>] {
        let range = calendar.range(of: day)
        let beacons = sources.reduce(0) {
            $1.times.overlaps(range.lowerBound...range.upperBound - 1) ? $0 + $1.beacons : $0
        }
        guard beacons > maxSliceBeacons else { return [range] }
        return stride(from: range.lowerBound, to: range.upperBound, by: Int(ReportingCalendar.hourMs)).map {
            $0..<$0 + ReportingCalendar.hourMs
        }
    }

    /// A source's batch; nil where it can't be read, which a verification reports.
    private mutating func load(
        _ number: Int, columns: ColumnSet, on connection: PostgresConnection
    ) throws -> BeaconBatch? {
        let key = sources[number].key
        if unreadable.contains(where: { $0.key == key }) { return nil }
        do {
            return try RawBatches.load(key, columns: columns, on: connection)
        } catch let error as RawBatches.Unreadable where !replacesLedgers {
            unreadable.append(error)
            return nil
        }
    }

    private func isWithin(_ source: Source) -> Bool {
        guard let days else { return false }
        return source.times.lowerBound >= calendar.start(of: days.lowerBound)
            && source.times.upperBound + Self.maxClampMs < calendar.start(of: days.upperBound + 1)
    }

    // MARK: What to read

    private static func storedDays(
        _ calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> ClosedRange<Day>? {
        let row = try connection.query(
            """
            SELECT min(first), max(last) FROM (
                SELECT min(min_time), max(max_time) FROM analytics_events
                JOIN rollup_folded USING (received_day, node, seq)
                UNION ALL SELECT min(hour), max(hour) FROM site_traffic_hourly
            ) stored (first, last)
            """)[0]
        guard let first = try row.get(0, as: PostgresTimestamp?.self),
            let last = try row.get(1, as: PostgresTimestamp?.self)
        else { return nil }
        return calendar.day(of: first.ms)...calendar.day(of: last.ms)
    }

    /// The day from which sessions must be followed so that those reaching into the range are whole.
    private static func scannedFrom(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Day {
        let start = calendar.start(of: day)
        let row = try connection.query(
            """
            SELECT min(started_ms) FROM session_intervals
            WHERE started_ms < \(start) AND ended_ms > \(start - SessionIntervals.gapMs)
            """)[0]
        guard let earliest = try row.get(0, as: Int64?.self) else { return day - 1 }
        return min(day - 1, calendar.day(of: earliest))
    }

    private static func sources(from start: Int64, on connection: PostgresConnection) throws -> [Source] {
        try connection.query(
            """
            SELECT received_day, node, seq, min_time, max_time, beacons, duplicates
            FROM analytics_events JOIN rollup_folded USING (received_day, node, seq)
            WHERE max_time >= \(PostgresTimestamp(ms: start)) ORDER BY fold_seq
            """
        ).map { row in
            Source(
                key: BatchKey(day: try row.get(0), node: try row.get(1), seq: try row.get(2)),
                times: try row.get(3, as: PostgresTimestamp.self).ms...row.get(4, as: PostgresTimestamp.self).ms,
                beacons: try row.get(5), recorded: try row.get(6))
        }
    }

    private static func makeTables(on connection: PostgresConnection) throws {
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_cells (
                family text NOT NULL, entity text NOT NULL, hour timestamptz NOT NULL, page_views bigint NOT NULL,
                seat_views bigint NOT NULL, beacons bigint NOT NULL, visitors bytea NOT NULL
            ) ON COMMIT DROP
            """)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_sessions (
                family text NOT NULL, entity text NOT NULL, session bigint NOT NULL, started_ms bigint NOT NULL,
                ended_ms bigint NOT NULL
            ) ON COMMIT DROP
            """)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_ids (minute integer NOT NULL, ids bytea NOT NULL) ON COMMIT DROP
            """)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_stamped (
                id bigint NOT NULL, batch integer NOT NULL, place integer NOT NULL, received_ms bigint NOT NULL,
                recorded boolean NOT NULL
            ) ON COMMIT DROP
            """)
    }

    // MARK: Repeats

    /// Decides id by id, sorted by Postgres: however many there are, they need no memory here.
    ///
    /// - Parameter recordedBefore: for beacons received before, what was decided is taken as it is recorded: it rests
    ///   on others further back.
    private mutating func decideStamped(
        _ repeats: inout [[Int32]], recordedBefore start: Int64, on connection: PostgresConnection
    ) throws {
        for number in sources.indices {
            guard
                let batch = try load(number, columns: [.receivedAt, .claimed, .flags, .messageId], on: connection)
            else { continue }
            var messages = RepeatedMessages()
            messages.add(batch, number: number, only: .stamped)
            guard !messages.stamped.isEmpty else { continue }
            let recorded = RowSet(sources[number].recorded, of: batch.count)
            try connection.copyIn(
                "recounted_stamped", columns: ["id", "batch", "place", "received_ms", "recorded"],
                rows: messages.stamped.lazy.map { entry in
                    [
                        Int64(bitPattern: entry.id), entry.batch, entry.row, entry.receivedAt,
                        recorded.contains(Int(entry.row)),
                    ]
                })
        }
        var id: Int64?
        var counted: Int64?
        try connection.stream(
            "SELECT id, batch, place, received_ms, recorded FROM recounted_stamped ORDER BY id, batch, place"
        ) { row in
            let next = try row.get(0, as: Int64.self)
            if next != id { counted = nil }
            id = next
            let receivedAt = try row.get(3, as: Int64.self)
            let isRepeat =
                try receivedAt < start
                ? row.get(4) : RepeatedMessages.isStampedRepeat(receivedAt, ofCounted: counted)
            if isRepeat {
                repeats[Int(try row.get(1, as: Int32.self))].append(try row.get(2))
            } else {
                counted = receivedAt
            }
        }
    }

    /// Decides what claims an instant before `end` and isn't decided yet.
    ///
    /// A beacon that counts in a slice may claim an instant of the next, where it was ahead of its receipt.
    private mutating func decideTimed(
        through end: Int64, _ repeats: inout [[Int32]], on connection: PostgresConnection
    ) throws {
        let range = decidedThrough..<end
        decidedThrough = end
        var messages = RepeatedMessages()
        for number in sources.indices
        where sources[number].times.overlaps(range.lowerBound - Self.maxClampMs...range.upperBound) {
            guard
                let batch = try load(number, columns: [.receivedAt, .claimed, .flags, .messageId], on: connection)
            else { continue }
            messages.add(batch, number: number, claimed: range, only: .timed)
        }
        let decision = messages.decide(seen: { _ in [] }, stampedBefore: [:])
        for (number, rows) in decision.repeats { repeats[number] += rows }
        guard replacesLedgers, !decision.newIds.isEmpty else { return }
        let ids = decision.newIds.sorted { $0.key < $1.key }
        try connection.execute(
            """
            INSERT INTO recounted_ids
            SELECT * FROM unnest(\(ids.map(\.key)), \(ids.map { HashSetRun.encode(sorted: $0.value) }))
            """)
    }

    // MARK: Counting

    private mutating func count(
        _ range: Range<Int64>, _ repeats: [[Int32]], isInRange: Bool, on connection: PostgresConnection
    ) throws {
        for number in sources.indices
        where sources[number].times.overlaps(range.lowerBound...range.upperBound - 1) {
            guard let batch = try load(number, columns: Fold.columns, on: connection) else { continue }
            let isRepeat = RowSet(repeats[number], of: batch.count)
            fold.add(batch, in: range) { !isRepeat.contains($0) }
            if isInRange { beacons += batch.timestamp.count { range.contains($0) } }
        }
        if isInRange { try storeCells(on: connection) }
        fold.removeCells()
        for fragment in fold.takeSessions() {
            if let before = open[fragment.session] {
                if fragment.started - before.ended < SessionIntervals.gapMs {
                    open[fragment.session]!.ended = max(before.ended, fragment.ended)
                    continue
                }
                try close(before, on: connection)
            }
            open[fragment.session] = fragment
        }
        for (session, fragment) in open where range.upperBound - fragment.ended >= SessionIntervals.gapMs {
            try close(fragment, on: connection)
            open[session] = nil
        }
    }

    private func storeCells(on connection: PostgresConnection) throws {
        for family in Family.allCases {
            let cells = fold.sortedCells(of: family)
            guard !cells.isEmpty else { continue }
            try connection.execute(
                """
                INSERT INTO recounted_cells
                SELECT \(family.rawValue), * FROM unnest(\(cells.map(\.entity.string)),
                    \(cells.map { PostgresTimestamp(ms: $0.hour) }), \(cells.map(\.cell.pageViews)),
                    \(cells.map(\.cell.seatViews)), \(cells.map(\.cell.beacons)),
                    \(cells.map(\.cell.visitors.bytes)))
                """)
        }
    }

    private var closed: [SessionFragment] = []
    private static let maxClosed = 50_000

    private mutating func close(_ fragment: SessionFragment, on connection: PostgresConnection) throws {
        guard let days, days.contains(calendar.day(of: fragment.started)) else { return }
        closed.append(fragment)
        if closed.count >= Self.maxClosed { try flush(on: connection) }
    }

    private mutating func flush(on connection: PostgresConnection) throws {
        guard !closed.isEmpty else { return }
        let entities = closed.map { fold.entities[$0.entity] }
        try connection.execute(
            """
            INSERT INTO recounted_sessions
            SELECT * FROM unnest(\(entities.map(\.family.rawValue)), \(entities.map(\.id.string)),
                \(closed.map { Int64(bitPattern: $0.session) }), \(closed.map(\.started)), \(closed.map(\.ended)))
            """)
        closed = []
    }

    // MARK: Comparing

    /// The family's hours in the range: what was counted (`c`) beside what is stored (`t`), where they differ.
    func differences(_ family: Family) -> SQL {
        guard let days else { return "SELECT 1 WHERE false" }
        let lower = PostgresTimestamp(ms: calendar.start(of: days.lowerBound))
        let upper = PostgresTimestamp(ms: calendar.start(of: days.upperBound + 1))
        return """
            SELECT coalesce(c.entity, t.entity) AS entity, coalesce(c.hour, t.hour) AS hour,
                c.page_views AS c_page_views, t.page_views AS t_page_views,
                c.seat_views AS c_seat_views, t.seat_views AS t_seat_views,
                c.beacons AS c_beacons, t.beacons AS t_beacons,
                c.sessions AS c_sessions, t.sessions AS t_sessions,
                c.session_ms AS c_session_ms, t.session_ms AS t_session_ms,
                c.visitors AS c_visitors, t.visitors AS t_visitors
            FROM (
                SELECT entity, hour, page_views, seat_views, beacons, coalesce(sessions, 0) AS sessions,
                    coalesce(session_ms, 0) AS session_ms, visitors
                FROM recounted_cells LEFT JOIN (
                    SELECT family, entity, date_trunc('hour', to_timestamp(started_ms / 1000)) AS hour,
                        count(*) AS sessions, sum(ended_ms - started_ms)::bigint AS session_ms
                    FROM recounted_sessions GROUP BY 1, 2, 3
                ) s USING (family, entity, hour)
                WHERE family = \(family.rawValue)
            ) c FULL JOIN (
                SELECT \(unescaped: family.column) AS entity, \(unescaped: "hour, " + TrafficTable.columns)
                FROM \(unescaped: family.table(.hourly)) WHERE hour >= \(lower) AND hour < \(upper)
            ) t ON t.entity = c.entity AND t.hour = c.hour
            WHERE (c.page_views, c.seat_views, c.beacons, c.sessions, c.session_ms, c.visitors)
                IS DISTINCT FROM (t.page_views, t.seat_views, t.beacons, t.sessions, t.session_ms, t.visitors)
            """
    }
}
