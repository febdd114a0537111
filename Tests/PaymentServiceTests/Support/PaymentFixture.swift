import AsyncHTTPClient
import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import Platform
import Storage
import TestSupport
import Testing
import TossSandbox

@testable import PaymentService

/// Payments with the sandbox and a stand-in for Reservations, each over real HTTP, on one turned clock.
struct PaymentFixture: Sendable {
    static let secretKey = "test_sk_fixture"
    static let user = "11111111-1111-4111-8111-111111111111"
    static let stranger = "22222222-2222-4222-8222-222222222222"

    let clock: TestClock
    let service: PaymentService
    let reservations: ReservationStandIn
    /// For other processes.
    let database: PostgresConfiguration
    let postgres: PostgresPool
    let redis: TestRedis
    let tossPort: Int
    let metrics: Metrics
    private let key: SigningKey
    private let application: Application<RouterResponder<ServiceContext>>

    static func run(
        _ change: @escaping @Sendable (inout PaymentService.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (PaymentFixture) async throws -> Void
    ) async throws {
        let clock = TestClock()
        let key = SigningKey.generate()
        let own = SigningKey.generate()
        let reservations = try await ReservationStandIn(clock: clock, key: own)
        var sandbox = TossSandbox.Configuration(
            secretKey: secretKey, clientKey: "test_ck_fixture", clock: { clock.now })
        sandbox.holdMs = 1_500
        let toss = try TossSandbox(sandbox, logger: testLogger)
        try await withDatabase(of: .payments) { configuration, pool in
            try await withRedis { redis in
                try await Application(router: toss.router, logger: testLogger).test(.live) { tossClient in
                    try await Application(router: reservations.router, logger: testLogger).test(.live) { client in
                        let tossPort = tossClient.port!
                        let reservationPort = client.port!
                        var settings = PaymentService.Configuration(
                            database: configuration, redis: redis.configuration,
                            keys: .fixed(try await VerifyingKeys(key)), nodeName: "test", tossSecretKey: secretKey,
                            tossClientKey: "test_ck_fixture",
                            tossURL: { URL(string: "http://localhost:\(tossPort)") },
                            reservationsURL: { URL(string: "http://localhost:\(reservationPort)") },
                            publicURL: { URL(string: "https://tiketi.example") }, isSandbox: true, signingKey: own,
                            clock: { clock.now })
                        settings.tossTimeoutMs = 1_000
                        change(&settings)
                        let metrics = Metrics()
                        let service = try await PaymentService(settings, metrics: metrics, logger: testLogger)
                        let router = Router(context: ServiceContext.self)
                        router.add(middleware: ProblemMiddleware())
                        service.addRoutes(to: router)
                        let fixture = PaymentFixture(
                            clock: clock, service: service, reservations: reservations, database: configuration,
                            postgres: pool, redis: redis,
                            tossPort: tossPort, metrics: metrics, key: key,
                            application: Application(router: router, logger: testLogger))
                        do { try await body(fixture) } catch {
                            await service.shutdown()
                            throw error
                        }
                        await service.shutdown()
                    }
                }
            }
        }
    }

    // MARK: Requests to Payments

    struct Answer {
        var status: Int
        var headers: HTTPFields
        var json: [String: JSONValue]

        subscript(text name: String) -> String? {
            if case .string(let text)? = json[name] { text } else { nil }
        }
        subscript(number name: String) -> Int64? {
            if case .integer(let number)? = json[name] { number } else { nil }
        }
        subscript(array name: String) -> [JSONValue] {
            if case .array(let values)? = json[name] { values } else { [] }
        }
    }

    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, as user: String? = PaymentFixture.user,
        role: Role = .user, headers extra: HTTPFields = [:], audience: Audience = .payments
    ) async throws -> Answer {
        var headers = extra
        if let user {
            let token = try await key.mint(
                audience: [audience], subject: user, role: role, lifetimeSeconds: 600, now: clock.now / 1000)
            headers[.authorization] = "Bearer \(token)"
        }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await application.test(.router) { [headers] client in
            let response = try await client.execute(
                uri: "/api/payments\(path)", method: method, headers: headers,
                body: body.map { ByteBuffer(string: $0) })
            return Answer(
                status: response.status.code, headers: response.headers,
                json: Self.object(Array(response.body.readableBytesView)))
        }
    }

