import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@testable import TossSandbox

struct PayPageTests {
    private static func page(_ query: [(String, String)]) async throws -> (Int, String) {
        let sandbox = try TossSandbox(.init(secretKey: "s", clientKey: "c", clock: { 0 }), logger: testLogger)
        var components = URLComponents()
        components.path = "/pay"
        components.queryItems = query.map { .init(name: $0.0, value: $0.1) }
        let uri = components.string!
        return try await Application(router: sandbox.router, logger: testLogger).test(.router) { client in
            let response = try await client.execute(uri: uri, method: .get)
            return (Int(response.status.code), String(buffer: response.body))
        }
    }

    private static let good = [
        ("orderId", "order-1"), ("amount", "1000"), ("orderName", "<script>alert(1)</script>"), ("clientKey", "c"),
        ("successUrl", "http://shop.example/ok?a=\"><b>"), ("failUrl", "http://shop.example/no"),
    ]

    @Test func whatComesFromOutsideIsEscaped() async throws {
        let (status, text) = try await Self.page(Self.good)
        #expect(status == 200)
        #expect(!text.contains("<script>"))
        #expect(text.contains("&lt;script&gt;"))
        #expect(!text.contains("\"><b>"))
    }

    @Test(arguments: [
        "javascript:alert(1)", "data:text/html,x", "//shop.example/ok", "ftp://shop.example", "http://a@b/",
    ])
    func onlyWebAddressesAreGoneBackTo(url: String) async throws {
        for name in ["successUrl", "failUrl"] {
            let query = Self.good.map { $0.0 == name ? (name, url) : $0 }
            #expect(try await Self.page(query).0 == 400)
        }
    }

    /// Neither a form of another site's, nor one for a payment that has no page.
    @Test func aFormSendsNobodyElsewhere() async throws {
        let sandbox = try TossSandbox(.init(secretKey: "s", clientKey: "c", clock: { 0 }), logger: testLogger)
        try await Application(router: sandbox.router, logger: testLogger).test(.router) { client in
            let page = try await client.execute(
                uri: "/pay?orderId=order-1&amount=1000&orderName=x&clientKey=c"
                    + "&successUrl=http://shop.example/back&failUrl=http://shop.example/back", method: .get)
            let key = try #require(String(buffer: page.body).firstMatch(of: /name="paymentKey" value="([^"]+)"/)?.1)
            let elsewhere = "&choice=pay&successUrl=http%3A%2F%2Fevil.example%2F&failUrl=http%3A%2F%2Fevil.example%2F"
            let forged = try await client.execute(
                uri: "/pay", method: .post, body: ByteBuffer(string: "paymentKey=\(key)\(elsewhere)"))
            #expect(forged.status == .badRequest)
            let unpaged = await sandbox.with { state, now in
                try? state.books.request(
                    orderId: "order-2", orderName: "x", amount: 1000, key: "key-2", now: now
                ).paymentKey
            }
            let answer = try await client.execute(
                uri: "/pay", method: .post, body: ByteBuffer(string: "paymentKey=\(unpaged ?? "")&choice=pay"))
            #expect(answer.status == .badRequest)
        }
    }

    /// A page of another site's that a browser has open can send such forms here.
    @Test(arguments: ["sandbox/faults", "sandbox/payments"], ["text/plain", "application/x-www-form-urlencoded", nil])
    func noFormMakesItGoWrong(path: String, type: String?) async throws {
        let sandbox = try TossSandbox(.init(secretKey: "s", clientKey: "c", clock: { 0 }), logger: testLogger)
        try await Application(router: sandbox.router, logger: testLogger).test(.router) { client in
            let body = #"{"webhooks":"lost","orderId":"order-1","amount":1000}"#
            let refused = try await client.execute(
                uri: "/\(path)", method: .post, headers: type.map { [.contentType: $0] } ?? [:],
                body: ByteBuffer(string: body))
            #expect(refused.status == .unsupportedMediaType)
            let taken = try await client.execute(
                uri: "/\(path)", method: .post, headers: [.contentType: "application/json; charset=utf-8"],
                body: ByteBuffer(string: body))
            #expect(taken.status.kind == .successful)
        }
    }

    @Test func faultsThatAreStillToComeCanBeTakenBack() async throws {
        let sandbox = try TossSandbox(.init(secretKey: "s", clientKey: "c", clock: { 0 }), logger: testLogger)
        try await Application(router: sandbox.router, logger: testLogger).test(.router) { client in
            for (fault, waiting) in [("rejected", 3), ("none", 0)] {
                _ = try await client.execute(
                    uri: "/sandbox/faults", method: .post, headers: [.contentType: "application/json"],
                    body: ByteBuffer(string: #"{"call":"confirm","fault":"\#(fault)","times":3}"#))
                #expect(await sandbox.with { state, _ in state.faults[.confirm]?.count ?? 0 } == waiting)
            }
        }
    }

    @Test func aPersonPaysAndIsSentBack() async throws {
        let sandbox = try TossSandbox(.init(secretKey: "s", clientKey: "c", clock: { 0 }), logger: testLogger)
        try await Application(router: sandbox.router, logger: testLogger).test(.router) { client in
            for (choice, expected) in [("pay", "paymentKey="), ("fail", "code=PAY_PROCESS_CANCELED")] {
                let page = try await client.execute(
                    uri: "/pay?orderId=order-1&amount=1000&orderName=x&clientKey=c"
                        + "&successUrl=http://shop.example/back&failUrl=http://shop.example/back", method: .get)
                let text = String(buffer: page.body)
                let key = try #require(text.firstMatch(of: /name="paymentKey" value="([^"]+)"/)?.1)
                let answer = try await client.execute(
                    uri: "/pay", method: .post,
                    body: ByteBuffer(
                        string: "paymentKey=\(key)&choice=\(choice)"))
                #expect(answer.status == .seeOther)
                let location = try #require(answer.headers[.location])
                #expect(location.hasPrefix("http://shop.example/back?"))
                #expect(location.contains(expected) && location.contains("orderId=order-1"))
            }
        }
    }
}
