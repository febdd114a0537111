import Core
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Platform

/// Toss's own addresses, below `/v1`.
extension TossSandbox {
    static let maxBodyBytes = 64 * 1024
    static let maxTransactions = 1_000

    func addPaymentRoutes(to router: Router<BasicRequestContext>) {
        router.post("v1/payments/confirm") { [self] request, _ in
            if let refusal = refusal(of: request) { return await respond(SandboxState.answer(refusal)) }
            let body = try await Self.body(of: request)
            guard let members = Self.object(body), case .string(let paymentKey)? = members["paymentKey"],
                case .string(let orderId)? = members["orderId"], case .integer(let amount)? = members["amount"]
            else { return await respond(SandboxState.answer(.invalid("paymentKey, orderId and amount are needed"))) }
            let key = Self.key(of: request)
            return await respond(
                await with { state, now in
                    state.perform(.confirm, key: key, body: body, now: now) { books throws(SandboxError) in
                        try books.confirm(paymentKey: paymentKey, orderId: orderId, amount: amount, now: now)
                    }
                })
        }
        router.post("v1/payments/:paymentKey/cancel") { [self] request, context in
            if let refusal = refusal(of: request) { return await respond(SandboxState.answer(refusal)) }
            let paymentKey = try context.parameters.require("paymentKey")
            let body = try await Self.body(of: request)
            guard let members = Self.object(body), case .string(let reason)? = members["cancelReason"] else {
                return await respond(SandboxState.answer(.invalid("cancelReason is needed")))
            }
            var amount: Int64?
            switch members["cancelAmount"] {
            case nil, .null?: break
            case .integer(let value)?: amount = value
            default: return await respond(SandboxState.answer(.invalid("cancelAmount is a whole number")))
            }
            let key = Self.key(of: request)
            return await respond(
                await with { [amount] state, now in
                    state.perform(.cancel, key: key, body: body, now: now) { books throws(SandboxError) in
                        try books.cancel(paymentKey, reason: reason, amount: amount, now: now)
                    }
                })
        }
        router.get("v1/payments/orders/:orderId") { [self] request, context in
            if let refusal = refusal(of: request) { return await respond(SandboxState.answer(refusal)) }
            let order = try context.parameters.require("orderId")
            return await found { $0.find(order: order, now: $1) }
        }
        router.get("v1/payments/:paymentKey") { [self] request, context in
            if let refusal = refusal(of: request) { return await respond(SandboxState.answer(refusal)) }
            let key = try context.parameters.require("paymentKey")
            return await found { $0.find(key, now: $1) }
        }
        router.get("v1/transactions") { [self] request, _ in
            if let refusal = refusal(of: request) { return await respond(SandboxState.answer(refusal)) }
            let query = request.uri.queryParameters
            guard let start = query["startDate"].flatMap({ KST.parse(String($0)) }),
                let end = query["endDate"].flatMap({ KST.parse(String($0)) })
            else { return await respond(SandboxState.answer(.invalid("startDate and endDate are needed"))) }
            let limit = min(max(query["limit"].flatMap { Int($0) } ?? 100, 1), Self.maxTransactions)
            let after = query["startingAfter"].map(String.init)
            return await respond(
                await with { state, _ in
                    do throws(SandboxError) {
                        // To the millisecond, and inclusive.
                        let page = try state.books.transactions(from: start, to: end + 1, after: after, limit: limit)
                        var json = JSONWriter()
                        json.array(page) { $1.write(to: &$0) }
                        return SandboxState.Answer(status: 200, body: json.bytes)
                    } catch {
                        return SandboxState.answer(error)
                    }
                })
        }
    }

    private func found(_ find: @Sendable (inout SandboxBooks, Int64) -> SandboxPayment?) async -> Response {
        await respond(
            await with { state, now in
                guard let payment = find(&state.books, now) else { return SandboxState.answer(.notFound) }
                return SandboxState.Answer(status: 200, body: payment.json.bytes)
            })
    }

    /// Basic, with the secret key as the user and no password.
    private func refusal(of request: Request) -> SandboxError? {
        guard let header = request.headers[.authorization], header.hasPrefix("Basic "),
            let text = Data(base64Encoded: String(header.dropFirst(6))).flatMap({ String(data: $0, encoding: .utf8) }),
            text.hasSuffix(":")
        else { return SandboxError(401, "INCORRECT_BASIC_AUTH_FORMAT", "Basic, of the secret key and a colon") }
        if let key = request.headers[.idempotencyKey], key.count > RememberedAnswer.maxKeyLength {
            return .invalid("an Idempotency-Key has \(RememberedAnswer.maxKeyLength) characters at most")
        }
        return text.dropLast() == configuration.secretKey ? nil : .unauthorized
    }

    private static func key(of request: Request) -> String? {
        request.headers[.idempotencyKey].map { "\(request.uri.path) \($0)" }
    }

    static func body(of request: Request) async throws -> [UInt8] {
        Array(try await request.body.collect(upTo: maxBodyBytes).readableBytesView)
    }

    static func object(_ body: [UInt8]) -> [String: JSONValue]? {
        guard case .object(let members)? = JSONValue(body) else { return nil }
        return members
    }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}