    static func object(_ bytes: [UInt8]) -> [String: JSONValue] {
        if case .object(let members)? = JSONValue(bytes, maxValues: .max) {
            members
        } else {
            [:]
        }
    }

    // MARK: A buyer

    struct Order {
        var reservation: String
        var paymentId: String
        var orderId: String
        var amount: Int64
    }

    func order(amount: Int64 = 110_000, holdMs: Int64 = 300_000) async throws -> Order {
        let reservation = reservations.add(user: Self.user, amount: amount, holdMs: holdMs)
        let answer = try await call(.post, "/toss/request", #"{"reservationId":"\#(reservation)"}"#)
        try #require(answer.status == 200)
        return Order(
            reservation: reservation, paymentId: try #require(answer[text: "paymentId"]),
            orderId: try #require(answer[text: "orderId"]), amount: try #require(answer[number: "amount"]))
    }

    /// Authenticates at the sandbox, as the pay page does.
    func pay(_ order: Order, amount: Int64? = nil) async throws -> String {
        let answer = try await toss(
            .POST, "/sandbox/payments", #"{"orderId":"\#(order.orderId)","amount":\#(amount ?? order.amount)}"#)
        guard case .string(let key)? = answer.json["paymentKey"] else { throw Missing() }
        return key
    }

    func confirm(_ order: Order, key: String, amount: Int64? = nil) async throws -> Answer {
        try await call(
            .post, "/toss/confirm",
            #"{"paymentKey":"\#(key)","orderId":"\#(order.orderId)","amount":\#(amount ?? order.amount)}"#)
    }

    /// A payment with its tickets.
    func bought(amount: Int64 = 110_000) async throws -> Order {
        let order = try await order(amount: amount)
        let answer = try await confirm(order, key: try await pay(order))
        try #require(answer.status == 200)
        return order
    }

    func payment(_ order: Order) async throws -> Answer {
        try await call(.get, "/\(order.paymentId)", as: Self.user)
    }

    func state(_ order: Order) async throws -> String? { try await payment(order)[text: "state"] }

    // MARK: The sandbox

    struct Missing: Error {}

    @discardableResult
    func toss(
        _ method: HTTPMethodName, _ path: String, _ body: String? = nil
    ) async throws -> (status: Int, json: [String: JSONValue]) {
        var request = HTTPClientRequest(url: "http://localhost:\(tossPort)\(path)")
        request.method = .init(rawValue: method.rawValue)
        request.headers.add(
            name: "Authorization", value: "Basic " + Data("\(Self.secretKey):".utf8).base64EncodedString())
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), Self.object(Array(bytes.readableBytesView)))
    }

    enum HTTPMethodName: String { case GET, POST }

    func fault(_ call: String, _ fault: String, times: Int = 1) async throws {
        try await toss(.POST, "/sandbox/faults", #"{"call":"\#(call)","fault":"\#(fault)","times":\#(times)}"#)
    }

    /// What Toss has taken and given back.
    func money(_ order: Order) async throws -> (taken: Int64, givenBack: Int64) {
        let books = try await toss(.GET, "/sandbox/books").json
        guard case .array(let orders)? = books["orders"] else { throw Missing() }
        for case .object(let one) in orders where one["orderId"] == .string(order.orderId) {
            if case .integer(let taken)? = one["taken"], case .integer(let back)? = one["givenBack"] {
                return (taken, back)
            }
        }
        return (0, 0)
    }

    // MARK: Work

    /// Turns the clock, and does what is due, until nothing is for a while.
    func settle(turns: Int = 12, stepMs: Int64 = 61_000) async throws {
        for _ in 0..<turns {
            clock.advance(stepMs)
            try await service.work()
        }
    }

    /// The messages in the outbox, as `type`, in order.
    func messages() async throws -> [String] {
        try await postgres.withConnection { try $0.query("SELECT type FROM outbox ORDER BY seq").map { try $0.get(0) } }
    }
}
