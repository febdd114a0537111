import Core
import Logging
import Platform
import Storage

/// Ends holds whose time is over. It touches nothing that is being paid, and sales don't wait for it.
struct Sweeper: Sendable {
    static let maxBatch = 200

    let store: ReservationStore

    /// Ends some, skipping those that somebody else is at.
    ///
    /// - Returns: how many it found.
    func step() async throws -> Int {
        let now = store.clock()
        return try await store.transaction { connection in
            let ids = try connection.query(Self.overdue(now)).map { try $0.get(0, as: String.self) }
            guard !ids.isEmpty else { return 0 }
            _ = try connection.query(
                "SELECT expire_holds(\(ids), NULL, NULL, \(PostgresTimestamp(ms: now)))")
            ReservationCrashPoint.expiryWritten.reached()
            return ids.count
        }
    }

    static func overdue(_ now: Int64) -> SQL {
        """
        SELECT id FROM reservations WHERE state = 'held' AND expires_at <= \(PostgresTimestamp(ms: now))
        ORDER BY expires_at LIMIT \(maxBatch) FOR UPDATE SKIP LOCKED
        """
    }
}
