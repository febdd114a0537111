import Storage
import TestSupport
import Testing

@testable import PaymentService

/// What is asked often finds its rows by an index.
struct PaymentPlanTests {
    @Test(arguments: [
        (
            "payments_due",
            "SELECT payment_id FROM payments WHERE next_run_at <= now() AND lease_until <= now() ORDER BY next_run_at LIMIT 16"
        ),
        (
            "payments_refund_due",
            "SELECT payment_id FROM payments WHERE refund_due_at <= now() AND lease_until <= now() ORDER BY refund_due_at LIMIT 16"
        ),
        ("refunds_refused", "SELECT count(*) FROM refunds WHERE state = 'refused'"),
        ("payments_order_id_key", "SELECT FROM payments WHERE order_id = 'x'"),
        ("payments_of_reservation", "SELECT FROM payments WHERE reservation_id = 'x'"),
        (
            "payments_of_user",
            "SELECT FROM payments WHERE true AND user_id = 'x' ORDER BY created_at DESC, payment_id DESC LIMIT 21"
        ),
        ("payments_newest", "SELECT FROM payments WHERE true ORDER BY created_at DESC, payment_id DESC LIMIT 21"),
        ("payments_stuck", "SELECT count(*) FROM payments WHERE stuck_reason IS NOT NULL"),
        ("webhooks_waiting", "SELECT FROM webhooks WHERE state = 'waiting' ORDER BY seq LIMIT 100"),
        (
            "payments_approved",
            "SELECT FROM payments WHERE approved_at >= now() AND approved_at < now() + interval '1 day'"
        ),
    ])
    func aStatementUsesItsIndex(index: String, statement: String) async throws {
        try await withDatabase(of: .payments) { _, pool in
            let plan = try await pool.withConnection { connection in
                try connection.transaction { connection in
                    // On tables this small a scan is cheaper.
                    try connection.execute("SET LOCAL enable_seqscan = off")
                    try connection.execute("SET LOCAL enable_sort = off")
                    return try connection.query("EXPLAIN \(unescaped: statement)").map {
                        try $0.get(0, as: String.self)
                    }
                    .joined(separator: "\n")
                }
            }
            #expect(plan.contains(index), "\(plan)")
        }
    }
}
