import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Payments and the rollups hold each other's money to the last won, or what differs is named.
@Suite struct VerifyPaymentsTests {
    @Test func whatPaymentsHasAndTheRollupsHaveAgrees() async throws {
        try await withBooks { books in
            let report = try await books.verify()
            #expect(report.findings.isEmpty, "\(report.findings)")
            #expect((report.payments, report.refunds, report.dirty) == (4, 2, 0))
        }
    }

    @Test(arguments: [
        ("DELETE FROM revenue_ledger WHERE payment_id = 'p1' AND kind = 'payment'", "payment.completed:p1", "missing"),
        (
            "UPDATE revenue_ledger SET amount = amount + 1 WHERE message_id = 'payment.completed:p2'",
            "payment.completed:p2", "amount 50001"
        ),
        ("UPDATE revenue_ledger SET tickets = tickets - 1 WHERE kind = 'refund'", "payment.refunded:r1", "tickets -2"),
        ("UPDATE revenue_ledger SET artist_id = 'else' WHERE payment_id = 'p3'", "payment.completed:p3", "artist else"),
        (
            "UPDATE revenue_ledger SET occurred_at = occurred_at + interval '1 ms' WHERE payment_id = 'p3'",
            "payment.completed:p3", "occurred at"
        ),
        (
            "UPDATE revenue_ledger SET occurred_at = occurred_at + interval '40 days' WHERE payment_id = 'p3'",
            "payment.completed:p3", "occurred at"
        ),
    ])
    func aWrongRowOfTheLedgerIsNamed(statement: String, entity: String, difference: String) async throws {
        try await withBooks { books in
            try await books.analytics.execute("\(unescaped: statement)")
            let findings = try await books.verify().findings
            #expect(
                findings.contains {
                    $0.table == "revenue_ledger" && $0.entity == entity && $0.difference.contains(difference)
                }, "\(findings)")
        }
    }

    @Test(arguments: [
        ("UPDATE payments SET amount = amount + 1 WHERE payment_id = 'p3'", "revenue_ledger", "payment.completed:p3"),
        (
            "UPDATE payments SET approved_at = NULL, state = 'failed' WHERE payment_id = 'p3'", "payments",
            "payment.completed:p3"
        ),
        ("DELETE FROM refunds WHERE refund_id = 'r2'", "refunds", "payment.refunded:r2"),
        ("UPDATE refunds SET amount = amount - 1 WHERE refund_id = 'r2'", "revenue_ledger", "payment.refunded:r2"),
    ])
    func aWrongRowOfPaymentsIsNamed(statement: String, table: String, entity: String) async throws {
        try await withBooks { books in
            try await books.payments.execute("\(unescaped: statement)")
            let findings = try await books.verify().findings
            #expect(findings.contains { $0.table == table && $0.entity == entity }, "\(findings)")
            // And what they add up to.
            #expect(findings.contains { $0.table == "revenue_daily" }, "\(findings)")
        }
    }

    @Test(arguments: ["revenue_hourly", "revenue_daily", "revenue_monthly"])
    func aWrongSumIsNamed(table: String) async throws {
        for statement: SQL in [
            "UPDATE \(unescaped: table) SET tickets = tickets + 1 WHERE currency = 'USD'",
            "DELETE FROM \(unescaped: table) WHERE currency = 'USD'",
            "UPDATE \(unescaped: table) SET event_id = event_id || 'x' WHERE currency = 'USD'",
        ] {
            try await withBooks { books in
                try await books.analytics.execute(statement)
                let findings = try await books.verify().findings
                #expect(!findings.isEmpty && findings.allSatisfy { $0.table == table }, "\(findings)")
            }
        }
    }

    @Test func whatTheOutboxStillHasIsOnTheWay() async throws {
        try await withBooks { books in
            try await books.pay("p9", at: "2025-12-05T12:00:00+09:00", 7_000, isTold: false)
            var report = try await books.verify()
            #expect(
                report.findings.map(\.entity) == ["payment.completed:p9", "KRW artist_1 event_1"]
                    + Array(
                        repeating: "KRW artist_1 event_1", count: 2))
            #expect(report.onTheWay == 0)
            try await books.payments.execute(
                """
                INSERT INTO outbox (message_id, type, occurred_at, data)
                VALUES ('payment.completed:p9', 'payment.completed', now(), '{}'),
                    ('payment.completed:p1', 'payment.completed', now(), '{}')
                """)
            report = try await books.verify()
            #expect(report.findings.isEmpty, "\(report.findings)")
            #expect(report.onTheWay == 1)
        }
    }

    /// Payments' snapshot is the older one: what it hasn't yet is no difference.
    @Test func whatComesMeanwhileIsNoDifference() async throws {
        try await withBooks { books in
            let verifying = try await holding(["LOCK TABLE refunds"], on: books.payments) {
                let verifying = Task { try await books.verify() }
                try await books.payments.untilWaiting(1)
                try await books.pay("p9", at: "2025-12-05T12:00:00+09:00", 7_000)
                _ = try await books.rollup.deriveAll()
                return verifying
            }
            let report = try await verifying.value
            #expect(report.findings.isEmpty, "\(report.findings)")
            #expect((report.payments, report.newer) == (4, 1))
        }
    }

    @Test func whatWaitsToBeDerivedIsNotCompared() async throws {
        try await withBooks { books in
            try await books.pay("p9", at: "2025-12-05T12:00:00+09:00", 7_000)
            let report = try await books.verify()
            #expect(report.findings.isEmpty, "\(report.findings)")
            // An hour, its day, its month.
            #expect(report.dirty == 3)
        }
    }

    @Test func onlyTheDaysThatAreAskedForAreCompared() async throws {
        try await withBooks { books in
            try await books.analytics.execute("UPDATE revenue_daily SET gross = gross + 1 WHERE day = '2025-11-30'")
            try await books.analytics.execute("UPDATE revenue_monthly SET gross = gross + 1 WHERE month = '2025-12-01'")
            func findings(_ first: String, _ last: String) async throws -> [String] {
                try await books.verify(Day(first)!...Day(last)!).findings.map { "\($0.table) \($0.bucket)" }
            }
            #expect(try await findings("2025-12-01", "2025-12-30") == [])
            #expect(try await findings("2025-11-30", "2025-12-01") == ["revenue_daily 2025-11-30"])
            let december = try await findings("2025-12-01", "2025-12-31")
            #expect(!december.isEmpty && december.allSatisfy { $0 == "revenue_monthly 2025-12-01" }, "\(december)")
        }
    }

    @Test func aDemonstrationsPaymentsAreInNoPaymentsDatabase() async throws {
        try await withBooks { books in
            try await books.payments.execute("DELETE FROM payments WHERE payment_id = 'p3'")
            let report = try await books.rollup.verifyPayments(
                nil, payments: books.configuration, isDemonstration: { $0 == "p3" })
            #expect(report.findings.isEmpty, "\(report.findings)")
            #expect((report.payments, report.demonstrated) == (3, 1))
        }
    }

    @Test func moreThanAPageIsComparedInTheOrderOfBytes() async throws {
        try await withBooks { books in
            let count = MoneyCursor.maxPage * 2 + 1
            // Ids that collations put elsewhere than bytes do.
            try await books.payments.execute(
                """
                INSERT INTO payments (payment_id, order_id, reservation_id, user_id, event_id, artist_id, title, tickets,
                    amount, currency, state, payment_key, approved_at, deadline_at, created_at, updated_at)
                SELECT chr(65 + (n % 26)::int) || chr(97 + (n % 7)::int) || '-' || n, 'order-' || n, 'r' || n, 'u', 'e' || n % 3, 'a', 't',
                    1, n, 'KRW', 'ticketed', 'key', '2025-12-10T00:00Z', now(), now(), now()
                FROM generate_series(1, \(count)) n
                """)
            try await books.analytics.execute(
                """
                INSERT INTO revenue_ledger (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id,
                    orders, tickets, amount)
                SELECT 'payment.completed:' || id, 'payment', '2025-12-10T00:00Z', 'a', 'e' || n % 3, 'KRW', id, 1, 1, n
                FROM (SELECT chr(65 + (n % 26)::int) || chr(97 + (n % 7)::int) || '-' || n AS id, n FROM generate_series(1, \(count)) n) k
                """)
            try await books.analytics.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket)
                VALUES ('hour', 'revenue', '', '2025-12-10T00:00Z')
                """)
            _ = try await books.rollup.deriveAll()
            let report = try await books.verify()
            #expect(report.findings.isEmpty, "\(report.findings.prefix(3))")
            #expect(report.payments == 4 + count)
        }
    }

    @Test func findingsHaveABound() async throws {
        try await withBooks { books in
            try await books.analytics.execute(
                """
                INSERT INTO revenue_ledger (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id,
                    orders, tickets, amount)
                SELECT 'm' || n, 'payment', '2025-12-10T00:00Z', 'a', 'e', 'KRW', 'p', 1, 1, n
                FROM generate_series(1, \(Verify.maxFindings + 1)) n
                """)
            #expect(try await books.verify().findings.count == Verify.maxFindings)
        }
    }
}

// MARK: Books

/// Both databases, with some payments and refunds of two months.
private struct Books {
    let analytics: PostgresPool
    let payments: PostgresPool
    let configuration: PostgresConfiguration
    let rollup: Rollup

    func verify(_ range: ClosedRange<Day>? = nil) async throws -> VerifyPayments.Report {
        try await rollup.verifyPayments(range, payments: configuration)
    }

    func pay(
        _ id: String, at: String, _ amount: Int64, _ currency: String = "KRW", tickets: Int64 = 1, isTold: Bool = true
    ) async throws {
        let instant = Instant.parse(at)!
        try await payments.execute(
            """
            INSERT INTO payments (payment_id, order_id, reservation_id, user_id, event_id, artist_id, title, tickets,
                amount, currency, state, payment_key, approved_at, deadline_at, created_at, updated_at)
            VALUES (\(id), \("order-\(id)"), \("reservation-\(id)"), 'user', 'event_1', 'artist_1', 'title',
                \(Int32(tickets)), \(amount), \(currency), 'ticketed', 'key', \(PostgresTimestamp(ms: instant)), now(),
                now(), now())
            """)
        guard isTold else { return }
        try await tell(
            "payment.completed:\(id)", instant,
            .paymentCompleted(
                .init(
                    paymentId: id, eventId: "event_1", artistId: "artist_1", amount: amount, currency: currency,
                    tickets: tickets)))
    }

    func refund(_ id: String, of payment: String, at: String, _ amount: Int64, tickets: Int64) async throws {
        let instant = Instant.parse(at)!
        try await payments.execute(
            """
            INSERT INTO refunds (refund_id, payment_id, request_key, amount, tickets, reason, state, completed_at,
                created_at, updated_at)
            VALUES (\(id), \(payment), \(id), \(amount), \(Int32(tickets)), 'buyer', 'done',
                \(PostgresTimestamp(ms: instant)), now(), now())
            """)
        try await tell(
            "payment.refunded:\(id)", instant,
            .paymentRefunded(
                .init(
                    refundId: id, paymentId: payment, eventId: "event_1", artistId: "artist_1", amount: amount,
                    currency: "KRW", tickets: tickets)))
    }

    private func tell(_ id: String, _ instant: Int64, _ body: Message.Body) async throws {
        try await analytics.withConnection { connection in
            _ = try connection.transaction {
                try MessageEffects.store([Message(id: id, occurredAt: instant, body: body)], on: $0)
            }
        }
    }
}

private func withBooks(_ body: (Books) async throws -> Void) async throws {
    try await withAnalyticsDatabase { _, analytics in
        try await withDatabase(of: .payments) { configuration, payments in
            let books = Books(
                analytics: analytics, payments: payments, configuration: configuration,
                rollup: RollupFixture(pool: analytics).rollup)
            try await books.pay("p1", at: "2025-11-30T23:59:59+09:00", 100_000)
            try await books.pay("p2", at: "2025-12-01T00:00:00+09:00", 50_000, tickets: 2)
            try await books.pay("p3", at: "2025-12-01T00:30:00+09:00", 50_000, tickets: 3)
            try await books.pay("p4", at: "2025-12-02T00:45:00+09:00", 1234, "USD")
            try await books.refund("r1", of: "p1", at: "2025-12-31T23:59:59.999+09:00", 70_000, tickets: 1)
            try await books.refund("r2", of: "p2", at: "2026-01-01T00:00:00+09:00", 20_000, tickets: 1)
            _ = try await books.rollup.run()
            try await body(books)
        }
    }
}
