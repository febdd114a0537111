import Core
import Foundation
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

@Suite(.timeLimit(.minutes(5))) struct PaymentAPITests {
    @Test func othersPaymentsAreNotThere() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let key = try await fixture.pay(order)
            let stranger = PaymentFixture.stranger
            #expect(try await fixture.call(.get, "/\(order.paymentId)", as: stranger).status == 404)
            #expect(try await fixture.call(.get, "/\(order.paymentId)", as: stranger, role: .admin).status == 200)
            #expect(try await fixture.call(.get, "/\(order.paymentId)", as: nil).status == 401)
            #expect(try await fixture.call(.get, "/\(order.paymentId)", audience: .events).status == 401)
            let body = #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":110000}"#
            #expect(try await fixture.call(.post, "/toss/confirm", body, as: stranger).status == 404)
            let reservation = #"{"reservationId":"\#(order.reservation)"}"#
            #expect(try await fixture.call(.post, "/toss/request", reservation, as: stranger).status == 404)
            #expect(try await fixture.call(.get, "", as: stranger)[array: "payments"].isEmpty)
            #expect(try await fixture.call(.get, "")[array: "payments"].count == 1)
            // A buyer gives nothing back by themselves: they cancel at Reservations.
            let refund = try await fixture.call(
                .post, "/\(order.paymentId)/refund", #"{"reason":"x"}"#, headers: [.idempotencyKey: "k"])
            #expect(refund.status == 403)
        }
    }

    @Test(arguments: [
        ("/toss/request", #"{}"#, 422), ("/toss/request", #"{"reservationId":"x"}"#, 422),
        ("/toss/request", #"{"reservationId":"AAAAAAAA-1111-4111-8111-111111111111"}"#, 422),
        ("/toss/request", #"{"reservationId":"00000000-1111-4111-8111-111111111111"}"#, 404),
        ("/toss/request", "[]", 400), ("/toss/request", "{", 400),
        ("/toss/confirm", #"{"paymentKey":"k","orderId":"123456","amount":1.5}"#, 422),
        ("/toss/confirm", #"{"paymentKey":"k","orderId":"123456","amount":99999999999999999999}"#, 422),
        ("/toss/confirm", #"{"paymentKey":"k\u0000","orderId":"123456","amount":1}"#, 422),
        ("/toss/confirm", #"{"paymentKey":"../x","orderId":"123456","amount":1}"#, 422),
        ("/toss/confirm", #"{"paymentKey":"k","orderId":"123456","amount":1}"#, 404),
        ("/x/refund", #"{"reason":"x"}"#, 403),
    ])
    func whatIsMalformedIsRefused(path: String, body: String, status: Int) async throws {
        try await PaymentFixture.run { fixture in
            let answer = try await fixture.call(.post, path, body)
            #expect(answer.status == status)
        }
    }

    @Test func listsAreReadPageByPage() async throws {
        try await PaymentFixture.run { fixture in
            var made: [String] = []
            for _ in 0..<5 {
                made.append(try await fixture.order().paymentId)
                fixture.clock.advance(1)
            }
            var seen: [String] = []
            var cursor = ""
            while true {
                let page = try await fixture.call(.get, "?limit=2\(cursor)")
                for case .object(let payment) in page[array: "payments"] {
                    if case .string(let id)? = payment["paymentId"] { seen.append(id) }
                }
                guard let next = page[text: "next"] else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(seen == made.reversed())
            #expect(try await fixture.call(.get, "?cursor=x").status == 422)
            #expect(try await fixture.call(.get, "?limit=101").status == 422)
            #expect(try await fixture.call(.get, "?userId=x").status == 422)
            #expect(try await fixture.call(.get, "?state=ready", role: .admin)[array: "payments"].count == 5)
            #expect(try await fixture.call(.get, "?state=paid", role: .admin)[array: "payments"].isEmpty)
            #expect(try await fixture.call(.get, "?state=none", role: .admin).status == 422)
            #expect(
                try await fixture.call(.get, "?userId=\(PaymentFixture.stranger)", role: .admin)[array: "payments"]
                    .isEmpty)
        }
    }

    @Test func webhooksThatWaitAreBounded() async throws {
        try await PaymentFixture.run({ $0.maxWaitingWebhooks = 3 }) { fixture in
            func webhook(_ body: String) async throws -> Int {
                try await fixture.call(.post, "/toss/webhook", body, as: nil).status
            }
            for number in 0..<3 { #expect(try await webhook("\(number)") == 200) }
            #expect(try await webhook("3") == 503)
            try await fixture.service.work()
            #expect(try await webhook("3") == 200)
            #expect(try await webhook(String(repeating: "x", count: WebhookStore.maxBodyBytes)) == 200)
            #expect(try await webhook(String(repeating: "x", count: WebhookStore.maxBodyBytes + 1)) == 413)
            try await fixture.service.work()
            try await fixture.postgres.withConnection { try WebhookStore.trim(maxStored: 2, on: $0) }
            let left = try await fixture.postgres.withConnection {
                try $0.query("SELECT count(*) FROM webhooks")[0].get(0, as: Int.self)
            }
            #expect(left == 2)
        }
    }

    @Test func theSandboxesPageIsNamedWhereThereIsOne() async throws {
        try await PaymentFixture.run { fixture in
            let reservation = fixture.reservations.add(user: PaymentFixture.user)
            let answer = try await fixture.call(.post, "/toss/request", #"{"reservationId":"\#(reservation)"}"#)
            let page = try #require(answer[text: "checkoutUrl"])
            #expect(URL(string: page) != nil)
            #expect(answer[text: "successUrl"] == "https://tiketi.example/checkout/success")
            #expect(answer[text: "customerKey"]?.contains(PaymentFixture.user) == false)
            #expect(answer[text: "orderName"] == "콘서트 <서울> 2매")
        }
        try await PaymentFixture.run({ $0.isSandbox = false }) { fixture in
            let reservation = fixture.reservations.add(user: PaymentFixture.user)
            let answer = try await fixture.call(.post, "/toss/request", #"{"reservationId":"\#(reservation)"}"#)
            #expect(answer.status == 200)
            #expect(answer[text: "checkoutUrl"] == nil)
        }
    }

    @Test func theDocumentIsJSON() {
        #expect(PaymentFixture.object(Array(PaymentService.openAPI.utf8))["paths"] != nil)
    }
}
