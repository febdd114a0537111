import Platform
import Storage

/// Attempts to pay that were given up. A call to keep seats may be delayed and arrive after the release of its own
/// attempt: it would keep them for nobody.
enum ReleasedPayments {
    /// A call that was sent arrives within this, or never: Payments confirms within ten minutes.
    static let retentionMs: Int64 = 86_400_000
    /// Forgotten at a time.
    static let maxBatch = 1_000

    /// Under the reservation's lock, as whoever asks for it does.
    static func note(_ paymentId: String, now: Int64, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            INSERT INTO released_payments (payment_id, released_at) VALUES (\(paymentId), \(PostgresTimestamp(ms: now)))
            ON CONFLICT (payment_id) DO NOTHING
            """)
    }

    static func contain(_ paymentId: String, on connection: PostgresConnection) throws -> Bool {
        try !connection.query("SELECT FROM released_payments WHERE payment_id = \(paymentId)").isEmpty
    }

    /// - Returns: how many were old enough, `maxBatch` at most.
    static func forget(now: Int64, on connection: PostgresConnection) throws -> Int {
        try connection.execute(
            """
            DELETE FROM released_payments WHERE payment_id IN (
                SELECT payment_id FROM released_payments
                WHERE released_at <= \(PostgresTimestamp(ms: now - retentionMs)) ORDER BY released_at LIMIT \(maxBatch))
            """)
    }
}
