import AsyncHTTPClient
import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

/// What happens at each bound.
@Suite(.timeLimit(.minutes(5))) struct PaymentBoundTests {
    @Test func confirmationsBeyondTheBoundAreLeftToTheWorker() async throws {
        try await PaymentFixture.run({ $0.maxInline = 0 }) { fixture in
            let order = try await fixture.order()
            let answer = try await fixture.confirm(order, key: try await fixture.pay(order))
            #expect(answer.status == 202 && answer[text: "state"] == "confirming")
            #expect(fixture.reservations.calls("confirming") == 0)
            try await fixture.service.work()
            #expect(try await fixture.state(order) == "ticketed")
        }
    }

    @Test func workersTakeSoManyAtATime() async throws {
        #expect(PaymentWorker.maxBatch == RefundWorker.maxBatch)
        let count = PaymentWorker.maxBatch + 1
        try await PaymentFixture.run({ $0.maxInline = 0 }) { fixture in
            var orders: [PaymentFixture.Order] = []
            for _ in 0..<count {
                let order = try await fixture.order()
                _ = try await fixture.confirm(order, key: try await fixture.pay(order))
                orders.append(order)
            }
            #expect(try await fixture.service.worker.runDue() == PaymentWorker.maxBatch)
            #expect(try await fixture.service.worker.runDue() == 1)
            // A call that came to no answer in time is made again.
            try await fixture.settle(turns: 2)
            for order in orders { try await fixture.refund(order) }
            #expect(try await fixture.service.refunds.runDue() == RefundWorker.maxBatch)
            #expect(try await fixture.service.refunds.runDue() == 1)
            try await fixture.settle(turns: 2)
            for order in orders { #expect(try await fixture.money(order) == (110_000, 110_000)) }
        }
    }

    /// The longest way through the saga is done in one go.
    @Test func aPaymentTakesFewerStepsThanTheBound() {
        let events: [PaymentSaga.Event] = [
            .guardRefused("x"), .approved, .approvedAndSold, .approvedAndCanceled, .refused("x"), .sold, .seatsLost,
            .released,
        ]
        func longest(from state: PaymentSaga.State, _ seen: Set<PaymentSaga.State>) -> Int {
            guard PaymentSaga.isWorking(state), !seen.contains(state) else { return 0 }
            let next = events.compactMap { PaymentSaga.next(state, $0)?.state }
            return 1 + (next.map { longest(from: $0, seen.union([state])) }.max() ?? 0)
        }
        #expect(longest(from: .confirming, []) < PaymentWorker.maxSteps)
    }

    @Test func aReasonHasItsLength() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.bought()
            let long = String(repeating: "x", count: RefundStore.maxReasonLength + 1)
            let refused = try await fixture.call(
                .post, "/\(order.paymentId)/refund", #"{"reason":"\#(long)"}"#, role: .admin,
                headers: [.idempotencyKey: "k"])
            #expect(refused.status == 422)
            // One that comes by a message is cut: the money is due all the same.
            let message = fixture.due("a", 1_000, of: order.paymentId, reason: long)
            #expect(try await fixture.take([message]) == 1)
            try await fixture.settle(turns: 1)
            #expect(try await fixture.refunds(order) == ["done 1000"])
        }
    }

    // MARK: Webhooks

    @Test func hintsAreReadSomeAtATimeAndHoldNothingUp() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            for number in 0..<WebhookStore.maxBatch {
                try #require(try await fixture.call(.post, "/toss/webhook", "\(number)", as: nil).status == 200)
            }
            try await fixture.hint(order)
            func waiting() async throws -> Int {
                try await fixture.postgres.withConnection {
                    try $0.query("SELECT count(*) FROM webhooks WHERE state = 'waiting'")[0].get(0)
                }
            }
            try await fixture.service.work()
            #expect(try await waiting() == 1)
            // Somebody else is at it: what is due is done, and nobody waits.
            let paid = try await fixture.bought()
            try await fixture.refund(paid)
            let turn = try await fixture.postgres.withConnection { other in
                try other.transaction { other in
                    _ = try other.query("SELECT FROM webhooks FOR UPDATE")
                    let end = DispatchSemaphore(value: 0)
                    let turn = Task {
                        defer { end.signal() }
                        try await fixture.service.work()
                    }
                    end.wait()
                    return turn
                }
            }
            _ = try await turn.value
            #expect(try await waiting() == 1)
            #expect(try await fixture.money(paid).givenBack == 110_000)
            try await fixture.service.work()
            #expect(try await waiting() == 0)
        }
    }

    @Test func aHintIsReadNoDeeperThanItsBound() {
        func hint(_ text: String) -> WebhookHint { WebhookHint(Array(text.utf8)) }
        func nested(_ depth: Int) -> String {
            #"{"eventType":"t","more":"# + String(repeating: "[", count: depth - 1)
                + String(repeating: "]", count: depth - 1) + #","data":{"orderId":"o","paymentKey":"k"}}"#
        }
        let whole = hint(nested(WebhookHint.maxDepth))
        #expect(whole.type == "t" && whole.order == "o" && whole.key == "k")
        #expect(hint(nested(WebhookHint.maxDepth + 1)) == hint(""))
        #expect(hint(String(repeating: "[", count: WebhookStore.maxBodyBytes)) == hint(""))
        // Names at the top where there is no object of data; what is no text is no name.
        #expect(hint(#"{"eventType":7,"orderId":"o","data":[]}"#).order == "o")
        #expect(hint(#"{"eventType":"t","orderId":"o","data":{"orderId":{}}}"#).order == nil)
        let name = String(repeating: "n", count: WebhookHint.maxNameBytes)
        #expect(hint(#"{"orderId":"\#(name)"}"#).order == name)
        #expect(hint(#"{"orderId":"\#(name)n"}"#).order == nil)
        #expect(hint(#"{"orderId":"\u0000"}"#).order == nil)
        #expect(hint(#"{"eventType":"\#(name)"}"#).type?.count == WebhookHint.maxTypeLength)
    }

    // MARK: Answers

    private static func serving<R: Sendable>(
        _ body: String, status: HTTPResponse.Status = .ok, _ ask: @escaping @Sendable (URL) async throws -> R
    ) async throws -> R {
        let router = Router()
        for method in [HTTPRequest.Method.get, .post] {
            router.on("**", method: method) { _, _ in
                Response(status: status, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
            }
        }
        return try await Application(router: router, logger: testLogger).test(.live) { client in
            try await ask(URL(string: "http://localhost:\(client.port!)")!)
        }
    }

    private static func toss(_ url: URL) -> TossClient {
        TossClient(
            http: .shared, address: { url }, secretKey: "s", timeout: .seconds(10), metrics: PaymentMetrics(Metrics()),
            logger: testLogger)
    }

    @Test func aListOfTossesHasItsSize() async throws {
        for (bytes, isTaken) in [(TossClient.maxTransactionsBytes, true), (TossClient.maxTransactionsBytes + 1, false)]
        {
            let body = "[" + String(repeating: " ", count: bytes - 2) + "]"
            let answer = try await Self.serving(body) {
                await Self.toss($0).transactions(from: 0, to: 86_400_000, after: nil)
            }
            let expected: TossAnswer<[TossTransaction]> = isTaken ? .found([]) : .unknown(code: nil)
            #expect(answer == expected)
        }
    }

    @Test func aCodeOfTossesHasItsLength() async throws {
        let code = "REJECT_" + String(repeating: "X", count: 200)
        let outcome = try await Self.serving(#"{"code":"\#(code)"}"#, status: .badRequest) {
            await Self.toss($0).confirm(paymentKey: "k", orderId: "o", amount: 1, key: "i")
        }
        #expect(outcome == .refused(code: String(code.prefix(TossClient.maxCodeLength)), .buyerMustAct))
    }

    @Test func anAnswerOfReservationsHasItsSize() async throws {
        func tickets(_ count: Int, padding: Int = 0) async throws -> Int? {
            let ids = (0..<count).map { "\"t\($0)\"" }.joined(separator: ",")
            let body = #"{"tickets":[\#(ids)]}"# + String(repeating: " ", count: padding)
            return try await Self.serving(body) { url in
                let client = ReservationClient(
                    http: .shared, address: { url }, token: ServiceToken(.generate(), clock: { 0 }), logger: testLogger)
                guard case .ok(let ids) = await client.sold("r", payment: "p", approvedAt: 0) else { return nil }
                return ids.count
            }
        }
        #expect(try await tickets(ReservationClient.maxTickets) == ReservationClient.maxTickets)
        #expect(try await tickets(ReservationClient.maxTickets + 1) == nil)
        #expect(try await tickets(1, padding: ReservationClient.maxBytes) == nil)
    }
}
