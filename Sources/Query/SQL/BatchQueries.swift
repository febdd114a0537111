import Core
import Storage

/// Raw batches, as far as they are folded.
enum BatchQueries {
    /// Columns: payload, positions that repeat an earlier messageId.
    ///
    /// A beacon counts at or before its receipt, so earlier partitions need not be looked at, but for the day before: a
    /// batch belongs to the day on which its first beacon was received, and an import takes times a little ahead. How
    /// much later a beacon was received has no bound.
    static func folded(_ instants: Range<Int64>) -> SQL {
        """
        SELECT e.payload, f.duplicates
        FROM analytics_events e JOIN rollup_folded f USING (received_day, node, seq)
        WHERE e.received_day >= \(Day(midnightUTC: instants.lowerBound) - 1)
          AND e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
          AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
        ORDER BY e.received_day, e.node, e.seq
        """
    }
}
