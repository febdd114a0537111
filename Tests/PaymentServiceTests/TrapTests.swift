import Core
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

/// The traps of the plan that this service was made to step over, each by its number.
@Suite(.timeLimit(.minutes(5))) struct TrapTests {
    /// Trap 1: there is no SDK for servers: what is asked of Toss is REST with Basic and an Idempotency-Key.
    @Test func trap1TossIsAskedByItsRESTInterface() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let payment = try await fixture.toss(.GET, "/v1/payments/orders/\(order.orderId)")
            #expect(payment.json["status"] == .string("DONE"))
        }
    }

    /// Trap 2: the amount is the reservation's, whatever the browser says to us or to Toss.
    @Test func trap2TheAmountIsTheReservations() async throws {
        try await PaymentFixture.run { fixture in
            let reservation = fixture.reservations.add(user: PaymentFixture.user)
            let tampered = try await fixture.call(
                .post, "/toss/request", #"{"reservationId":"\#(reservation)","amount":100}"#)
            #expect(tampered.status == 422)

            let order = try await fixture.order()
            #expect(order.amount == 110_000)
            // Paid less at Toss, and said so here.
            let cheap = try await fixture.pay(order, amount: 100)
            #expect(try await fixture.confirm(order, key: cheap, amount: 100).status == 422)
            #expect(fixture.reservations.calls("confirming") == 0)
            // Paid less at Toss, and said otherwise here.
            let answer = try await fixture.confirm(order, key: cheap)
            #expect(answer.status == 402)
            #expect(try await fixture.money(order) == (0, 0))
            #expect(try await fixture.state(order) == "failed")
        }
    }

    /// Trap 3: the order's name is random, unique, and stored before anybody hears of it.
    @Test func trap3TheOrderIsStoredBeforeItIsTold() async throws {
        try await PaymentFixture.run { fixture in
            var seen: Set<String> = []
            for _ in 0..<20 {
                let order = try await fixture.order()
                #expect(order.orderId.wholeMatch(of: /[A-Za-z0-9_-]{32}/) != nil)
                #expect(seen.insert(order.orderId).inserted)
                let stored = try await fixture.postgres.withConnection { connection in
                    try connection.query("SELECT amount FROM payments WHERE order_id = \(order.orderId)")[0]
                        .get(0, as: Int64.self)
                }
                #expect(stored == order.amount)
            }
        }
    }

    /// Trap 4: Toss has approved, and its answer is lost: that is no failure.
    @Test(arguments: ["timeout_after", "error_500_after"])
    func trap4ALostApprovalIsFound(fault: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", fault)
            let answer = try await fixture.confirm(order, key: key)
            #expect([200, 202].contains(answer.status))
            try await fixture.settle(turns: 2)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.money(order) == (110_000, 0))
            #expect(try await fixture.messages() == ["payment.completed"])
        }
    }

    /// Trap 4, the other way: nothing was done, and nobody knows: the payment stays open until Toss decides.
    @Test(arguments: ["timeout_before", "error_500_before", "processing"])
    func trap4AnUnansweredConfirmationIsTriedAgain(fault: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", fault)
            #expect(try await fixture.confirm(order, key: key).status == 202)
            #expect(try await fixture.state(order) == "confirming")
            try await fixture.settle(turns: 2, stepMs: 31_000)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.money(order) == (110_000, 0))
        }
    }

    /// PROVIDER_ERROR is a 400 that says nothing, and its key repeats it: when Toss's time is over, no money was taken.
    @Test func trap4AnUndecidedPaymentEndsWithTosssTime() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", "provider_error")
            #expect(try await fixture.confirm(order, key: key).status == 202)
            try await fixture.settle(turns: 8)
            #expect(try await fixture.state(order) == "confirming")
            try await fixture.settle(turns: 6)
            #expect(try await fixture.state(order) == "failed")
            #expect(try await fixture.money(order) == (0, 0))
            #expect(fixture.reservations.calls("release") == 1)
            #expect(fixture.reservations[order.reservation].state == "expired")
            #expect(try await fixture.messages() == ["payment.failed"])
        }
    }

    /// Trap 5: a webhook is a hint: what it says is not believed, what it names is asked about.
    @Test func trap5WebhooksAreOnlyHints() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            func webhook(_ body: String) async throws -> Int {
                try await fixture.call(.post, "/toss/webhook", body, as: nil).status
            }
            // Forged: it says that the order is paid.
            let forged =
                #"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"\#(order.orderId)","status":"DONE"}}"#
            #expect(try await webhook(forged) == 200)
            #expect(try await webhook(forged) == 200)
            // Types that don't exist, and what is no JSON.
            #expect(
                try await webhook(#"{"eventType":"PAYMENT_CANCELED","data":{"orderId":"\#(order.orderId)"}}"#) == 200)
            #expect(try await webhook("\u{0}{") == 200)
            try await fixture.service.work()
            #expect(try await fixture.state(order) == "ready")
            let states = try await fixture.postgres.withConnection { connection in
                try connection.query("SELECT state, times::bigint FROM webhooks ORDER BY seq").map {
                    "\(try $0.get(0, as: String.self)) \(try $0.get(1, as: Int64.self))"
                }
            }
            #expect(states == ["taken 2", "ignored 1", "ignored 1"])
        }
    }

    /// A payment that was thought failed, and that Toss turns out to have approved, is taken over.
    @Test func trap5AWebhookLeadsToWhatTossKnows() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            // Somebody confirms at Toss without us.
            try await fixture.toss(
                .POST, "/v1/payments/confirm",
                #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#)
            let hint = #"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"\#(order.orderId)"}}"#
            #expect(try await fixture.call(.post, "/toss/webhook", hint, as: nil).status == 200)
            try await fixture.settle(turns: 2, stepMs: 6_000)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.messages() == ["payment.completed"])
        }
    }

    /// Trap 6: a refund is made once by its key, in parts where that is wanted, and never more than was paid.
    @Test func trap6RefundsArePartsOfWhatWasPaidAndEachIsMadeOnce() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            func refund(_ key: String, _ amount: Int64) async throws -> Int {
                try await fixture.call(
                    .post, "/\(order.paymentId)/refund", #"{"amount":\#(amount),"reason":"test"}"#, role: .admin,
                    headers: [.idempotencyKey: key]
                ).status
            }
            #expect(try await refund("one", 10_000) == 202)
            #expect(try await refund("one", 10_000) == 202)
            #expect(try await refund("one", 20_000) == 409)
            #expect(try await refund("two", 30_000) == 202)
            #expect(try await refund("three", 70_001) == 409)
            try await fixture.settle(turns: 4, stepMs: 2_000)
            #expect(try await fixture.money(order) == (110_000, 40_000))
            #expect(
                try await fixture.messages() == ["payment.completed", "payment.refunded", "payment.refunded"])
            let payment = try await fixture.payment(order)
            #expect(payment[number: "refunded"] == 40_000)
            #expect(payment[text: "state"] == "ticketed")
        }
    }

    /// Trap 10: where everything stands is stored: a worker that dies at any step is followed by another.
    @Test func trap10WhatAWorkerLeftIsGoneOnWith() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            // As if the process had died right after it stored that the buyer wants to confirm.
            _ = try await fixture.postgres.withConnection { [now = fixture.clock.now] connection in
                try connection.transaction { connection in
                    try OrderStore.beginConfirming(
                        order: order.orderId, paymentKey: key, amount: 110_000, of: PaymentFixture.user, lease: "dead",
                        leaseUntil: now + 60_000, now: now, on: connection)
                }
            }
            try await fixture.service.work()
            #expect(try await fixture.state(order) == "confirming")
            try await fixture.settle(turns: 1)
            #expect(try await fixture.state(order) == "ticketed")
        }
    }

    /// Trap 16: the hold is over when the buyer comes back: Toss is not asked for money.
    @Test func trap16WithoutSeatsTossIsNotAsked() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order(holdMs: 300_000)
            let key = try await fixture.pay(order)
            fixture.clock.advance(300_001)
            let answer = try await fixture.confirm(order, key: key)
            #expect(answer.status == 409)
            #expect(answer[text: "code"] == "not_held")
            #expect(try await fixture.money(order) == (0, 0))
            let payment = try await fixture.toss(.GET, "/v1/payments/\(key)")
            #expect(payment.json["status"] == .string("IN_PROGRESS"))
            #expect(try await fixture.messages() == ["payment.failed"])
        }
    }
}
