import Core
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

/// Money that is due is given back, once, or somebody sees that it isn't.
@Suite(.timeLimit(.minutes(5))) struct RefundTests {
    @Test func whatIsDueAndCanNotBeMadeIsKeptForSomebody() async throws {
        try await PaymentFixture.run { fixture in
            let paid = try await fixture.bought()
            try await fixture.refund(paid, 60_000)
            fixture.clock.advance(1)
            let unpaid = try await fixture.order()
            let messages = [
                fixture.due("a", 60_000, of: paid.paymentId), fixture.due("b", 110_000, of: unpaid.paymentId),
                fixture.due("c", 1_000, of: "nobody's"),
            ]
            #expect(try await fixture.take(messages) == 3)
            #expect(try await fixture.take(messages) == 0)
            try await fixture.settle(turns: 2, stepMs: 2_000)
            #expect(fixture.metrics.exposition().contains("tiketi_payments_refunds_refused 3"))
            #expect(try await fixture.refunds(paid) == ["done 60000", "refused 60000 exceeds_balance"])
            #expect(try await fixture.refunds(unpaid) == ["refused 110000 not_paid"])
            #expect(try await fixture.payment(paid)[number: "refundCommitted"] == 60_000)
            let listed = try await fixture.call(.get, "?refundRefused=true", role: .admin)
            #expect(listed[array: "payments"].count == 2)
            #expect(try await fixture.call(.get, "?refundRefused=true").status == 422)

            func kept(_ order: PaymentFixture.Order) async throws -> String {
                try await fixture.postgres.withConnection { connection in
                    let found = try connection.query(
                        "SELECT refund_id FROM refunds WHERE payment_id = \(order.paymentId) AND state = 'refused'")
                    return try #require(found.first).get(0)
                }
            }
            #expect(try await fixture.retry(kept(paid), of: paid)[text: "code"] == "exceeds_balance")
            #expect(try await fixture.retry(kept(unpaid), of: unpaid)[text: "code"] == "not_paid")
            #expect(try await fixture.retry(kept(unpaid), of: paid).status == 404)
            // Once the money is there, it can be given back.
            #expect(try await fixture.confirm(unpaid, key: try await fixture.pay(unpaid)).status == 200)
            #expect(try await fixture.retry(kept(unpaid), of: unpaid).status == 202)
            try await fixture.settle(turns: 1, stepMs: 2_000)
            #expect(try await fixture.refunds(unpaid) == ["done 110000"])
            #expect(try await fixture.money(unpaid) == (110_000, 110_000))
        }
    }

    // MARK: All of it

    /// Nobody keeps a ticket and its money, whoever has given it back.
    @Test(arguments: ["an admin", "an admin, in two", "Toss's console"])
    func whatIsGivenBackWholeBuysNothing(by whom: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            switch whom {
            case "an admin": try await fixture.refund(order)
            case "an admin, in two":
                try await fixture.refund(order, 60_000)
                try await fixture.settle(turns: 2, stepMs: 2_000)
                #expect(try await fixture.state(order) == "ticketed")
                #expect(fixture.reservations[order.reservation].state == "paid")
                try await fixture.refund(order, key: "two")
            default:
                try await fixture.giveBackByHand(order, 110_000)
                try await fixture.hint(order)
            }
            try await fixture.settle(turns: 4, stepMs: 6_000)
            #expect(try await fixture.state(order) == "unfulfilled")
            #expect(fixture.reservations[order.reservation].state == "canceled")
            #expect(try await fixture.money(order) == (110_000, 110_000))
            #expect(try await fixture.ticketsGivenBack() == 2, "all of them, though nobody has said so")
        }
    }

    /// Reservations is away at that moment, and its answer is lost once: it is told all the same.
    @Test func whatIsGivenBackWholeIsToldUntilReservationsHasHeardIt() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            fixture.reservations.with {
                $0.outages["returned"] = 2
                $0.lostAnswers["returned"] = 1
            }
            try await fixture.refund(order)
            try await fixture.settle(turns: 2, stepMs: 2_000)
            #expect(try await fixture.state(order) == "returning")
            try await fixture.settle(turns: 4)
            #expect(try await fixture.state(order) == "unfulfilled")
            #expect(fixture.reservations[order.reservation].state == "canceled")
            #expect(fixture.reservations.calls("returned") == 4)
        }
    }

    /// Tickets that Reservations has canceled are gone already.
    @Test func whatIsGivenBackForCanceledTicketsAloneIsReservationsOwn() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let messages = ["a", "b"].map { fixture.due($0, 55_000, of: order.paymentId) }
            #expect(try await fixture.take(messages) == 2)
            try await fixture.settle(turns: 4, stepMs: 2_000)
            #expect(try await fixture.money(order) == (110_000, 110_000))
            #expect(try await fixture.state(order) == "ticketed")
            #expect(fixture.reservations.calls("returned") == 0)
            #expect(try await fixture.ticketsGivenBack() == 2)
        }
    }

    /// No ticket is left: there is nothing to decide, and the buyer doesn't wait for anybody.
    @Test func aCancellationAfterAnAdminsRefundGivesBackWhatIsLeft() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.refund(order, 60_001)
            fixture.clock.advance(1)
            #expect(try await fixture.take([fixture.due("a", 110_000, of: order.paymentId, tickets: 2)]) == 1)
            try await fixture.settle(turns: 3, stepMs: 2_000)
            #expect(try await fixture.refunds(order) == ["done 60001", "done 49999"])
            #expect(try await fixture.ticketsGivenBack() == 2)
            // There is nothing left for another.
            fixture.clock.advance(1)
            #expect(try await fixture.take([fixture.due("b", 1, of: order.paymentId)]) == 1)
            #expect(try await fixture.refunds(order).last == "refused 1 exceeds_balance")
        }
    }

    /// What an admin has given for no ticket takes none away, whatever it adds up to with what was due for another.
    @Test func goodwillTakesNoTicketAway() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.refund(order, 55_000)
            fixture.clock.advance(1)
            #expect(try await fixture.take([fixture.due("a", 55_000, of: order.paymentId)]) == 1)
            try await fixture.settle(turns: 3, stepMs: 2_000)
            #expect(try await fixture.money(order) == (110_000, 110_000))
            #expect(try await fixture.ticketsGivenBack() == 1)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(fixture.reservations.calls("returned") == 0)
        }
    }

    // MARK: An admin's request

    @Test func noMoreTicketsAreGivenBackForThanWerePaid() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            func ask(_ key: String, _ body: String) async throws -> PaymentFixture.Answer {
                try await fixture.call(
                    .post, "/\(order.paymentId)/refund", body, role: .admin, headers: [.idempotencyKey: key])
            }
            let tooMany = try await ask("one", #"{"amount":1,"tickets":3,"reason":"x"}"#)
            #expect(tooMany.status == 409 && tooMany[text: "code"] == "exceeds_tickets")
            #expect(try await ask("two", #"{"amount":1,"tickets":1,"reason":"x"}"#).status == 202)
            #expect(try await ask("three", #"{"amount":1,"tickets":2,"reason":"x"}"#).status == 409)
            try await fixture.settle(turns: 2, stepMs: 2_000)
            #expect(try await fixture.ticketsGivenBack() == 1)
        }
    }

    /// All that was left was 110,000: that both are of as much doesn't make them one.
    @Test(arguments: [
        #"{"amount":110000,"reason":"x"}"#, #"{"amount":5,"reason":"x"}"#, #"{"reason":"y"}"#,
        #"{"tickets":2,"reason":"x"}"#,
    ])
    func aKeyIsOfOneRequest(another: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            func ask(_ body: String) async throws -> PaymentFixture.Answer {
                try await fixture.call(
                    .post, "/\(order.paymentId)/refund", body, role: .admin, headers: [.idempotencyKey: "one"])
            }
            let made = try await ask(#"{"reason":"x"}"#)
            #expect(made.status == 202)
            let again = try await ask(#"{"amount":null,"reason":"x"}"#)
            #expect(again.status == 202 && again[text: "refundId"] == made[text: "refundId"])
            let other = try await ask(another)
            #expect(other.status == 409 && other[text: "code"] == "idempotency_key_used")
        }
    }

    // MARK: An attempt and its time

    @Test func aRefundThatIsRetriedBeginsAnew() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.fault("cancel", "not_cancelable")
            let refund = try await fixture.refund(order)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["refused 110000 NOT_CANCELABLE_PAYMENT"])
            #expect(try await fixture.number(refund) == 1)
            fixture.clock.advance(PaymentTimes.maxRefund * 2)
            #expect(try await fixture.retry(refund, of: order).status == 202)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["done 110000"])
            #expect(try await fixture.number(refund) == 2)
            #expect(try await fixture.money(order) == (110_000, 110_000))
        }
    }

    /// Toss forgets keys: what is undecided for so long isn't sent under its own any more.
    @Test func aRefundThatStaysUndecidedIsRefusedInTheEnd() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.fault("cancel", "processing")
            let refund = try await fixture.refund(order)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["sending 110000 IDEMPOTENT_REQUEST_PROCESSING"])
            fixture.clock.advance(PaymentTimes.maxRefund)
            try await fixture.settle(turns: 1, stepMs: 1)
            #expect(try await fixture.refunds(order) == ["refused 110000 too_old"])
            #expect(try await fixture.money(order) == (110_000, 0))
            #expect(try await fixture.retry(refund, of: order).status == 202)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.number(refund) == 2)
            #expect(try await fixture.money(order) == (110_000, 110_000))
        }
    }

    /// Toss has taken the money, and knows nothing of the payment: that is seen at once.
    @Test func aRefundOfWhatTossDoesNotKnowIsSeen() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            func exchangeKey(_ expression: String) async throws {
                try await fixture.postgres.withConnection {
                    _ = try $0.execute("UPDATE payments SET payment_key = \(unescaped: expression)")
                }
            }
            try await exchangeKey("payment_key || 'x'")
            let refund = try await fixture.refund(order)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["refused 110000 NOT_FOUND_PAYMENT"])
            #expect(fixture.metrics.exposition().contains("tiketi_payments_refunds_refused 1"))
            try await exchangeKey("left(payment_key, -1)")
            #expect(try await fixture.retry(refund, of: order).status == 202)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["done 110000"])
        }
    }

    /// Each sending has a minute in which Toss may still do it.
    @Test func aCancelThatWasSentAgainWaitsAgain() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.fault("cancel", "timeout_before")
            try await fixture.fault("cancel", "provider_error")
            let refund = try await fixture.refund(order, 5_000)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["sending 5000"])
            try await fixture.settle(turns: 1, stepMs: 40_000)
            #expect(try await fixture.refunds(order) == ["sending 5000 PROVIDER_ERROR"])
            // More than a minute after the first, and less than one after the second.
            try await fixture.settle(turns: 1, stepMs: 25_000)
            #expect(try await fixture.number(refund) == 1)
            #expect(try await fixture.money(order) == (110_000, 0))
            try await fixture.settle(turns: 1, stepMs: 40_000)
            #expect(try await fixture.number(refund) == 2)
            #expect(try await fixture.money(order) == (110_000, 5_000))
        }
    }

    /// While others are upgraded already.
    @Test func aRefundOfTheVersionBeforeIsStored() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.postgres.withConnection { [now = PostgresTimestamp(ms: fixture.clock.now)] connection in
                try connection.transaction { connection in
                    try connection.execute(
                        """
                        INSERT INTO refunds (refund_id, payment_id, request_key, amount, tickets, reason, state,
                            next_run_at, created_at, updated_at)
                        VALUES ('r', \(order.paymentId), 'cancellation:c', 5000, 1, 'buyer', 'requested', \(now), \(now),
                            \(now))
                        """)
                    try connection.execute("UPDATE payments SET refund_committed = refund_committed + 5000")
                    _ = try RefundStore.schedule(order.paymentId, on: connection)
                }
            }
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["done 5000"])
        }
    }

    // MARK: What somebody gives back by hand

    @Test func whatIsGivenBackByHandIsTheRefundThatWasRefused() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.fault("cancel", "not_cancelable")
            try await fixture.refund(order)
            try await fixture.settle(turns: 1)
            fixture.clock.advance(PaymentTimes.maxRefund)
            try await fixture.giveBackByHand(order, 110_000)
            try await fixture.hint(order)
            try await fixture.settle(turns: 2, stepMs: 6_000)
            #expect(try await fixture.refunds(order) == ["done 110000"])
            #expect(fixture.metrics.exposition().contains("tiketi_payments_refunds_refused 0"))
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
            let payment = try await fixture.payment(order)
            #expect(payment[number: "refundCommitted"] == 110_000 && payment[number: "refunded"] == 110_000)
        }
    }

    /// It was there before ours was sent, whatever its amount.
    @Test(arguments: ["error_500_before", "provider_error", "timeout_before"])
    func whatWasGivenBackByHandBeforeIsNotOurs(fault: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.giveBackByHand(order, 5_000)
            fixture.clock.advance(2_000)
            try await fixture.fault("cancel", fault)
            try await fixture.refund(order, 5_000)
            try await fixture.settle(turns: 4)
            #expect(try await fixture.money(order) == (110_000, 10_000))
            #expect(try await fixture.refunds(order) == ["done 5000", "done 5000"])
            #expect(
                try await fixture.messages() == ["payment.completed", "payment.refunded", "payment.refunded"])
        }
    }

    // MARK: The queue

    @Test func manyRefundsOfOnePaymentKeepNobodyWaiting() async throws {
        try await PaymentFixture.run { fixture in
            let one = try await fixture.bought()
            for number in 0..<(RefundWorker.maxBatch + 4) { try await fixture.refund(one, 1_000, key: "\(number)") }
            let other = try await fixture.bought()
            try await fixture.refund(other)
            let refunds = fixture.service.refunds
            #expect(try await refunds.runDue() == 2)
            #expect(try await fixture.money(one).givenBack == 1_000)
            #expect(try await fixture.money(other).givenBack == 110_000)
            // Toss's wait is waited for, not asked after.
            #expect(try await refunds.runDue() == 0)
            fixture.clock.advance(PaymentTimes.cancelInterval - 1)
            #expect(try await refunds.runDue() == 0)
            fixture.clock.advance(1)
            #expect(try await refunds.runDue() == 1)
            #expect(try await fixture.money(one).givenBack == 2_000)
        }
    }

    /// One that waits for its next attempt lets the others go first.
    @Test func aRefundThatMustWaitIsNotSentBefore() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let waiting = try await fixture.refund(order, 1_000, key: "waiting")
            try await fixture.refund(order, 2_000, key: "due")
            try await fixture.postgres.withConnection { [now = fixture.clock.now] connection in
                _ = try connection.execute(
                    """
                    UPDATE refunds SET next_run_at = \(PostgresTimestamp(ms: now + 20_000)) WHERE refund_id = \(waiting)
                    """)
            }
            var turns = 0
            while turns < 20, try await fixture.service.refunds.runDue() > 0 { turns += 1 }
            #expect(turns == 1)
            #expect(try await fixture.money(order).givenBack == 2_000)
            fixture.clock.advance(20_000)
            #expect(try await fixture.service.refunds.runDue() == 1)
            #expect(try await fixture.money(order).givenBack == 3_000)
        }
    }

    /// A worker that was given up for dead comes back: what it knows is of an attempt that is another's by now.
    @Test func whoLostTheLeaseOrTheNumberChangesNothing() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let id = try await fixture.refund(order, 5_000)
            let payment = order.paymentId
            let clock = fixture.clock
            let isEnded = try await fixture.postgres.withConnection { connection in
                func send(_ refund: RefundRow, _ lease: String, isNumbered: Bool) throws -> RefundRow? {
                    try RefundStore.send(
                        refund, before: [], isNumbered: isNumbered, lease: lease, leaseUntil: clock.now + 60_000,
                        now: clock.now, on: connection)
                }
                func take(_ lease: String, isNumbered: Bool) throws -> RefundRow {
                    let taken = try RefundStore.takeDue(
                        limit: 16, lease: lease, now: clock.now, leaseUntil: clock.now + 60_000, on: connection)
                    try #require(taken == [payment])
                    let turn = try #require(
                        try RefundStore.turn(payment, lease: lease, now: clock.now, on: connection))
                    let sent = try send(turn.refund, lease, isNumbered: isNumbered)
                    clock.advance(60_000)
                    return try #require(sent)
                }
                func end(_ refund: RefundRow, _ lease: String, _ step: RefundMachine.Step) throws -> Bool {
                    try RefundStore.end(refund, step, completedAt: nil, lease: lease, now: clock.now, on: connection)
                }
                // Sent again under its number, and then under another.
                let first = try take("first", isNumbered: true)
                let second = try take("second", isNumbered: false)
                func expectUnchanged(_ refund: RefundRow, _ lease: String, now: RefundRow) throws {
                    for step in [RefundMachine.Step.done(transactionKey: "t"), .refuse("x"), .again("x"), .stay("x")] {
                        #expect(try !end(refund, lease, step))
                    }
                    #expect(try send(refund, lease, isNumbered: true) == nil)
                    #expect(try RefundStore.find(id, on: connection) == now)
                }
                // The number is the same, the lease is lost.
                try expectUnchanged(first, "first", now: second)
                #expect(try RefundStore.turn(payment, lease: "first", now: clock.now, on: connection) == nil)
                let third = try take("third", isNumbered: true)
                #expect([first.number, second.number, third.number] == [1, 1, 2])
                // The lease is there, the number is over.
                try expectUnchanged(second, "third", now: third)
                return try end(third, "third", .done(transactionKey: "t"))
            }
            #expect(isEnded)
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }
}
