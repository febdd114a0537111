import Storage
import TestSupport
import Testing

@testable import PaymentService

/// What the database refuses, whoever writes it.
struct PaymentConditionTests {
    @Test(arguments: [
        "order_id = 'short'", "order_id = 'with a space'", "tickets = 0", "amount = 0", "currency = 'won'",
        "refund_committed = amount + 1", "refund_committed = -1", "refunded = 1", "refunded = -1", "state = 'sold'",
        "state = 'confirming'", "state = 'confirming', payment_key = 'k', approved_at = now()", "state = 'paid'",
        "state = 'paid', payment_key = 'k'", "state = 'ticketed', approved_at = now()", "approved_at = now()",
    ])
    func aPaymentThatCanNotBeIsRefused(change: String) async throws {
        try await withDatabase(of: .payments) { _, pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection { connection in
                    try connection.execute(
                        """
                        INSERT INTO payments (payment_id, order_id, reservation_id, user_id, event_id, artist_id, title,
                            tickets, amount, currency, state, deadline_at, created_at, updated_at)
                        VALUES ('p', 'an-order', 'r', 'u', 'e', 'a', 't', 1, 100, 'KRW', 'ready', now(), now(), now())
                        """)
                    for good in [
                        "state = 'confirming', payment_key = 'k'",
                        "state = 'ticketed', approved_at = now(), refund_committed = 100, refunded = 50",
                        "state = 'failed', approved_at = NULL, payment_key = NULL, refund_committed = 0, refunded = 0",
                    ] {
                        try connection.execute("UPDATE payments SET \(unescaped: good)")
                    }
                    try connection.execute("UPDATE payments SET \(unescaped: change)")
                }
            }
            #expect(error?.sqlState == "23514", "\(change)")
        }
    }
}
