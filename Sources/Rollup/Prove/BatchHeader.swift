import Core
import Storage

/// What stands beside a raw batch's block in its row. Batches are found by it, so it must say what the block holds.
struct BatchHeader {
    /// Columns of the block that it is compared with.
    static let columns: ColumnSet = [.timestamp, .artistId, .eventId]
    /// A batch with beacons further apart is asked itself when they were: beacons are accepted for about so long, and a
    /// row that says otherwise would make its batch one of each day in between.
    static let maxSpanMs = Int64(SessionRetention.acceptedDays + SessionRetention.slackDays) * 86_400_000

    private var times: (first: Int64, last: Int64)
    private var beacons: Int
    private var crc: Int64
    private var entityFilter: [UInt8]?
    private var blockChecksum: UInt32

    private init(_ key: BatchKey, on connection: PostgresConnection) throws {
        // The block's last bytes alone are fetched: it is not compressed as a whole.
        let rows = try connection.query(
            """
            SELECT min_time, max_time, beacons, crc, entity_filter, substr(payload, octet_length(payload) - 3)
            FROM analytics_events WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
            """)
        guard rows.count == 1 else { throw RawBatches.Unreadable(key: key, reason: "it is gone") }
        let row = rows[0]
        let bounds = try (0...1).map { FoldedBatch.possible(try row.get($0, as: PostgresTimestamp.self).ms) }
        times = (bounds[0], bounds[1])
        (beacons, crc, entityFilter) = (try row.get(2), try row.get(3), try row.get(4))
        blockChecksum = try row.get(5, as: [UInt8].self).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// What the batch's row says otherwise than its block; nil where nothing.
    ///
    /// - Parameter batch: with at least `columns`.
    static func difference(
        _ key: BatchKey, _ batch: BeaconBatch, on connection: PostgresConnection
    ) throws -> String? {
        try BatchHeader(key, on: connection).difference(from: batch)
    }

    private func difference(from batch: BeaconBatch) -> String? {
        if beacons != batch.count { return "beacons \(beacons), its block has \(batch.count)" }
        // An empty one has no times of its own.
        if let first = batch.timestamp.min(), let last = batch.timestamp.max() {
            if times.first != first {
                return "min_time \(Instant.iso8601(times.first)), its block begins \(Instant.iso8601(first))"
            }
            if times.last != last {
                return "max_time \(Instant.iso8601(times.last)), its block ends \(Instant.iso8601(last))"
            }
        }
        if crc != Int64(blockChecksum) { return "crc is not that of its block" }
        let ids = [BeaconBatch.Text.artistId, .eventId].flatMap { column in
            (0..<batch[column].valueCount).map { EntityFilter.Probe(column, batch[column].string(ofValue: $0)) }
        }
        let holdsAll = entityFilter?.withUnsafeBytes { EntityFilter.mayHold(ids, $0, ofBlock: blockChecksum) } ?? true
        return holdsAll ? nil : "entity_filter leaves out ids of its block"
    }

    /// Names rows whose times are none, by which nothing finds their batches.
    static func verify(into report: inout Verify.Report, on connection: PostgresConnection) throws {
        for row in try connection.query(
            """
            SELECT received_day, node, seq FROM analytics_events
            WHERE min_time > max_time OR NOT isfinite(min_time) OR NOT isfinite(max_time)
            ORDER BY 1, 2, 3 LIMIT \(Verify.maxFindings)
            """)
        {
            report.add(
                "analytics_events", "\(try row.get(1, as: String.self)) \(try row.get(2, as: Int64.self))",
                "\(try row.get(0, as: Day.self))", "min_time and max_time are no times")
        }
    }

    /// When the block's own beacons were; nil where it can't be read.
    static func times(_ key: BatchKey, on connection: PostgresConnection) throws -> ClosedRange<Int64>? {
        do {
            let timestamps = try RawBatches.load(key, columns: [.timestamp], on: connection).timestamp
            return timestamps.min().map { $0...timestamps.max()! }
        } catch is RawBatches.Unreadable {
            return nil
        }
    }

    /// Has rows of folded batches say what their blocks hold: else a rebuild would pass over beacons of its days. Under
    /// the apply lock. Returns how many said otherwise.
    ///
    /// - Parameter range: reporting days; of these, batches that were received then. Nil for all.
    static func mend(_ range: ClosedRange<Day>?, on connection: PostgresConnection) throws -> Int {
        let days = range.map { $0.lowerBound - 1...$0.upperBound + 2 } ?? Day.first...Day.last
        let keys = try connection.query(
            """
            SELECT received_day, node, seq FROM analytics_events JOIN rollup_folded USING (received_day, node, seq)
            WHERE received_day >= \(days.lowerBound) AND received_day <= \(days.upperBound)
            ORDER BY received_day, node, seq
            """
        ).map { BatchKey(day: try $0.get(0), node: try $0.get(1), seq: try $0.get(2)) }
        return try keys.count { try mend($0, on: connection) }
    }

    private static func mend(_ key: BatchKey, on connection: PostgresConnection) throws -> Bool {
        let batch: BeaconBatch
        do {
            batch = try RawBatches.load(key, columns: columns, on: connection)
        } catch is RawBatches.Unreadable {
            // Whoever needs it says so.
            return false
        } catch let error as PostgresError where error.isCorruption {
            throw RawBatches.Unreadable(key: key, reason: error.message)
        }
        let header = try BatchHeader(key, on: connection)
        guard header.difference(from: batch) != nil else { return false }
        let times: (first: Int64, last: Int64)? = batch.timestamp.min().map { ($0, batch.timestamp.max()!) }
        try connection.execute(
            """
            UPDATE analytics_events SET beacons = \(Int32(batch.count)), crc = \(Int64(header.blockChecksum)),
                min_time = coalesce(\(times.map { PostgresTimestamp(ms: $0.first) }), min_time),
                max_time = coalesce(\(times.map { PostgresTimestamp(ms: $0.last) }), max_time),
                entity_filter = \(EntityFilter.encode(batch, ofBlock: header.blockChecksum))
            WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
            """)
        return true
    }
}
