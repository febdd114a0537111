import Core
import Foundation
import HTTPTypes
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import PaymentService

/// A hint leads to an answer of Toss's, whatever happens in between.
@Suite(.timeLimit(.minutes(5))) struct HintTests {
    /// Whether Toss can be reached.
    private final class Line: Sendable {
        private let isCut = Mutex(false)

        func cut(_ isCut: Bool) { self.isCut.withLock { $0 = isCut } }

        func run(_ body: @escaping @Sendable (PaymentFixture) async throws -> Void) async throws {
            try await PaymentFixture.run({ settings in
                let toss = settings.tossURL
                settings.tossURL = { [self] in isCut.withLock { $0 } ? URL(string: "http://localhost:1") : toss() }
            }) { try await body($0) }
        }
    }

    /// Toss is confirmed by somebody else: here nobody knows.
    private func confirmElsewhere(_ order: PaymentFixture.Order, in fixture: PaymentFixture) async throws -> String {
        let key = try await fixture.pay(order)
        try await fixture.toss(
            .POST, "/v1/payments/confirm", #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#)
        return key
    }

    /// As a worker has it that dies afterwards.
    private func lease(_ order: PaymentFixture.Order, in fixture: PaymentFixture) async throws -> PaymentRow {
        let now = fixture.clock.now
        let rows = try await fixture.postgres.withConnection {
            try PaymentStore.takeDue(limit: 10, lease: "dead", now: now, leaseUntil: now + 60_000, on: $0)
        }
        return try #require(rows.first { $0.paymentId == order.paymentId })
    }

    @Test func aHintThatTossDoesNotAnswerIsKept() async throws {
        let line = Line()
        try await line.run { fixture in
            let order = try await fixture.order()
            _ = try await confirmElsewhere(order, in: fixture)
            try await fixture.hint(order)
            line.cut(true)
            try await fixture.settle(turns: 2, stepMs: 6_000)
            var turns = 0
            while turns < 20, try await fixture.service.work() > 0 { turns += 1 }
            #expect(turns < 20, "it is asked again and again")
            #expect(try await fixture.state(order) == "ready")
            line.cut(false)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.state(order) == "ticketed")
            try await fixture.settle(turns: 1)
            let isKept = try await fixture.postgres.withConnection {
                try $0.query("SELECT recheck FROM payments")[0].get(0, as: Bool.self)
            }
            #expect(!isKept)
        }
    }

    @Test func aHintOutlivesWhoeverAsks() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            _ = try await confirmElsewhere(order, in: fixture)
            try await fixture.hint(order)
            try await fixture.settle(turns: 1, stepMs: 1)
            let row = try await lease(order, in: fixture)
            let now = fixture.clock.now
            try await fixture.postgres.withConnection {
                try PaymentStore.beginRecheck(row, lease: "dead", now: now, on: $0)
            }
            try await fixture.settle(turns: 1)
            #expect(try await fixture.state(order) == "ticketed")
        }
    }

    /// What it says may be younger than the answer.
    @Test func aHintThatComesWhileTossIsAskedIsOneMore() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            try await fixture.hint(order)
            try await fixture.settle(turns: 1, stepMs: 1)
            let row = try await lease(order, in: fixture)
            let now = fixture.clock.now
            func isKept(_ hints: [String]) async throws -> Bool {
                try await fixture.postgres.withConnection { connection in
                    try PaymentStore.beginRecheck(row, lease: "dead", now: now, on: connection)
                    try PaymentStore.hint(orders: hints, keys: [], now: now, on: connection)
                    try PaymentStore.endRecheck(row, lease: "dead", on: connection)
                    return try connection.query("SELECT recheck FROM payments")[0].get(0)
                }
            }
            #expect(try await !isKept([]))
            #expect(try await isKept([order.orderId]))
        }
    }

    /// Only Toss's answer ends it: a sale that doesn't come about has asked Reservations.
    @Test func aHintOutlivesTheStepsThatDoNotAskToss() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            fixture.reservations.with { $0.outages["sold"] = 3 }
            #expect(try await fixture.confirm(order, key: key).status == 202)
            try await fixture.giveBackByHand(order, 5_000)
            try await fixture.hint(order)
            try await fixture.settle(turns: 5)
            #expect(try await fixture.state(order) == "ticketed")
            #expect(try await fixture.payment(order)[number: "refunded"] == 5_000)
        }
    }

    /// Whoever stores that all was given back elsewhere may die before the refund is stored.
    @Test(arguments: [true, false])
    func whatWasGivenBackElsewhereIsTakenOverByWhoComesNext(isHinted: Bool) async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            if isHinted {
                _ = try await confirmElsewhere(order, in: fixture)
                try await fixture.hint(order)
            } else {
                let key = try await fixture.pay(order)
                try await fixture.postgres.withConnection { [now = fixture.clock.now] connection in
                    _ = try OrderStore.beginConfirming(
                        order: order.orderId, paymentKey: key, amount: 110_000, of: PaymentFixture.user, lease: nil,
                        leaseUntil: now, now: now, on: connection)
                    _ = try connection.execute("UPDATE payments SET state = 'confirming'")
                }
                try await fixture.toss(
                    .POST, "/v1/payments/confirm",
                    #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#)
            }
            if isHinted { try await fixture.settle(turns: 1, stepMs: 1) }
            let row = try await lease(order, in: fixture)
            let now = fixture.clock.now
            let payment = try await fixture.toss(.GET, "/v1/payments/orders/\(order.orderId)").json
            guard case .string(let key)? = payment["paymentKey"] else { throw PaymentFixture.Missing() }
            try await fixture.toss(.POST, "/v1/payments/\(key)/cancel", #"{"cancelReason":"by hand"}"#)
            try await fixture.postgres.withConnection { connection in
                if isHinted { try PaymentStore.beginRecheck(row, lease: "dead", now: now, on: connection) }
                _ = try PaymentStore.advance(
                    row, .approvedAndCanceled, lease: "dead", leaseUntil: now + 60_000,
                    facts: .init(paymentKey: key, approvedAt: now, isIncomplete: true), now: now, on: connection)
            }
            try await fixture.settle(turns: 3)
            #expect(try await fixture.state(order) == "unfulfilled")
            #expect(try await fixture.payment(order)[number: "refunded"] == 110_000)
            #expect(try await fixture.messages() == ["payment.completed", "payment.refunded"])
        }
    }

    @Test func aWebhookThatIsSentAgainIsLookedAtAgain() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            func webhook() async throws -> String {
                let body = #"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"\#(order.orderId)"}}"#
                #expect(try await fixture.call(.post, "/toss/webhook", body, as: nil).status == 200)
                return try await fixture.postgres.withConnection { connection in
                    let row = try connection.query("SELECT state, times::bigint FROM webhooks")[0]
                    return "\(try row.get(0, as: String.self)) \(try row.get(1, as: Int64.self))"
                }
            }
            #expect(try await webhook() == "waiting 1")
            try await fixture.settle(turns: 2, stepMs: 6_000)
            _ = try await confirmElsewhere(order, in: fixture)
            #expect(try await webhook() == "waiting 2")
            try await fixture.settle(turns: 2, stepMs: 6_000)
            #expect(try await fixture.state(order) == "ticketed")
        }
    }
}
