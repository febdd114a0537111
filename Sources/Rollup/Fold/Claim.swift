import Core
import Storage

/// Batches taken from the pending ledger, decoded.
struct Claim {
    /// One transaction folds at most this many batches, and no further batch once it has this many beacons.
    static let maxBatches = 256
    static let maxBeacons = 300_000

    /// What a batch is taken to hold before any is known: the size that shippers aim at.
    static let expectedBeacons = 32_768

    static let columns = Fold.columns.union(RepeatedMessages.columns)

    struct Batch {
        var key: BatchKey
        var beacons: BeaconBatch

        /// Whether a beacon counts, or claims to have been, in `instants`.
        func holds(_ instants: Range<Int64>) -> Bool {
            beacons.timestamp.contains { instants.contains($0) } || beacons.claimed.contains { instants.contains($0) }
        }
    }

    var batches: [Batch] = []
    /// Those that can't be read, already set aside.
    var damaged: [DamagedBatches.Finding] = []

    /// Deletes the oldest pending rows that no other runner holds; they come back if the transaction ends without
    /// a commit.
    init(maxBatches: Int = Self.maxBatches, on connection: PostgresConnection) throws {
        var keys: [BatchKey] = []
        var beacons = 0
        while keys.count < maxBatches, beacons < Self.maxBeacons {
            // No more than will be taken, or nearly: a row that is locked is one that other runners pass over.
            let expected = keys.isEmpty ? Self.expectedBeacons : max(1, beacons / keys.count)
            let limit = min(maxBatches - keys.count, (Self.maxBeacons - beacons + expected - 1) / expected)
            let candidates = try connection.query(
                """
                SELECT received_day, node, seq, beacons FROM rollup_pending
                WHERE (received_day, node, seq) NOT IN (
                    SELECT * FROM unnest(\(keys.map(\.day)), \(keys.map(\.node)), \(keys.map(\.seq))))
                ORDER BY received_at, received_day, node, seq LIMIT \(limit) FOR UPDATE SKIP LOCKED
                """)
            for row in candidates where beacons < Self.maxBeacons {
                keys.append(BatchKey(day: try row.get(0), node: try row.get(1), seq: try row.get(2)))
                beacons += try row.get(3, as: Int.self)
            }
            if candidates.count < limit { break }
        }
        guard !keys.isEmpty else { return }
        for key in keys {
            do {
                batches.append(
                    Batch(key: key, beacons: try RawBatches.load(key, columns: Self.columns, on: connection)))
            } catch let error as RawBatches.Unreadable {
                damaged.append(.init(key: key, reason: error.reason))
            }
        }
        try DamagedBatches.setAside(damaged, on: connection)
        try connection.execute(
            """
            DELETE FROM rollup_pending p
            USING unnest(\(keys.map(\.day)), \(keys.map(\.node)), \(keys.map(\.seq))) AS k (received_day, node, seq)
            WHERE (p.received_day, p.node, p.seq) = (k.received_day, k.node, k.seq)
            """)
    }
}
