import Core
import Foundation
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

/// Many buyers, and much that goes wrong at random: in the end Toss's books, ours, the tickets and the messages agree.
@Suite(.timeLimit(.minutes(5))) struct PaymentChaosTests {
    private static let confirmFaults = [
        "error_500_after", "error_500_before", "provider_error", "processing", "rejected",
    ]
    private static let cancelFaults = ["error_500_after", "error_500_before", "provider_error", "processing"]

    @Test func booksTicketsAndMessagesAgreeInTheEnd() async throws {
        try await PaymentFixture.run { fixture in
            var random = SeededGenerator()
            print(random)
            var orders: [PaymentFixture.Order] = []
            for number in 0..<24 {
                let order = try await fixture.order(amount: 10_000 * Int64.random(in: 1...20, using: &random))
                orders.append(order)
                let key = try await fixture.pay(order)
                if Bool.random(using: &random) {
                    try await fixture.fault("confirm", Self.confirmFaults.randomElement(using: &random)!)
                }
                let verb = ["confirming", "sold", "release", "none"].randomElement(using: &random)!
                let isLost = Bool.random(using: &random)
                let areSeatsTaken = Int.random(in: 0..<5, using: &random) == 0
                fixture.reservations.with { state in
                    if isLost { state.lostAnswers[verb, default: 0] += 1 } else { state.outages[verb, default: 0] += 1 }
                    state.reservations[order.reservation]!.areSeatsTaken = areSeatsTaken
                }
                // Some come twice, some too late, some never.
                for _ in 0..<Int.random(in: 0...2, using: &random) { _ = try await fixture.confirm(order, key: key) }
                let hint =
                    #"{"eventType":"PAYMENT_STATUS_CHANGED","n":\#(number),"data":{"orderId":"\#(order.orderId)"}}"#
                if Bool.random(using: &random) {
                    _ = try await fixture.call(.post, "/toss/webhook", hint, as: nil)
                }
                fixture.clock.advance(Int64.random(in: 0...2_000, using: &random))
                if Bool.random(using: &random) { try await fixture.service.work() }
            }
            try await fixture.settle(turns: 4)
            for order in orders where try await fixture.state(order) == "ticketed" {
                for number in 0..<Int.random(in: 0...3, using: &random) {
                    if Bool.random(using: &random) {
                        try await fixture.fault("cancel", Self.cancelFaults.randomElement(using: &random)!)
                    }
                    let amount = order.amount / 10 * Int64.random(in: 1...6, using: &random)
                    _ = try await fixture.call(
                        .post, "/\(order.paymentId)/refund", #"{"amount":\#(amount),"reason":"test"}"#, role: .admin,
                        headers: [.idempotencyKey: "\(number)"])
                }
                try await fixture.service.work()
            }
            // Past the end of every order's time.
            try await fixture.settle(turns: 60)

            var expected: [String] = []
            for order in orders {
                let payment = try await fixture.payment(order)
                let state = try #require(payment[text: "state"])
                let money = try await fixture.money(order)
                let refunded = try #require(payment[number: "refunded"])
                #expect(["failed", "ticketed", "unfulfilled"].contains(state), "\(random) \(order)")
                #expect(money.taken == (state == "failed" ? 0 : order.amount), "\(random) \(order)")
                #expect(money.givenBack == refunded, "\(random) \(order)")
                #expect(payment[number: "refundCommitted"] == refunded, "\(random) \(order)")
                if state == "unfulfilled" { #expect(refunded == order.amount, "\(random) \(order)") }
                #expect(
                    (fixture.reservations[order.reservation].state == "paid") == (state == "ticketed"),
                    "\(random) \(order)")
                if state != "failed" { expected.append("payment.completed \(order.amount)") }
                for case .object(let refund) in payment[array: "refunds"] {
                    guard case .integer(let amount)? = refund["amount"] else { continue }
                    expected.append("payment.refunded \(amount)")
                }
            }
            let told = try await fixture.postgres.withConnection { connection in
                try connection.query(
                    """
                    SELECT type || ' ' || (data::json ->> 'amount') FROM outbox WHERE type <> 'payment.failed'
                    """
                ).map { try $0.get(0, as: String.self) }
            }
            #expect(told.sorted() == expected.sorted(), "\(random)")
            #expect(
                try await fixture.service.reconciliation.run(Reconciliation.day(at: TestClock.start)).isEmpty,
                "\(random)")
        }
    }
}
