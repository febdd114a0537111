import Rollup
import Storage

/// What became of batches after they were stored.
enum ImportedBatches {
    /// Waits between two looks at batches that another runner holds.
    static let lookAgain: Duration = .milliseconds(200)
    static let maxLooks = 3000

    /// Folds until nothing imported is pending, also where another runner has claimed some of it.
    ///
    /// - Parameter progress: called now and then with the number of batches that still wait.
    /// - Returns: false where another runner has not come to an end with them.
    static func fold(
        with rollup: Rollup, pool: PostgresPool, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Bool {
        for _ in 0..<maxLooks {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        if let pending = try? await pending(pool) { progress(pending) }
                        try? await Task.sleep(for: lookAgain)
                    }
                }
                _ = try await rollup.run()
                group.cancelAll()
            }
            if try await pending(pool) == 0 { return true }
            try await Task.sleep(for: lookAgain)
        }
        return false
    }

    static func pending(_ pool: PostgresPool) async throws -> Int {
        try await pool.withConnection { connection in
            try connection.query("SELECT count(*) FROM rollup_pending WHERE node = \(AccessLogImport.node)")[0].get(0)
        }
    }

    /// How many beacons of these batches had come before, in another batch.
    static func repeats(in seqs: [Int64], pool: PostgresPool) async throws -> Int {
        try await pool.withConnection { connection in
            try connection.query(
                """
                SELECT coalesce(sum(cardinality(duplicates)), 0)::bigint FROM rollup_folded
                WHERE node = \(AccessLogImport.node) AND seq = ANY (\(seqs))
                """)[0].get(0)
        }
    }
}
