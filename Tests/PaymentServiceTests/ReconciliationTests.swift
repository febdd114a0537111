import Core
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

@Suite(.timeLimit(.minutes(5))) struct ReconciliationTests {
    @Test func daysAreThoseOfSeoul() {
        let day = Day(year: 2026, month: 3, day: 2)!
        #expect(Reconciliation.day(at: TestClock.start) == day)
        let range = Reconciliation.range(of: day)
        #expect(Instant.iso8601(range.lowerBound) == "2026-03-01T15:00:00.000Z")
        #expect(Reconciliation.day(at: range.lowerBound) == day)
        #expect(Reconciliation.day(at: range.lowerBound - 1) == day - 1)
        #expect(Reconciliation.day(at: range.upperBound) == day + 1)
    }

    @Test func eachKindOfDifferenceIsFound() {
        func transaction(_ key: String, _ order: String, _ status: String, _ amount: Int64) -> TossTransaction {
            TossTransaction(
                transactionKey: key, paymentKey: "p", orderId: order, status: status, amount: amount, transactionAt: "")
        }
        func payment(_ order: String, _ amount: Int64, approved: Bool = true, ofDay: Bool = true) -> Comparison.Payment
        {
            .init(paymentId: order, orderId: order, amount: amount, isApproved: approved, isOfDay: ofDay)
        }
        let found = Comparison.differences(
            [
                transaction("t1", "right", "DONE", 100), transaction("t2", "unknown", "DONE", 100),
                transaction("t3", "cheap", "DONE", 90), transaction("t4", "failed", "DONE", 100),
                transaction("t5", "right", "PARTIAL_CANCELED", -10), transaction("t6", "right", "CANCELED", -20),
                transaction("t7", "right", "CANCELED", -30), transaction("t8", "yesterday", "DONE", 100),
                transaction("t9", "waiting", "WAITING_FOR_DEPOSIT", 100),
            ],
            payments: [
                payment("right", 100), payment("cheap", 100), payment("failed", 100, approved: false),
                payment("vanished", 100), payment("yesterday", 100, ofDay: false),
                payment("other day", 100, ofDay: false),
            ],
            refunds: [
                .init(refundId: "r5", orderId: "right", amount: 10, transactionKey: "t5", isOfDay: true),
                .init(refundId: "r6", orderId: "right", amount: 25, transactionKey: "t6", isOfDay: true),
                .init(refundId: "gone", orderId: "right", amount: 1, transactionKey: "t0", isOfDay: true),
            ])
        #expect(
            found.map { "\($0.kind.rawValue) \($0.reference)" } == [
                "missing_here transaction:t2", "amount_differs payment:cheap", "state_differs payment:failed",
                "amount_differs refund:r6", "missing_here transaction:t7", "missing_at_toss payment:vanished",
                "missing_at_toss refund:gone",
            ])
    }

    @Test func aDayIsHeldAgainstTosssListAndWhatTossKnowsIsTakenOver() async throws {
        try await PaymentFixture.run { fixture in
            _ = try await fixture.bought()
            // Confirmed at Toss without us; and one of another shop's.
            let lost = try await fixture.order()
            let key = try await fixture.pay(lost)
            try await fixture.toss(
                .POST, "/v1/payments/confirm",
                #"{"paymentKey":"\#(key)","orderId":"\#(lost.orderId)","amount":110000}"#)
            let stranger = PaymentFixture.Order(reservation: "", paymentId: "", orderId: "another-shop", amount: 500)
            let strangers = try await fixture.pay(stranger)
            try await fixture.toss(
                .POST, "/v1/payments/confirm", #"{"paymentKey":"\#(strangers)","orderId":"another-shop","amount":500}"#)
            // Ours alone: as if Toss had lost it.
            let vanished = try await fixture.bought()
            try await fixture.postgres.withConnection { connection in
                _ = try connection.execute(
                    "UPDATE payments SET order_id = 'vanished' WHERE payment_id = \(vanished.paymentId)")
            }
            let day = Reconciliation.day(at: fixture.clock.now)
            let found = try await fixture.service.reconciliation.run(day)
            #expect(Set(found.map(\.kind)) == [.stateDiffers, .missingHere, .missingAtToss])
            #expect(found.count == 4)
            try await fixture.settle(turns: 2, stepMs: 6_000)
            #expect(try await fixture.state(lost) == "ticketed")
            #expect(try await fixture.service.reconciliation.run(day).count == 3)
            let resolved = try await fixture.postgres.withConnection {
                try $0.query("SELECT count(*) FROM reconciliation_differences WHERE resolved_at IS NOT NULL")[0]
                    .get(0, as: Int.self)
            }
            #expect(resolved == 1)
        }
    }

    /// As an operator runs it.
    @Test func theCommandPrintsEachDifference() async throws {
        try await PaymentFixture.run { fixture in
            _ = try await fixture.bought()
            @Sendable func reconcile(
                _ day: String, toss: Int? = nil
            ) async throws -> (ending: RunningProgram.Ending, output: String, error: String) {
                try await withTemporaryFolder { folder in
                    try await RunningProgram.run(
                        ["payments", "reconcile", "--day", day],
                        settings: [
                            "PAYMENTS_DATABASE_URL": fixture.database.url, "TOSS_SECRET_KEY": PaymentFixture.secretKey,
                            "TOSS_API_URL": "http://localhost:\(toss ?? fixture.tossPort)", "LOG_LEVEL": "critical",
                        ], name: "reconcile", in: folder)
                }
            }
            let right = try await reconcile("2026-03-02")
            #expect(right.ending == .exited(0) && right.output == "no differences\n", "\(right)")
            let vanished = try await fixture.bought(amount: 5_000)
            try await fixture.postgres.withConnection { connection in
                _ = try connection.execute(
                    "UPDATE payments SET order_id = 'vanished' WHERE payment_id = \(vanished.paymentId)")
            }
            let wrong = try await reconcile("2026-03-02")
            #expect(wrong.ending == .exited(1), "\(wrong)")
            let lines = wrong.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(
                lines.contains("missing_at_toss payment:\(vanished.paymentId) order vanished here 5000 at Toss -"),
                "\(wrong)")
            #expect(lines.contains { $0.hasPrefix("missing_here transaction:") }, "\(wrong)")
            #expect(try await reconcile("2026-03-32").ending == .exited(2))
            // Port 1 is nobody's.
            #expect(try await reconcile("2026-03-02", toss: 1).ending == .exited(75))
        }
    }

    @Test func aDayOfTooManyTransactionsSaysSo() async throws {
        try await PaymentFixture.run({ $0.tossTimeoutMs = 30_000 }) { fixture in
            for _ in 0..<3 { _ = try await fixture.bought() }
            let day = Reconciliation.day(at: fixture.clock.now)
            func compared(_ maxTransactions: Int) async throws -> [Difference] {
                var bounded = fixture.service.reconciliation
                bounded.maxTransactions = maxTransactions
                return try await bounded.run(day)
            }
            await #expect(throws: Reconciliation.Unfinished.self) { try await compared(2) }
            #expect(try await compared(3).isEmpty)
        }
    }

    @Test func eachDayIsComparedByItselfOnce() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            fixture.clock.advance(86_400_000)
            try await fixture.service.reconciliation.runDue()
            func runs() async throws -> [String] {
                try await fixture.postgres.withConnection {
                    try $0.query(
                        "SELECT day::text || ' ' || compared || ' ' || differences FROM reconciliation_runs ORDER BY day"
                    ).map { try $0.get(0) }
                }
            }
            let first = try await runs()
            #expect(first.count == Reconciliation.maxCatchUpDays)
            #expect(first.last == "2026-03-02 1 0")
            #expect(try await fixture.money(order) == (110_000, 0))
            try await fixture.service.reconciliation.runDue()
            #expect(try await runs() == first)
        }
    }
}
