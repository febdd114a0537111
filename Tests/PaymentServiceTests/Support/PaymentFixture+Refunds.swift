import Core
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

/// Giving money back, by each of the ways that lead to it.
extension PaymentFixture {
    /// Asks for a refund as an admin, of all that is left without an amount.
    ///
    /// - Returns: its id.
    @discardableResult
    func refund(_ order: Order, _ amount: Int64? = nil, key: String = "one") async throws -> String {
        let answer = try await call(
            .post, "/\(order.paymentId)/refund", #"{"amount":\#(amount.map(String.init) ?? "null"),"reason":"test"}"#,
            role: .admin, headers: [.idempotencyKey: key])
        return try #require(answer[text: "refundId"])
    }

    func retry(_ refund: String, of order: Order) async throws -> Answer {
        try await call(.post, "/\(order.paymentId)/refunds/\(refund)/retry", role: .admin)
    }

    /// As Reservations says it.
    func due(
        _ id: String, _ amount: Int64, of payment: String, reason: String = "buyer", tickets: Int64 = 1
    ) -> Message {
        Message(
            id: "refund.due:\(id)", occurredAt: clock.now,
            body: .refundDue(
                .init(
                    cancellationId: id, reservationId: "r", paymentId: payment, amount: amount, currency: "KRW",
                    tickets: tickets, reason: reason)))
    }

    /// As the messages say it.
    func ticketsGivenBack() async throws -> Int64 {
        try await postgres.withConnection {
            try $0.query(
                """
                SELECT coalesce(sum((data::json ->> 'tickets')::bigint), 0)::bigint FROM outbox
                WHERE type = 'payment.refunded'
                """)[0].get(0)
        }
    }

    /// - Returns: how many were new.
    func take(_ messages: [Message]) async throws -> Int {
        try await DueRefunds(postgres: postgres, clock: { clock.now }, logger: testLogger).store(messages)
    }

    /// Somebody gives money back in Toss's console; nobody is told.
    func giveBackByHand(_ order: Order, _ amount: Int64) async throws {
        let key = try await postgres.withConnection {
            try $0.query("SELECT payment_key FROM payments WHERE payment_id = \(order.paymentId)")[0]
                .get(0, as: String.self)
        }
        let answer = try await toss(
            .POST, "/v1/payments/\(key)/cancel", #"{"cancelReason":"by hand","cancelAmount":\#(amount)}"#)
        try #require(answer.status == 200)
    }

    func hint(_ order: Order) async throws {
        let body = #"{"eventType":"PAYMENT_STATUS_CHANGED","at":\#(clock.now),"data":{"orderId":"\#(order.orderId)"}}"#
        try #require(try await call(.post, "/toss/webhook", body, as: nil).status == 200)
    }

    /// A payment's refunds as `STATE AMOUNT CODE`, the oldest first.
    func refunds(_ order: Order) async throws -> [String] {
        try await payment(order)[array: "refunds"].map { value in
            guard case .object(let refund) = value, case .string(let state)? = refund["state"],
                case .integer(let amount)? = refund["amount"]
            else { return "?" }
            if case .string(let code)? = refund["failureCode"] { return "\(state) \(amount) \(code)" }
            return "\(state) \(amount)"
        }
    }

    /// Of a refund's key at Toss.
    func number(_ refund: String) async throws -> Int32? {
        try await postgres.withConnection {
            try $0.query("SELECT number FROM refunds WHERE refund_id = \(refund)")[0].get(0)
        }
    }
}
