import Platform
import Storage

/// Attempts to pay that were given up, or given back. A call to keep seats, or to sell them, may be delayed and arrive
/// after that: it would keep them for nobody, or sell them for money that is gone.
enum ReleasedPayments {
    /// A call that was sent arrives within this, or never: Payments confirms within ten minutes.
    static let retentionMs: Int64 = 86_400_000
    /// Forgotten at a time.
    static let maxBatch = 1_000

    /// Under the reservation's lock, as whoever asks for it does.
    ///
    /// - Parameter isReturned: whether its money was given back, and buys nothing any more.
    static func note(
        _ paymentId: String, isReturned: Bool = false, now: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO released_payments AS r (payment_id, released_at, is_returned)
            VALUES (\(paymentId), \(PostgresTimestamp(ms: now)), \(isReturned))
            ON CONFLICT (payment_id) DO UPDATE SET is_returned = true, released_at = EXCLUDED.released_at
                WHERE \(isReturned) AND NOT r.is_returned
            """)
    }

    static func contain(_ paymentId: String, on connection: PostgresConnection) throws -> Bool {
        try !connection.query("SELECT FROM released_payments WHERE payment_id = \(paymentId)").isEmpty
    }

    static func containReturned(_ paymentId: String, on connection: PostgresConnection) throws -> Bool {
        try !connection.query("SELECT FROM released_payments WHERE payment_id = \(paymentId) AND is_returned").isEmpty
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
