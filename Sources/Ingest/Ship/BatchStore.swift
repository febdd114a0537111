package import Core
package import Storage

/// The statements that put a batch into Postgres.
package enum BatchStore {
    /// A batch ready to be stored; its name (day, node, seq) was chosen before the first attempt.
    package struct Batch: Sendable {
        package var node: String
        package var firstSeq: Int64
        package var lastSeq: Int64
        /// Receipt of its first beacon, milliseconds since 1970; its UTC day picks the partition.
        package var receivedAt: Int64
        package var minTime: Int64
        package var maxTime: Int64
        package var beacons: Int
        package var block: EncodedBlock
        /// Nil where there is none.
        package var filter: [UInt8]?

        package init(node: String, firstSeq: Int64, lastSeq: Int64, receivedAt: Int64, encoding beacons: BeaconBatch) {
            self.node = node
            self.firstSeq = firstSeq
            self.lastSeq = lastSeq
            self.receivedAt = receivedAt
            self.beacons = beacons.count
            minTime = beacons.timestamp.min() ?? receivedAt
            maxTime = beacons.timestamp.max() ?? receivedAt
            block = BatchBlock.encode(beacons)
            filter = EntityFilter.encode(beacons, ofBlock: block.crc)
        }

        package var receivedDay: Day { Day(daysSince1970: Int(floorDiv(receivedAt, 86_400_000))) }
    }

    /// Stores a batch with its pending row, and moves the node's position, in one transaction.
    ///
    /// - Parameters:
    ///   - expected: the position the caller believes Postgres has; nil for a node that has none.
    ///   - shippedThrough: every beacon the node acknowledged before this instant is then stored.
    ///   - ended: nodes that are finished with this batch: they hold no answer back any more.
    /// - Returns: false where the position was another: nothing was stored, read the position again.
    /// - Throws: a unique violation where a batch of this name is there already although the position says otherwise.
    package static func store(
        _ batch: Batch, expected: Int64?, shippedThrough: Int64, ended: [String] = [],
        on connection: PostgresConnection
    ) throws -> Bool {
        let rows = try connection.query(
            """
            WITH position AS (
                INSERT INTO spool_positions AS p (node, last_seq, shipped_through)
                VALUES (\(batch.node), \(batch.lastSeq), \(PostgresTimestamp(ms: shippedThrough)))
                ON CONFLICT (node) DO UPDATE
                SET last_seq = EXCLUDED.last_seq, shipped_through = EXCLUDED.shipped_through, updated_at = now()
                WHERE p.last_seq = \(expected)
                RETURNING 1
            ), batch AS (\(sql: insert(batch, from: "position"))), pending AS (\(sql: insertPending())),
            ended AS (
                UPDATE spool_positions SET shipped_through = 'infinity', updated_at = now()
                WHERE node = ANY(\(ended)) AND node <> \(batch.node) AND EXISTS (SELECT 1 FROM position)
            )
            SELECT count(*) FROM position
            """)
        if CrashPoint.batchCommitted.reached() { throw PostgresError(.unavailable, "the answer was lost") }
        return try rows[0].get(0, as: Int64.self) == 1
    }

    /// Stores a batch that comes from no spool, with its pending row; false where one of this name is there already.
    package static func storeImported(_ batch: Batch, on connection: PostgresConnection) throws -> Bool {
        let rows = try connection.query(
            """
            WITH new AS (
                SELECT 1 WHERE NOT EXISTS (
                    SELECT 1 FROM analytics_events WHERE node = \(batch.node) AND seq = \(batch.firstSeq))
            ), batch AS (\(sql: insert(batch, from: "new", onConflict: "ON CONFLICT DO NOTHING"))), pending AS (\(sql: insertPending()))
            SELECT count(*) FROM batch
            """)
        return try rows[0].get(0, as: Int64.self) == 1
    }

    private static func insert(_ batch: Batch, from source: String, onConflict: String = "") -> SQL {
        """
        INSERT INTO analytics_events
            (received_day, node, seq, last_seq, received_at, min_time, max_time, beacons, schema_version, crc, payload,
            entity_filter)
        SELECT \(batch.receivedDay), \(batch.node), \(batch.firstSeq), \(batch.lastSeq),
            \(PostgresTimestamp(ms: batch.receivedAt)), \(PostgresTimestamp(ms: batch.minTime)),
            \(PostgresTimestamp(ms: batch.maxTime)), \(Int32(batch.beacons)), \(BatchBlock.schemaVersion),
            \(Int64(batch.block.crc)), \(batch.block.bytes), \(batch.filter)
        FROM \(unescaped: source)
        \(unescaped: onConflict)
        RETURNING received_day, node, seq, beacons, received_at
        """
    }

    private static func insertPending() -> SQL {
        """
        INSERT INTO rollup_pending (received_day, node, seq, beacons, received_at)
        SELECT received_day, node, seq, beacons, received_at FROM batch
        """
    }

    /// The last number stored of each of this node's spool identities, by node name.
    package static func positions(ofNode prefix: String, on connection: PostgresConnection) throws -> [String: Int64] {
        var positions: [String: Int64] = [:]
        for row in try connection.query(
            "SELECT node, last_seq FROM spool_positions WHERE starts_with(node, \(prefix))")
        {
            positions[try row.get(0)] = try row.get(1)
        }
        return positions
    }

    /// The highest number among the node's batches; nil where there is none. Reads every partition's index.
    package static func lastStored(ofNode node: String, on connection: PostgresConnection) throws -> Int64? {
        try connection.query("SELECT max(last_seq) FROM analytics_events WHERE node = \(node)")[0].get(0)
    }

    /// Makes a node known before it acknowledges anything, so that answers are never said to be fresher than it is.
    package static func register(
        node: String, lastSeq: Int64, shippedThrough: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO spool_positions AS p (node, last_seq, shipped_through)
            VALUES (\(node), \(lastSeq), \(PostgresTimestamp(ms: shippedThrough)))
            ON CONFLICT (node) DO UPDATE SET shipped_through = EXCLUDED.shipped_through, updated_at = now()
            """)
    }

    /// Sets a node's position to what its batches say, for good where the two disagree.
    ///
    /// - Returns: the position before and after; nil where the node has none.
    package static func verifyPosition(
        ofNode node: String, on connection: PostgresConnection
    ) throws -> (before: Int64, after: Int64)? {
        // A statement of ours that is under way somewhere is over once the row is locked.
        let rows = try connection.query("SELECT last_seq FROM spool_positions WHERE node = \(node) FOR UPDATE")
        guard rows.count > 0 else { return nil }
        let before = try rows[0].get(0, as: Int64.self)
        let after = try lastStored(ofNode: node, on: connection) ?? 0
        if before != after {
            try connection.execute("UPDATE spool_positions SET last_seq = \(after) WHERE node = \(node)")
        }
        return (before, after)
    }

    /// How long the row of a finished life is kept: counters that remember its batches live less long.
    private static let keepFinished = "5 days"

    /// Ends the earlier lives of a spool directory that have nothing in it any more: they hold no answer back. Rows of
    /// those that stored nothing go at once, the others when nothing remembers them.
    ///
    /// - Parameters:
    ///   - prefix: of the names of the directory's lives.
    ///   - nodes: those that the spool still holds.
    package static func finishLives(
        ofDirectory prefix: String, except nodes: [String], on connection: PostgresConnection
    ) throws {
        // 12 further digits: another node's name may begin alike.
        try connection.execute(
            """
            DELETE FROM spool_positions
            WHERE starts_with(node, \(prefix)) AND length(node) = length(\(prefix)) + 12 AND node <> ALL(\(nodes))
                AND (last_seq = 0
                    OR (shipped_through = 'infinity' AND updated_at < now() - \(keepFinished)::text::interval))
            """)
        try connection.execute(
            """
            UPDATE spool_positions SET shipped_through = 'infinity', updated_at = now()
            WHERE starts_with(node, \(prefix)) AND length(node) = length(\(prefix)) + 12 AND node <> ALL(\(nodes))
                AND shipped_through <> 'infinity'
            """)
    }

    /// Says how far a node has shipped; `Int64.max` where it has drained.
    ///
    /// - Returns: false, and nothing said, where Postgres does not stand at `lastSeq`: it lost what it had committed.
    package static func advance(
        node: String, lastSeq: Int64, shippedThrough: Int64, on connection: PostgresConnection
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE spool_positions SET shipped_through = \(PostgresTimestamp(ms: shippedThrough)), updated_at = now()
            WHERE node = \(node) AND last_seq = \(lastSeq)
            """) == 1
    }

    /// Makes the partition of a day of receipt; true when it was missing.
    package static func ensurePartition(of day: Day, on connection: PostgresConnection) throws -> Bool {
        try connection.query("SELECT ensure_events_partition(\(day))")[0].get(0)
    }
}
