import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import TestSupport
import Testing

@testable import PaymentService

/// What isn't an answer of Toss's says nothing about money.
struct TossClientTests {
    private static func outcome(_ status: HTTPResponse.Status, _ body: String) async throws -> TossOutcome {
        let router = Router()
        router.post("v1/payments/confirm") { _, _ in
            Response(status: status, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
        }
        return try await Application(router: router, logger: testLogger).test(.live) { client in
            let port = client.port!
            let toss = TossClient(
                http: .shared, address: { URL(string: "http://localhost:\(port)") }, secretKey: "s",
                timeout: .seconds(10), metrics: PaymentMetrics(Metrics()), logger: testLogger)
            return await toss.confirm(paymentKey: "k", orderId: "o", amount: 1, key: "i")
        }
    }

    @Test(arguments: [
        (200, ""), (200, "<html>"), (200, "{}"), (200, #"{"status":"DONE"}"#), (204, ""), (302, ""), (400, ""),
        (400, "<html>"), (404, "no such page"), (502, #"{"code":"REJECT_CARD_COMPANY"}"#),
        (200, #"{"a":""# + String(repeating: "x", count: TossClient.maxBytes) + #""}"#),
    ])
    func whatIsNoAnswerIsUnknown(status: Int, body: String) async throws {
        let outcome = try await Self.outcome(.init(code: status), body)
        guard case .unknown = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func aRefusalIsOne() async throws {
        let outcome = try await Self.outcome(.forbidden, #"{"code":"REJECT_CARD_COMPANY","message":"x"}"#)
        #expect(outcome == .refused(code: "REJECT_CARD_COMPANY", .buyerMustAct))
    }

    @Test func nobodyThereIsUnknown() async throws {
        let toss = TossClient(
            http: .shared, address: { URL(string: "http://127.0.0.1:1") }, secretKey: "s", timeout: .seconds(5),
            metrics: PaymentMetrics(Metrics()), logger: testLogger)
        #expect(await toss.confirm(paymentKey: "k", orderId: "o", amount: 1, key: "i") == .unknown(code: nil))
        #expect(await toss.payment(order: "o") == .unknown(code: nil))
    }

    @Test func onePartOfAPathStaysOne() {
        #expect(TossClient.pathPart("../a b/é?") == "%2e%2e%2fa%20b%2f%c3%a9%3f")
    }
}
