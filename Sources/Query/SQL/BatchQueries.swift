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

    /// A batch's place in the order of receipt.
    struct Position: Equatable, Sendable {
        let day: Day
        let node: String
        let seq: Int64
        let lastSeq: Int64
    }

    /// One number: the last fold that took in a batch of the range. Folds are numbered in the order of their commits.
    static func lastFold(_ instants: Range<Int64>) -> SQL {
        """
        SELECT max(f.fold_seq)
        FROM analytics_events e JOIN rollup_folded f USING (received_day, node, seq)
        WHERE e.received_day >= \(Day(midnightUTC: instants.lowerBound) - 1)
          AND e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
          AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
        """
    }

    /// What is left of the batch that the position is in the middle of, since others were merged with it meanwhile: one
    /// row at most. Columns: payload, repeats, how many of its beacons come before the position,
    /// its last number.
    static func rest(_ instants: Range<Int64>, after: Position, through: Int64) -> SQL {
        """
        SELECT e.payload, f.duplicates, f.part_ends[(
            SELECT count(*) FROM unnest(f.part_seqs) AS part (seq) WHERE part.seq <= \(after.lastSeq))], e.last_seq
        FROM analytics_events e JOIN rollup_folded f USING (received_day, node, seq)
        WHERE e.received_day = \(after.day) AND e.node = \(after.node)
          AND e.seq = (
            SELECT max(seq) FROM analytics_events
            WHERE received_day = \(after.day) AND node = \(after.node) AND seq <= \(after.seq))
          AND e.last_seq > \(after.lastSeq)
          AND e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
          AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
          AND f.fold_seq <= \(through)
        """
    }

    /// Columns: day, node, seq, last seq, bytes of the block, its checksum, what entities it may hold.
    static func page(
        _ instants: Range<Int64>, after: Position, through: Int64, limit: Int, withFilters: Bool = true
    ) -> SQL {
        """
        SELECT e.received_day, e.node, e.seq, e.last_seq, octet_length(e.payload), e.crc,
            \(sql: withFilters ? "e.entity_filter" : "NULL::bytea")
        FROM analytics_events e JOIN rollup_folded f USING (received_day, node, seq)
        WHERE e.received_day >= \(after.day)
          AND (e.received_day, e.node, e.seq) > (\(after.day), \(after.node), \(after.seq))
          AND e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
          AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
          AND f.fold_seq <= \(through)
        ORDER BY e.received_day, e.node, e.seq LIMIT \(Int64(limit))
        """
    }

    /// Columns as of `folded`, in the order of the batches.
    ///
    /// - Precondition: at least one batch, ascending.
    static func payloads(_ batches: [Position]) -> SQL {
        """
        SELECT e.payload, f.duplicates
        FROM unnest(\(batches.map(\.day)), \(batches.map(\.node)), \(batches.map(\.seq))) WITH ORDINALITY
            AS wanted (received_day, node, seq, place)
        JOIN analytics_events e USING (received_day, node, seq)
        JOIN rollup_folded f USING (received_day, node, seq)
        WHERE e.received_day BETWEEN \(batches[0].day) AND \(batches[batches.count - 1].day)
        ORDER BY wanted.place
        """
    }
}
