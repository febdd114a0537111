import AsyncHTTPClient
import Core
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Platform

/// Toss Payments' REST interface, of which there is no SDK for servers: `{"code","message"}` in place of an answer, Basic
/// with the secret key as user. The key is in no log, and no error.
struct TossClient: Sendable {
    static let connectTimeout = TimeAmount.seconds(3)
    static let readTimeout = TimeAmount.seconds(30)
    /// Of one payment, or one error.
    static let maxBytes = 256 * 1024
    static let maxTransactionsBytes = 1024 * 1024
    /// Transactions of one page.
    static let pageSize = 500
    static let maxCodeLength = 100

    private let http: HTTPClient
    private let address: @Sendable () -> URL?
    private let authorization: String
    private let timeout: TimeAmount
    private let metrics: PaymentMetrics
    private let logger: Logger

    /// - Parameters:
    ///   - address: asked for each time: a sandbox in the same process has its port only once it listens.
    ///   - timeout: of a whole call.
    init(
        http: HTTPClient, address: @escaping @Sendable () -> URL?, secretKey: String,
        timeout: TimeAmount, metrics: PaymentMetrics, logger: Logger
    ) {
        self.http = http
        self.address = address
        authorization = "Basic " + Data("\(secretKey):".utf8).base64EncodedString()
        self.timeout = timeout
        self.metrics = metrics
        self.logger = logger
    }

    /// Redirects are answers like others, and an attempt to connect fails once.
    static func http(connections: Int) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: connectTimeout, read: readTimeout))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    // MARK: Money

    /// - Parameter key: of this call: Toss answers each further use of it as the first, for 15 days.
    func confirm(paymentKey: String, orderId: String, amount: Int64, key: String) async -> TossOutcome {
        struct Body: Encodable {
            var paymentKey: String
            var orderId: String
            var amount: Int64
        }
        return await outcome(
            "v1/payments/confirm", Body(paymentKey: paymentKey, orderId: orderId, amount: amount), key: key)
    }

    func cancel(paymentKey: String, amount: Int64, reason: String, key: String) async -> TossOutcome {
        struct Body: Encodable {
            var cancelReason: String
            var cancelAmount: Int64
        }
        return await outcome(
            "v1/payments/\(Self.pathPart(paymentKey))/cancel", Body(cancelReason: reason, cancelAmount: amount),
            key: key)
    }

    private func outcome(_ path: String, _ body: some Encodable, key: String) async -> TossOutcome {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let (status, bytes) = try await call(
                path, body: try encoder.encode(body), key: key, maxBytes: Self.maxBytes)
            if status == 200 {
                // An answer that can't be read says nothing.
                guard let payment = try? JSONDecoder().decode(TossPayment.self, from: bytes) else {
                    return .unknown(code: nil)
                }
                return .ok(payment)
            }
            guard let code = Self.code(bytes) else { return .unknown(code: nil) }
            let kind = TossErrorClass(code: code, status: status)
            if kind == .ourMistake {
                metrics.mistakes.increment()
                logger.critical(
                    "Toss refuses us, not the buyer: look at the keys and at what we send",
                    metadata: ["code": "\(code)", "status": "\(status)"])
            }
            return kind == .unknown || kind == .alreadyDone ? .unknown(code: code) : .refused(code: code, kind)
        } catch {
            logger.warning("Toss has not answered", metadata: ["error": "\(type(of: error))"])
            return .unknown(code: nil)
        }
    }

    // MARK: Questions

    func payment(order: String) async -> TossAnswer<TossPayment> {
        await ask("v1/payments/orders/\(Self.pathPart(order))")
    }

    func payment(key: String) async -> TossAnswer<TossPayment> {
        await ask("v1/payments/\(Self.pathPart(key))")
    }

    /// A page of what moved money from `start` until before `end`, both whole seconds in milliseconds since 1970.
    func transactions(from start: Int64, to end: Int64, after: String?) async -> TossAnswer<[TossTransaction]> {
        // Without an offset an instant means Seoul's.
        func text(_ instant: Int64) -> String { String(Instant.iso8601(instant + 9 * 3_600_000).dropLast()) }
        var items = [
            URLQueryItem(name: "startDate", value: text(start)), URLQueryItem(name: "endDate", value: text(end - 1)),
            URLQueryItem(name: "limit", value: String(Self.pageSize)),
        ]
        if let after { items.append(URLQueryItem(name: "startingAfter", value: after)) }
        return await ask("v1/transactions", query: items, maxBytes: Self.maxTransactionsBytes)
    }

    private func ask<Value: Decodable & Equatable & Sendable>(
        _ path: String, query: [URLQueryItem] = [], maxBytes: Int = TossClient.maxBytes
    ) async -> TossAnswer<Value> {
        do {
            let (status, bytes) = try await call(path, query: query, maxBytes: maxBytes)
            if status == 200 {
                guard let value = try? JSONDecoder().decode(Value.self, from: bytes) else {
                    return .unknown(code: nil)
                }
                return .found(value)
            }
            let code = Self.code(bytes)
            // A 404 of something in between is no word of Toss's.
            return status == 404 && code == "NOT_FOUND_PAYMENT" ? .notFound : .unknown(code: code)
        } catch {
            logger.warning("Toss has not answered", metadata: ["error": "\(type(of: error))"])
            return .unknown(code: nil)
        }
    }

    // MARK: HTTP

    private struct NoAddress: Error {}

    private func call(
        _ path: String, query: [URLQueryItem] = [], body: Data? = nil, key: String? = nil, maxBytes: Int
    ) async throws -> (status: Int, body: Data) {
        guard let base = address(),
            var components = URLComponents(url: base, resolvingAgainstBaseURL: false)
        else { throw NoAddress() }
        let prefix = components.percentEncodedPath
        components.percentEncodedPath = (prefix.hasSuffix("/") ? prefix : prefix + "/") + path
        if !query.isEmpty { components.queryItems = query }
        guard let url = components.string else { throw NoAddress() }
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Authorization", value: authorization)
        if let body {
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        if let key { request.headers.add(name: "Idempotency-Key", value: key) }
        let begun = ContinuousClock.now
        defer { metrics.tossSeconds.observe((ContinuousClock.now - begun) / .seconds(1)) }
        let response = try await http.execute(request, timeout: timeout)
        let bytes = try await response.body.collect(upTo: maxBytes)
        return (Int(response.status.code), Data(bytes.readableBytesView))
    }

    private static func code(_ body: Data) -> String? {
        struct ErrorObject: Decodable {
            var code: String
        }
        return (try? JSONDecoder().decode(ErrorObject.self, from: body)).map { String($0.code.prefix(maxCodeLength)) }
    }

    /// One part of a path, whatever is in it.
    static func pathPart(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2d || byte == 0x5f
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
