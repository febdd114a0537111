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
            FoldedBatch(
                key: BatchKey(day: try row.get(0), node: try row.get(1), seq: try row.get(2)), foldSeq: try row.get(3),
                times: try row.get(4, as: PostgresTimestamp.self).ms...row.get(5, as: PostgresTimestamp.self).ms,
                beacons: try row.get(6), repeats: try row.get(7))
        }
    }

    /// The first and the last instant at which anything counts; nil where nothing is stored.
    static func stored(on connection: PostgresConnection) throws -> ClosedRange<Int64>? {
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
        return first.ms...last.ms
    }
}
