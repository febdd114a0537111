import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import EventService

/// A service on its own database and Redis, its clock, and requests to its routes.
struct Lab: Sendable {
    /// 2026-01-01T00:00:00Z
    static let start: Int64 = 1_767_225_600_000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 24 * hour

    final class Clock: Sendable {
        private let now = Mutex(Lab.start)
        var ms: Int64 { now.withLock { $0 } }
        func turn(to ms: Int64) { now.withLock { $0 = ms } }
    }

    let service: EventService
    let client: any TestClientProtocol
    let pool: PostgresPool
    let redis: TestRedis
    let clock: Clock
    let admin: String
    let user: String

    static func with(_ body: @escaping @Sendable (Lab) async throws -> Void) async throws {
        try await withRedis { redis in
            try await with(redis: redis, at: redis.configuration, body)
        }
    }

    /// - Parameter at: where the service believes Redis to be.
    static func with(
        redis: TestRedis, at configuration: RedisConfiguration, _ body: @escaping @Sendable (Lab) async throws -> Void
    ) async throws {
        try await withDatabase(of: .events) { database, pool in
            let clock = Clock()
            let key = SigningKey.generate()
            let service = try await EventService(
                .init(
                    database: database, redis: configuration, keys: .fixed(try await VerifyingKeys(key)),
                    clock: { clock.ms }),
                metrics: Metrics(), logger: silentLogger)
            func token(_ role: Role) async throws -> String {
                try await key.mint(
                    audience: [.events], subject: "kim", role: role, lifetimeSeconds: 600,
                    now: Int64(Date().timeIntervalSince1970))
            }
            let (admin, user) = (try await token(.admin), try await token(.user))
            let router = Router(context: ServiceContext.self)
            router.add(middleware: ProblemMiddleware())
            service.addRoutes(to: router)
            let result: Result<Void, any Error>
            do {
                try await Application(router: router).test(.router) { client in
                    try await body(
                        Lab(
                            service: service, client: client, pool: pool, redis: redis, clock: clock, admin: admin,
                            user: user))
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await service.shutdown()
            try result.get()
        }
    }

    // MARK: Requests

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var json: JSONValue

        subscript(_ name: String) -> JSONValue? {
            if case .object(let members) = json { members[name] } else { nil }
        }

        func text(_ name: String) -> String? {
            if case .string(let text) = self[name] { text } else { nil }
        }

        func integer(_ name: String) -> Int64? {
            if case .integer(let number) = self[name] { number } else { nil }
        }

        func list(_ name: String) -> [JSONValue] {
            if case .array(let elements) = self[name] { elements } else { [] }
        }

        /// Of the events of a list.
        var ids: [String] {
            list("events").compactMap { event in
                if case .object(let members) = event, case .string(let id) = members["id"] { id } else { nil }
            }
        }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, as token: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        if body != nil { headers[.contentType] = "application/json" }
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return Answer(
            status: response.status.code, headers: response.headers,
            json: JSONValue(Array(response.body.readableBytesView), maxValues: .max) ?? .null)
    }

    func get(_ path: String) async throws -> Answer { try await send(.get, path) }

    /// All that is answered.
    func said(_ path: String) async throws -> String { "\(try await get(path).json)" }

    func post(_ path: String, _ body: String) async throws -> Answer { try await send(.post, path, body, as: admin) }

    func put(_ path: String, _ body: String) async throws -> Answer { try await send(.put, path, body, as: admin) }

    func search(_ text: String, _ more: String = "") async throws -> Answer {
        let query = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        let answer = try await get("/api/events/search?q=\(query)\(more)")
        #expect(answer.status == 200)
        return answer
    }

    // MARK: A catalogue

    func addArtist(_ id: String, _ name: String) async throws {
        let answer = try await send(.post, "/api/artists", #"{"id":"\#(id)","name":"\#(name)"}"#, as: admin)
        #expect(answer.status == 201)
    }

    /// Sales are open from `start` until the event starts.
    static func event(
        _ title: String, artist: String = "iu", startsAt: Int64 = Lab.start + 30 * Lab.day, _ more: String = ""
    ) -> String {
        """
        {"title":"\(title)","artistId":"\(artist)","startsAt":"\(Instant.iso8601(startsAt))",
        "salesOpenAt":"\(Instant.iso8601(min(start, startsAt - day)))","salesCloseAt":"\(Instant.iso8601(startsAt))"\(more)}
        """
    }

    func addEvent(
        _ id: String, _ title: String, artist: String = "iu", startsAt: Int64 = Lab.start + 30 * Lab.day,
        _ more: String = ""
    ) async throws {
        let body = Self.event(title, artist: artist, startsAt: startsAt, #","id":"\#(id)"\#(more)"#)
        let answer = try await send(.post, "/api/events", body, as: admin)
        #expect(answer.status == 201, "\(answer)")
    }

    /// As Reservations says it.
    static func availability(_ id: String, soldOut: Bool, at instant: Int64, message: String = UUID().uuidString)
        -> Message
    {
        Message(
            id: message, occurredAt: start + instant,
            body: .eventAvailability(.init(eventId: id, soldOut: soldOut)))
    }

    /// - Parameter at: milliseconds after `start`.
    func tell(_ id: String, soldOut: Bool, at instant: Int64) async throws {
        let message = Self.availability(id, soldOut: soldOut, at: instant)
        #expect(try await EventService.store([message], pool, service.cache) == 1)
    }

    func messages() async throws -> [String] {
        try await pool.withConnection { connection in
            try connection.query("SELECT type || ' ' || data FROM outbox ORDER BY seq").map { try $0.get(0) }
        }
    }
}
