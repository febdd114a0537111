import Testing

@testable import PaymentService

/// Every state with every event: what is not in the table changes nothing.
struct PaymentSagaTests {
    private typealias State = PaymentSaga.State
    private typealias Event = PaymentSaga.Event

    private static let events: [PaymentSaga.Event] = [
        .confirmAsked, .guardRefused("x"), .approved, .approvedAndSold, .approvedAndCanceled, .refused("x"), .sold,
        .seatsLost, .released, .abandoned,
    ]

    private static let table: [String: (PaymentSaga.State, [PaymentSaga.Command])] = [
        "ready confirmAsked": (.confirming, []),
        "ready abandoned": (.failed, [.recordFailure("abandoned")]),
        "ready refused(\"x\")": (.failed, [.recordFailure("x")]),
        "ready approved": (.paid, [.recordApproval]),
        "ready approvedAndCanceled": (.unfulfilled, [.recordApproval]),
        "confirming guardRefused(\"x\")": (.releasing, [.recordFailure("x")]),
        "confirming refused(\"x\")": (.releasing, [.recordFailure("x")]),
        "confirming approved": (.paid, [.recordApproval]),
        "confirming approvedAndSold": (.ticketed, [.recordApproval, .recordTickets]),
        "confirming approvedAndCanceled": (.returning, [.recordApproval]),
        "releasing released": (.failed, []),
        "releasing approved": (.paid, [.recordApproval]),
        "releasing approvedAndCanceled": (.returning, [.recordApproval]),
        "failed approved": (.paid, [.recordApproval]),
        "failed approvedAndCanceled": (.unfulfilled, [.recordApproval]),
        "returning released": (.unfulfilled, []),
        "paid sold": (.ticketed, [.recordTickets]),
        "paid seatsLost": (.returning, [.refundAll]),
    ]

    @Test func everyEventInEveryStateDoesWhatTheTableSays() {
        var seen = 0
        for state in PaymentSaga.State.allCases {
            for event in Self.events {
                let expected = Self.table["\(state) \(event)"]
                let transition = PaymentSaga.next(state, event)
                #expect(transition?.state == expected?.0, "\(state) \(event)")
                #expect(transition?.commands ?? [] == expected?.1 ?? [], "\(state) \(event)")
                if expected != nil { seen += 1 }
            }
        }
        #expect(seen == Self.table.count)
    }

    /// Money that was taken is never forgotten, and taken once.
    @Test func whatHasTakenMoneyNeverGoesBack() {
        for state in PaymentSaga.State.allCases where PaymentSaga.hasTakenMoney(state) {
            for event in Self.events {
                guard let transition = PaymentSaga.next(state, event) else { continue }
                #expect(PaymentSaga.hasTakenMoney(transition.state))
                #expect(!transition.commands.contains(.recordApproval))
            }
        }
    }

    @Test func waitsBetweenAttemptsAreBounded() {
        #expect(PaymentTimes.backoff(0) == 500)
        #expect(PaymentTimes.backoff(3) == 4_000)
        #expect(PaymentTimes.backoff(1_000_000) == PaymentTimes.backoff.upperBound)
    }

    @Test func aRefundsStepFollowsFromWhatTossSaid() {
        let payment = TossPayment(
            paymentKey: "k", orderId: "o", status: .partialCanceled, totalAmount: 100, balanceAmount: 60,
            cancels: [
                .init(transactionKey: "known", cancelAmount: 20, canceledAt: ""),
                .init(transactionKey: "ours", cancelAmount: 20, canceledAt: ""),
            ])
        func event(_ outcome: TossOutcome, amount: Int64 = 20) -> RefundMachine.Event {
            RefundMachine.event(of: outcome, amount: amount, known: ["known"])
        }
        #expect(event(.ok(payment)) == .found(transactionKey: "ours"))
        // An answer that doesn't show it proves nothing.
        #expect(event(.ok(payment), amount: 30) == .unknown(nil))
        #expect(
            event(.refused(code: "FORBIDDEN_CONSECUTIVE_REQUEST", .later)) == .notNow("FORBIDDEN_CONSECUTIVE_REQUEST"))
        #expect(event(.refused(code: "UNAUTHORIZED_KEY", .ourMistake)) == .notNow("UNAUTHORIZED_KEY"))
        #expect(event(.refused(code: "NOT_CANCELABLE_AMOUNT", .refundRefused)) == .refused("NOT_CANCELABLE_AMOUNT"))
        #expect(event(.unknown(code: nil)) == .unknown(nil))

        #expect(RefundMachine.step(after: .found(transactionKey: "t")) == .done(transactionKey: "t"))
        #expect(RefundMachine.step(after: .notNow("c")) == .again("c"))
        #expect(RefundMachine.step(after: .refused("c")) == .refuse("c"))
        #expect(RefundMachine.step(after: .unknown("c")) == .stay("c"))

        // A new key only where an answer has ended the last, and Toss had time to show what it did.
        #expect(RefundMachine.repeat(code: nil, sentAt: 0, now: .max) == .same)
        #expect(RefundMachine.repeat(code: "IDEMPOTENT_REQUEST_PROCESSING", sentAt: 0, now: 100_000) == .same)
        #expect(RefundMachine.repeat(code: "PROVIDER_ERROR", sentAt: 0, now: 59_999) == .notYet)
        #expect(RefundMachine.repeat(code: "PROVIDER_ERROR", sentAt: 0, now: 60_000) == .newKey)
    }
}
