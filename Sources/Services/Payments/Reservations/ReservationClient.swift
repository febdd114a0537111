import AsyncHTTPClient
import Core
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Platform

/// What Payments asks of Reservations (docs/booking.md). Each call is safe to repeat.
struct ReservationClient: Sendable {
    enum Answer<Value: Sendable>: Sendable {
        case ok(Value)
        /// 409, with the problem's code.
        case conflict(String)
        /// Reservations has none: 404 with a code of its own. Any other 404 may be a wrong way's.
        case notFound
        /// No answer that says anything; it may have been done.
        case unknown
    }

    static let timeout = TimeAmount.seconds(5)
    static let maxBytes = 64 * 1024
    static let maxTickets = 100
    static let unknownReservation = "reservation_not_found"

    private let http: HTTPClient
    private let address: @Sendable () -> URL?
    private let beside: ReservationsBeside?
    private let token: ServiceToken
    private let logger: Logger

    /// - Parameter beside: asked in place of the address where it is there.
    init(
        http: HTTPClient, address: @escaping @Sendable () -> URL?, beside: ReservationsBeside? = nil,
        token: ServiceToken, logger: Logger
    ) {
        self.http = http
        self.address = address
        self.beside = beside
        self.token = token
        self.logger = logger
    }

    func reservation(_ id: String) async -> Answer<Reservation> {
        if let beside { return await ask { try JSONDecoder().decode(Reservation.self, from: await beside.find(id)) } }
        return await call(id, nil, [String: Field]()) { try? JSONDecoder().decode(Reservation.self, from: $0) }
    }

    /// Its seats stay for this payment, for fifteen minutes.
    func confirming(_ id: String, payment: String, amount: Int64) async -> Answer<Void> {
        if let beside { return await ask { try await beside.confirming(id, payment, amount) } }
        return await call(id, "confirming", ["paymentId": .text(payment), "amount": .number(amount)]) { _ in () }
    }

    func release(_ id: String, payment: String) async -> Answer<Void> {
        if let beside { return await ask { try await beside.release(id, payment) } }
        return await call(id, "release", ["paymentId": .text(payment)]) { _ in () }
    }

    /// It buys nothing any more: tickets that are left are void.
    func returned(_ id: String, payment: String) async -> Answer<Void> {
        if let beside { return await ask { try await beside.returned(id, payment) } }
        return await call(id, "returned", ["paymentId": .text(payment)]) { _ in () }
    }

    /// - Returns: the tickets' ids.
    func sold(_ id: String, payment: String, approvedAt: Int64) async -> Answer<[String]> {
        if let beside { return await ask { try await beside.sold(id, payment, approvedAt) } }
        return await call(id, "sold", ["paymentId": .text(payment), "approvedAt": .text(Instant.iso8601(approvedAt))]) {
            Self.tickets($0)
        }
    }

    /// `tickets` as ids, or as objects that have one.
    private static func tickets(_ body: Data) -> [String]? {
        struct Ticket: Decodable {
            var id: String
        }
        struct Texts: Decodable {
            var tickets: [String]
        }
        struct Objects: Decodable {
            var tickets: [Ticket]
        }
        let ids =
            (try? JSONDecoder().decode(Texts.self, from: body))?.tickets
            ?? (try? JSONDecoder().decode(Objects.self, from: body))?.tickets.map(\.id)
        return ids.flatMap { $0.count <= maxTickets ? $0 : nil }
    }

    private enum Field: Encodable {
        case text(String)
        case number(Int64)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }
    }

    private func ask<Value: Sendable>(_ body: () async throws -> Value) async -> Answer<Value> {
        do {
            return .ok(try await body())
        } catch let problem as Problem where problem.status.code == 409 {
            return .conflict(problem.code)
        } catch let problem as Problem where problem.code == Self.unknownReservation {
            return .notFound
        } catch {
            logger.warning("Reservations has not answered", metadata: ["error": "\(error)"])
            return .unknown
        }
    }

    private func call<Value: Sendable>(
        _ id: String, _ verb: String?, _ fields: [String: Field], _ read: (Data) -> Value?
    ) async -> Answer<Value> {
        do {
            guard let base = address() else { return .unknown }
            var path = "internal/reservations/\(TossClient.pathPart(id))"
            if let verb { path += "/\(verb)" }
            var text = base.absoluteString
            if !text.hasSuffix("/") { text += "/" }
            var request = HTTPClientRequest(url: text + path)
            request.headers.add(name: "Authorization", value: "Bearer \(try await token.text())")
            if verb != nil {
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(fields)))
            }
            let response = try await http.execute(request, timeout: Self.timeout)
            let body = Data(try await response.body.collect(upTo: Self.maxBytes).readableBytesView)
            switch response.status {
            case .ok: return read(body).map { .ok($0) } ?? .unknown
            case .conflict: return Self.code(body).map { .conflict($0) } ?? .unknown
            case .notFound where Self.code(body) == Self.unknownReservation: return .notFound
            default:
                logger.warning("Reservations refuses", metadata: ["status": "\(response.status.code)"])
                return .unknown
            }
        } catch {
            logger.warning("Reservations has not answered", metadata: ["error": "\(type(of: error))"])
            return .unknown
        }
    }

    private static func code(_ body: Data) -> String? {
        struct ProblemObject: Decodable {
            var code: String
        }
        return (try? JSONDecoder().decode(ProblemObject.self, from: body))?.code
    }
}
