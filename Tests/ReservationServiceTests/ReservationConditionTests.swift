import Storage
import TestSupport
import Testing

@testable import ReservationService

/// What the database refuses, whoever writes it.
struct ReservationConditionTests {
    @Test(arguments: [
        "seat_ids = '{}', prices = '{}'", "prices = '{1,2}'", "amount = -1", "state = 'sold'", "state = 'confirming'",
        "state = 'paid', payment_id = 'p'", "state = 'paid', paid_at = now()",
    ])
    func aReservationThatCanNotBeIsRefused(change: String) async throws {
        try await withDatabase(of: .reservations) { _, pool in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection { connection in
                    try connection.execute(
                        """
                        INSERT INTO reservations (id, event_id, artist_id, user_id, state, seat_ids, prices, amount,
                            currency, expires_at, policy, created_at, changed_at)
                        VALUES ('r', 'e', 'a', 'u', 'held', '{s}', '{1}', 1, 'KRW', now(), '{}', now(), now())
                        """)
                    for good in [
                        "state = 'confirming', payment_id = 'p'", "state = 'paid', paid_at = now()",
                        "state = 'canceled'", "state = 'expired', payment_id = NULL, paid_at = NULL",
                    ] {
                        try connection.execute("UPDATE reservations SET \(unescaped: good)")
                    }
                    try connection.execute("UPDATE reservations SET \(unescaped: change)")
                }
            }
            #expect(error?.sqlState == "23514", "\(change)")
        }
    }
}
