package import Core
package import Storage

/// Merges the small batches of quiet nights into large ones, without changing any number.
///
/// Batches that follow one another become one row: the first one's, with all the numbers. Beacons that were recorded as
/// repeats are left out, so nothing in the row depends on the order in which repeats are decided; the row takes the place
/// of the earliest fold, so every repeat elsewhere still comes after what it repeats.
package enum Compaction {
    /// Days of receipt that are left alone: what the server stamped in them may still be repeated within 24 hours.
    package static let minAgeDays = 2
    /// What the texts of a merged row may come to, as of a shipper's batch.
    static let maxBytes = 32 << 20
    /// For how long a merged row remembers its parts: no export takes longer from one page to the next.
    static let keepParts = "1 day"

    package struct Result: Sendable, Equatable {
        /// Rows that were merged, and into how many.
        package var batches = 0
        package var merged = 0
    }

    /// Where a pass over a day stands: behind this batch. Nil for its beginning.
    struct Position: Equatable, Sendable {
        var node: String
        var seq: Int64
    }

    /// The days that have batches and may be compacted, ascending.
    package static func days(
        from first: Day? = nil, today: Day, on connection: PostgresConnection
    ) throws -> [Day] {
        try connection.query(
            """
            SELECT day FROM (
                SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day FROM pg_inherits i
                JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'analytics_events'::regclass AND NOT i.inhdetachpending
                    AND c.relname ~ '^analytics_events_[0-9]{8}$'
            ) partitions WHERE day <= \(today - minAgeDays) AND day >= \(first ?? Day.first) ORDER BY day
            """
        ).map { try $0.get(0) }
    }

    /// Forgets the parts of rows that were merged a day ago.
    package static func forgetParts(on connection: PostgresConnection) throws {
        try connection.execute(
            """
            UPDATE rollup_folded SET part_seqs = NULL, part_ends = NULL, compacted_at = NULL
            WHERE compacted_at < now() - \(keepParts)::text::interval
            """)
    }

    /// Compacts a day; safe beside every other runner, which waits for one row at a time at most.
    package static func run(_ day: Day, on connection: PostgresConnection) throws -> Result {
        var result = Result()
        var position: Position?
        while let next = try step(day, after: position, into: &result, on: connection) { position = next }
        return result
    }

    /// Merges at most one row; returns where to go on, nil at the end of the day.
    static func step(
        _ day: Day, after position: Position?, into result: inout Result, on connection: PostgresConnection
    ) throws -> Position? {
        let found = try candidates(day, after: position, on: connection)
        guard CompactionRun(in: found) != nil else {
            guard found.count == CompactionRun.maxBatches, let last = found.last else { return nil }
            // The last one again, as the first of the next page.
            return Position(node: last.node, seq: last.seq - 1)
        }
        var counted = result
        let next = try connection.transaction { connection -> Position? in
            // Now that no one else changes what is folded.
            try ApplyLock.take(on: connection)
            guard try CompactionPause.isOver(on: connection) else { return nil }
            guard let run = CompactionRun(in: try candidates(day, after: position, on: connection)) else {
                return position
            }
            return try merge(run, of: day, into: &counted, on: connection)
        }
        result = counted
        return next
    }

    private static func candidates(
        _ day: Day, after position: Position?, on connection: PostgresConnection
    ) throws -> [CompactionRun.Candidate] {
        try connection.query(
            """
            SELECT b.node, b.seq, b.last_seq, b.beacons, b.is_folded,
                -- Looked up only where it matters.
                CASE WHEN greatest(b.beacons, b.beacons_before) < \(CompactionRun.targetBeacons / 2) THEN EXISTS (
                    SELECT FROM rollup_folded o WHERE o.received_day <> \(day)
                        AND o.fold_seq > least(b.fold_seq, b.before) AND o.fold_seq < greatest(b.fold_seq, b.before))
                ELSE false END
            FROM (
                SELECT node, seq, a.last_seq, a.beacons, f.fold_seq,
                    lag(f.fold_seq) OVER (PARTITION BY node ORDER BY seq) AS before,
                    lag(a.beacons) OVER (PARTITION BY node ORDER BY seq) AS beacons_before,
                    f.fold_seq IS NOT NULL AND p.seq IS NULL AND d.seq IS NULL AS is_folded
                FROM (
                    SELECT received_day, node, seq, last_seq, beacons FROM analytics_events
                    WHERE received_day = \(day) AND (node, seq) > (\(position?.node ?? ""), \(position?.seq ?? -1))
                    ORDER BY node, seq LIMIT \(CompactionRun.maxBatches)
                ) a
                LEFT JOIN rollup_folded f USING (received_day, node, seq)
                LEFT JOIN rollup_pending p USING (received_day, node, seq)
                LEFT JOIN damaged_batches d USING (received_day, node, seq)
            ) b ORDER BY b.node, b.seq
            """
        ).map { row in
            CompactionRun.Candidate(
                node: try row.get(0), seq: try row.get(1), lastSeq: try row.get(2), beacons: try row.get(3),
                isFolded: try row.get(4), isCutOff: try row.get(5))
        }
    }

    /// One batch as it is read.
    private struct Source {
        var seq: Int64
        var lastSeq: Int64
        var foldSeq: Int64
    }

    /// Merges the run, as far as its batches can be read and are not too large together; returns where to go on.
    private static func merge(
        _ run: CompactionRun, of day: Day, into result: inout Result, on connection: PostgresConnection
    ) throws -> Position {
        var builder = BeaconBatchBuilder()
        var parts = BatchParts()
        var merged: [Source] = []
        var bytes = 0
        /// The first that is left out; nothing is merged beyond it.
        var stop: Int64?
        try connection.stream(
            """
            SELECT a.seq, a.last_seq, f.fold_seq, a.payload, f.duplicates, f.part_seqs, f.part_ends
            FROM analytics_events a JOIN rollup_folded f USING (received_day, node, seq)
            WHERE a.received_day = \(day) AND a.node = \(run.node)
                AND a.seq BETWEEN \(run.seqs.lowerBound) AND \(run.seqs.upperBound)
            ORDER BY a.seq
            """
        ) { row in
            guard stop == nil else { return }
            let source = Source(seq: try row.get(0), lastSeq: try row.get(1), foldSeq: try row.get(2))
            let key = BatchKey(day: day, node: run.node, seq: source.seq)
            // What can't be read stays as it is: a verification names it.
            guard let batch = try? row.withBytes(3, { try RawBatches.decode($0, of: key, columns: .all) }) else {
                stop = source.seq
                return
            }
            bytes += batch.texts.reduce(0) { $0 + $1.bytes.count }
            guard bytes <= maxBytes, builder.count + batch.count <= CompactionRun.maxBeacons else {
                stop = source.seq
                return
            }
            let duplicates = try row.get(4, as: [Int32].self)
            guard duplicates.allSatisfy({ $0 >= 0 && $0 < batch.count }) else {
                stop = source.seq
                return
            }
            let isRepeat = RowSet(duplicates, of: batch.count)
            let kept = (0..<batch.count).map { !isRepeat.contains($0) }
            builder.append(batch) { kept[$0] }
            var inner: BatchParts?
            if let seqs = try row.get(5, as: [Int64]?.self), let ends = try row.get(6, as: [Int32]?.self) {
                inner = BatchParts(seqs: seqs, ends: ends)
            }
            parts.append(lastSeq: source.lastSeq, parts: inner, kept: kept)
            merged.append(source)
        }
        guard merged.count > 1, let first = merged.first, let last = merged.last else {
            // Before the one in the way where it may begin a run, else behind it.
            let seq = stop ?? run.seqs.upperBound
            return Position(node: run.node, seq: merged.isEmpty ? seq : seq - 1)
        }
        let beacons = builder.finish()
        let key = BatchKey(day: day, node: run.node, seq: first.seq)
        try RawBatches.replace(key, by: beacons, lastSeq: last.lastSeq, on: connection)
        try connection.execute(
            """
            UPDATE rollup_folded SET fold_seq = \(merged.map(\.foldSeq).min()!), duplicates = '{}',
                part_seqs = \(parts.seqs), part_ends = \(parts.ends), compacted_at = now()
            WHERE received_day = \(day) AND node = \(run.node) AND seq = \(first.seq)
            """)
        for table in ["analytics_events", "rollup_folded"] {
            try connection.execute(
                """
                DELETE FROM \(unescaped: table)
                WHERE received_day = \(day) AND node = \(run.node) AND seq > \(first.seq) AND seq <= \(last.seq)
                """)
        }
        result.batches += merged.count
        result.merged += 1
        // Again from the merged row, where it is still small.
        return Position(node: run.node, seq: stop.map { $0 - 1 } ?? first.seq - 1)
    }
}
