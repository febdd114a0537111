import Core
import Foundation
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

/// What goes wrong between two services, and that the money and the tickets come right.
@Suite(.timeLimit(.minutes(5))) struct SagaFailureTests {
    @Test func aRefusedCardLeavesTheSeatsHeldAndAnotherCanPay() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", "rejected")
            let answer = try await fixture.confirm(order, key: key)
            #expect(answer.status == 402)
            #expect(fixture.reservations[order.reservation].state == "held")
            let again = try await fixture.call(
                .post, "/toss/request", #"{"reservationId":"\#(order.reservation)"}"#)
            #expect(again.status == 200)
            #expect(again[text: "orderId"] != order.orderId)
            #expect(try await fixture.messages() == ["payment.failed"])
        }
    }

    /// A hint on a payment that is being worked on ends no wait: others would never have a turn.
    @Test func aHintDoesNotEndTheWaitsOfAnUndecidedPayment() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", "error_500_before", times: 50)
            #expect(try await fixture.confirm(order, key: key).status == 202)
            let hint = #"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"\#(order.orderId)"}}"#
            #expect(try await fixture.call(.post, "/toss/webhook", hint, as: nil).status == 200)
            fixture.clock.advance(PaymentTimes.recheck)
            var turns = 0
            while turns < 20, try await fixture.service.work() > 0 { turns += 1 }
            #expect(turns < 20, "it is due again and again")
            #expect(try await fixture.state(order) == "confirming")
        }
    }

    @Test func anOrderIsToldAgainWhileItIsGood() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order(holdMs: 3_600_000)
            func again() async throws -> String? {
                try await fixture.call(.post, "/toss/request", #"{"reservationId":"\#(order.reservation)"}"#)[
                    text: "orderId"]
            }
            #expect(try await again() == order.orderId)
            fixture.clock.advance(PaymentTimes.reuse)
            #expect(try await again() != order.orderId)
        }
    }

    @Test func requestsAtOnceMakeOneOrder() async throws {
        try await PaymentFixture.run { fixture in
            let reservation = fixture.reservations.add(user: PaymentFixture.user)
            let orders = try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await fixture.call(.post, "/toss/request", #"{"reservationId":"\#(reservation)"}"#)[
                            text: "orderId"]
                    }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(orders.count == 1 && orders.first != .some(nil))
        }
    }

    @Test func confirmationsAtOnceTakeTheMoneyOnce() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            let statuses = try await withThrowingTaskGroup { group in
                for _ in 0..<8 { group.addTask { try await fixture.confirm(order, key: key).status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 202 })
            try await fixture.settle(turns: 2)
            #expect(try await fixture.money(order) == (110_000, 0))
            #expect(try await fixture.messages() == ["payment.completed"])
        }
    }

    @Test(arguments: ["confirming", "sold", "release"])
    func aLostAnswerOfReservationsIsAskedForAgain(verb: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            if verb == "release" { try await fixture.fault("confirm", "rejected") }
            fixture.reservations.with { $0.lostAnswers[verb] = 1 }
            _ = try await fixture.confirm(order, key: key)
            try await fixture.settle(turns: 2)
            #expect(try await fixture.state(order) == (verb == "release" ? "failed" : "ticketed"))
            #expect(fixture.reservations.calls(verb) == 2)
            #expect(try await fixture.messages().count == 1)
        }
    }

    /// What is answered with 404 or 409 by another server, or by another version, decides nothing about money or seats.
    @Test(arguments: [
        ("sold", Problem(.notFound, "not_found")), ("sold", Problem(.notFound, "reservation_not_found")),
        ("sold", Problem(.conflict, "not_held")), ("sold", Problem(.conflict, "conflict")),
        ("confirming", Problem(.notFound, "not_found")), ("confirming", Problem(.conflict, "conflict")),
    ])
    func onlyReservationsOwnWordDecides(verb: String, problem: Problem) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            if verb == "sold" { fixture.reservations.with { $0.outages["sold"] = 1 } }
            if verb == "confirming" { fixture.reservations.with { $0.answer = problem } }
            #expect(try await fixture.confirm(order, key: key).status == 202)
            fixture.reservations.with { $0.answer = problem }
            try await fixture.settle(turns: 2, stepMs: 31_000)
            #expect(try await fixture.state(order) == (verb == "sold" ? "paid" : "confirming"))
            fixture.reservations.with { $0.answer = nil }
            try await fixture.settle(turns: 2, stepMs: 31_000)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.money(order) == (110_000, 0))
        }
    }

    /// The reservation isn't there, and that is Reservations' own word: Toss isn't asked for money.
    @Test func withoutAReservationNothingIsCharged() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            fixture.reservations.with { $0.reservations[order.reservation] = nil }
            let answer = try await fixture.confirm(order, key: key)
            #expect(answer.status == 409 && answer[text: "code"] == "reservation_not_found")
            #expect(try await fixture.state(order) == "failed")
            #expect(try await fixture.money(order) == (0, 0))
            // No order for what isn't there; where nobody knows, the buyer comes again.
            let body = #"{"reservationId":"\#(order.reservation)"}"#
            #expect(try await fixture.call(.post, "/toss/request", body).status == 404)
            fixture.reservations.with { $0.answer = Problem(.notFound, "not_found") }
            #expect(try await fixture.call(.post, "/toss/request", body).status == 503)
        }
    }

    /// A call of this attempt may still be on its way: it must find that the attempt was given up.
    @Test func aRefusedAttemptIsReleased() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order(holdMs: 300_000)
            let key = try await fixture.pay(order)
            fixture.clock.advance(300_001)
            #expect(try await fixture.confirm(order, key: key)[text: "code"] == "not_held")
            #expect(try await fixture.state(order) == "failed")
            #expect(fixture.reservations[order.reservation].released == [order.paymentId])
        }
    }

    /// A worker whose lease is over goes on beside the one that has it now, and sells. What Reservations says to the other then
    /// is no word on the money.
    @Test func whoComesWhileAnotherSellsDoesNotCallItFailed() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            fixture.reservations.with { $0.outages["confirming"] = 1 }
            #expect(try await fixture.confirm(order, key: key).status == 202)
            #expect(try await fixture.state(order) == "confirming")
            fixture.reservations.with {
                $0.beforeConfirming = {
                    try await fixture.toss(
                        .POST, "/v1/payments/confirm",
                        #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#)
                    fixture.reservations.with {
                        $0.reservations[order.reservation]!.state = "paid"
                        $0.reservations[order.reservation]!.paymentId = order.paymentId
                    }
                }
            }
            try await fixture.settle(turns: 2)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.messages() == ["payment.completed"])
        }
    }

    /// Nobody can make its tickets; the money is given back at Toss, by hand, and that ends it.
    @Test func whatIsPaidAndWithoutAReservationEndsWithItsMoney() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            fixture.reservations.with { $0.outages["sold"] = 1 }
            #expect(try await fixture.confirm(order, key: key).status == 202)
            #expect(try await fixture.state(order) == "paid")
            fixture.reservations.with { $0.reservations[order.reservation] = nil }
            try await fixture.settle(turns: 2)
            #expect(try await fixture.state(order) == "paid")
            try await fixture.giveBackByHand(order, 110_000)
            try await fixture.hint(order)
            try await fixture.settle(turns: 12)
            #expect(try await fixture.state(order) == "unfulfilled")
        }
    }

    /// Approved and given back by hand, while nobody here knew of either: the seats that are kept for it are let go.
    @Test func seatsOfWhatWasGivenBackElsewhereAreLetGo() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", "error_500_before")
            #expect(try await fixture.confirm(order, key: key).status == 202)
            #expect(fixture.reservations[order.reservation].state == "confirming")
            try await fixture.toss(
                .POST, "/v1/payments/confirm",
                #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#)
            try await fixture.toss(.POST, "/v1/payments/\(key)/cancel", #"{"cancelReason":"by hand"}"#)
            fixture.reservations.with { $0.outages["returned"] = 1 }
            try await fixture.settle(turns: 1)
            #expect(try await fixture.state(order) == "returning")
            try await fixture.settle(turns: 1)
            #expect(try await fixture.state(order) == "unfulfilled")
            #expect(fixture.reservations[order.reservation].state == "held")
            #expect(try await fixture.payment(order)[number: "refunded"] == 110_000)
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }

    @Test func moneyWithoutSeatsIsGivenBackByItself() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            fixture.reservations.with { $0.reservations[order.reservation]!.areSeatsTaken = true }
            let answer = try await fixture.confirm(order, key: key)
            #expect(answer.status == 409)
            #expect(answer[text: "code"] == "seats_lost")
            try await fixture.settle(turns: 3, stepMs: 2_000)
            #expect(try await fixture.state(order) == "unfulfilled")
            // What seats of it there are, nobody else would ever let go.
            #expect(fixture.reservations[order.reservation].state == "held")
            #expect(fixture.reservations[order.reservation].released == [order.paymentId])
            #expect(try await fixture.money(order) == (110_000, 110_000))
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }

    @Test(arguments: [
        "timeout_after", "timeout_before", "error_500_after", "error_500_before", "provider_error", "processing",
    ])
    func aRefundWhoseAnswerIsLostIsMadeOnce(fault: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.fault("cancel", fault)
            let answer = try await fixture.call(
                .post, "/\(order.paymentId)/refund", #"{"amount":10000,"reason":"test"}"#, role: .admin,
                headers: [.idempotencyKey: "one"])
            #expect(answer.status == 202)
            try await fixture.settle(turns: 6)
            #expect(try await fixture.money(order) == (110_000, 10_000))
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }

    @Test func aRefundThatTossRefusesWaitsForSomebody() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            try await fixture.fault("cancel", "not_cancelable")
            let answer = try await fixture.call(
                .post, "/\(order.paymentId)/refund", #"{"reason":"test"}"#, role: .admin,
                headers: [.idempotencyKey: "one"])
            let refund = try #require(answer[text: "refundId"])
            try await fixture.settle(turns: 2)
            #expect(fixture.metrics.exposition().contains("tiketi_payments_refunds_refused 1"))
            #expect(try await fixture.money(order) == (110_000, 0))
            let path = "/\(order.paymentId)/refunds/\(refund)/retry"
            #expect(try await fixture.call(.post, path, role: .admin).status == 202)
            try await fixture.settle(turns: 2)
            #expect(try await fixture.money(order) == (110_000, 110_000))
            #expect(try await fixture.call(.post, path, role: .admin).status == 409)
        }
    }

    @Test func refundsThatAreDueAreMadeOnce() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            func due(_ id: String, _ amount: Int64) -> Message {
                Message(
                    id: "refund.due:\(id)", occurredAt: fixture.clock.now,
                    body: .refundDue(
                        .init(
                            cancellationId: id, reservationId: order.reservation, paymentId: order.paymentId,
                            amount: amount, currency: "KRW", tickets: 1, reason: "좌석 취소")))
            }
            let messages = [due("a", 55_000), due("b", 49_500), due("a", 55_000), due("c", 55_000)]
            let store = DueRefunds(postgres: fixture.postgres, clock: { fixture.clock.now }, logger: testLogger)
            #expect(try await store.store(messages) == 3)
            #expect(try await store.store(messages) == 0)
            try await fixture.settle(turns: 4, stepMs: 2_000)
            // The third is more than is left: somebody has to look at it.
            #expect(try await fixture.money(order) == (110_000, 104_500))
            #expect(try await fixture.payment(order)[array: "refunds"].count == 3)
        }
    }

    /// The tickets are made before anything of the approval is stored: whoever did that died between, and the buyer gives
    /// one back meanwhile. Reservations keeps no seats for it any more, as they are sold: it is Toss that decides.
    @Test(arguments: ["confirming", "guarding"])
    func ticketsWhoseApprovalNobodyHasStoredStay(state: String) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            let now = fixture.clock.now
            try await fixture.postgres.withConnection { connection in
                _ = try OrderStore.beginConfirming(
                    order: order.orderId, paymentKey: key, amount: 110_000, of: PaymentFixture.user, lease: "dead",
                    leaseUntil: now + 60_000, now: now, on: connection)
                // As a program of the version before has it.
                _ = try connection.execute("UPDATE payments SET state = \(state)")
            }
            try await fixture.toss(
                .POST, "/v1/payments/confirm",
                #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#)
            fixture.reservations.with {
                $0.reservations[order.reservation]!.state = "paid"
                $0.reservations[order.reservation]!.paymentId = order.paymentId
            }
            let due = fixture.due("a", 10_000, of: order.paymentId)
            #expect(try await fixture.take([due]) == 1)
            #expect(try await fixture.refunds(order) == ["refused 10000 not_paid"])
            try await fixture.settle(turns: 1, stepMs: 60_000)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(fixture.reservations.calls("confirming") == 0)
            try await fixture.settle(turns: 2, stepMs: 6_000)
            #expect(try await fixture.refunds(order) == ["done 10000"])
            #expect(try await fixture.money(order) == (110_000, 10_000))
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }

    /// What was due before the approval was known is asked for again until Toss has answered.
    @Test func aRefundThatIsDueTooEarlyWaitsForTossesWord() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            try await fixture.fault("confirm", "error_500_before", times: 2)
            #expect(try await fixture.confirm(order, key: key).status == 202)
            #expect(try await fixture.take([fixture.due("a", 10_000, of: order.paymentId)]) == 1)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["refused 10000 not_paid"])
            try await fixture.settle(turns: 4)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.refunds(order) == ["done 10000"])
        }
    }

    /// The bus, as it is: a message of Reservations leads to a refund.
    @Test func aRefundThatIsDueComesByTheBus() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let message = Message(
                id: "refund.due:a", occurredAt: fixture.clock.now,
                body: .refundDue(
                    .init(
                        cancellationId: "a", reservationId: order.reservation, paymentId: order.paymentId,
                        amount: 110_000, currency: "KRW", tickets: 2, reason: "canceled")))
            try await fixture.redis.pool.withConnection { try MessageStream.publish([message], on: $0) }
            let running = Task { await fixture.service.run() }
            // It is done when it is done; the suite's time limit ends a wait for nothing.
            while try await fixture.money(order).givenBack == 0 {
                try await Task.sleep(for: .milliseconds(50))
                fixture.clock.advance(2_000)
            }
            running.cancel()
            await running.value
            #expect(try await fixture.money(order) == (110_000, 110_000))
        }
    }

    @Test func moneyThatSomebodyElseGaveBackIsTakenOver() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let key = try await fixture.postgres.withConnection {
                try $0.query("SELECT payment_key FROM payments")[0].get(0, as: String.self)
            }
            try await fixture.toss(
                .POST, "/v1/payments/\(key)/cancel", #"{"cancelReason":"by hand","cancelAmount":5000}"#)
            let hint = #"{"eventType":"CANCEL_STATUS_CHANGED","data":{"paymentKey":"\#(key)"}}"#
            #expect(try await fixture.call(.post, "/toss/webhook", hint, as: nil).status == 200)
            try await fixture.settle(turns: 2, stepMs: 6_000)
            #expect(try await fixture.payment(order)[number: "refunded"] == 5_000)
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }

    @Test func whatCanNotGoOnIsStuckAndSaidSo() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            fixture.reservations.with { $0.outages["sold"] = 1_000 }
            _ = try await fixture.confirm(order, key: key)
            try await fixture.settle(turns: 16)
            #expect(try await fixture.state(order) == "paid")
            #expect(fixture.metrics.exposition().contains("tiketi_payments_stuck 1"))
            let listed = try await fixture.call(.get, "?stuck=true", role: .admin)
            #expect(listed[array: "payments"].count == 1)
            // It is tried on, slowly.
            fixture.reservations.with { $0.outages["sold"] = 0 }
            try await fixture.settle(turns: 11)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(fixture.metrics.exposition().contains("tiketi_payments_stuck 0"))
        }
    }

    @Test func anOrderThatNobodyPaysIsGivenUp() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            try await fixture.settle(turns: 1, stepMs: PaymentTimes.abandoned - 1)
            #expect(try await fixture.state(order) == "ready")
            try await fixture.settle(turns: 1, stepMs: 60_000)
            #expect(try await fixture.state(order) == "failed")
        }
    }
}
