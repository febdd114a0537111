import Core
import Storage

/// A folded raw batch's place in time, and in the order in which repeats were decided.
struct FoldedBatch: Sendable {
    var key: BatchKey
    var foldSeq: Int64
    var times: ClosedRange<Int64>
    var beacons: Int
    /// Its recorded repeats: rows, ascending.
    var repeats: [Int32]

    /// Those with a beacon between the two instants, in the order in which they were folded.
    static func read(
        from lower: Int64, before upper: Int64, on connection: PostgresConnection
    ) throws -> [FoldedBatch] {
        try connection.query(
            """
            SELECT received_day, node, seq, fold_seq, min_time, max_time, beacons, duplicates
            FROM analytics_events JOIN rollup_folded USING (received_day, node, seq)
            WHERE max_time >= \(PostgresTimestamp(ms: lower)) AND min_time < \(PostgresTimestamp(ms: upper))
            ORDER BY fold_seq
            """
        ).map { row in
            let key = BatchKey(day: try row.get(0), node: try row.get(1), seq: try row.get(2))
            // As the row says them: they may be any.
            let bounds = try (4...5).map { possible(try row.get($0, as: PostgresTimestamp.self).ms) }
            var times = bounds.min()!...bounds.max()!
            if times.upperBound - times.lowerBound > BatchHeader.maxSpanMs {
                times =
                    try BatchHeader.times(key, on: connection)
                    ?? times.lowerBound...times.lowerBound + BatchHeader.maxSpanMs
            }
            return FoldedBatch(
                key: key, foldSeq: try row.get(3), times: times, beacons: try row.get(6), repeats: try row.get(7))
        }
    }

    /// The first and the last instant at which anything counts, or is said to: hours and details that no beacon gave are
    /// stored too. Nil where nothing is.
    static func stored(
        calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> ClosedRange<Int64>? {
        var bounds: [Int64] = []
        var tables: [SQL] = [
            """
            SELECT min(min_time), max(max_time) FROM analytics_events
            JOIN rollup_folded USING (received_day, node, seq)
            """
        ]
        for family in TrafficFamily.allCases {
            tables.append("SELECT min(hour), max(hour) FROM \(unescaped: family.table(.hour))")
        }
        for table in tables {
            let row = try connection.query(table)[0]
            bounds += try (0...1).compactMap { try row.get($0, as: PostgresTimestamp?.self).map { possible($0.ms) } }
        }
        for table in ["traffic_breakdown_daily", "event_funnel_daily"] {
            let row = try connection.query("SELECT min(day), max(day) FROM \(unescaped: table)")[0]
            bounds += try (0...1).compactMap { try row.get($0, as: Day?.self) }.map(calendar.start(of:))
        }
        return bounds.min().map { $0...bounds.max()! }
    }

    /// Within the instants that can be buckets.
    static func possible(_ instant: Int64) -> Int64 {
        max(RawBatches.instants.lowerBound, min(instant, RawBatches.instants.upperBound))
    }
}
