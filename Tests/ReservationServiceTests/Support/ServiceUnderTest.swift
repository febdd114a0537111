import Core
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Storage
import TestSupport

@testable import ReservationService

/// The service over a database, a Redis and a catalogue of the test's own.
struct ServiceUnderTest: Sendable {
    let service: ReservationService
    let pool: PostgresPool
    let redis: TestRedis
    let catalogue: TestCatalogue
    let clock: TestClock
    let users: SigningKey
    let payments: SigningKey
    let queue: SigningKey
    let metrics: Metrics

    var store: ReservationStore { service.store }

    static func run<R: Sendable>(
        holdSeconds: Int = 600, redisURL: String? = nil, hasQueue: Bool = true,
        maxLiveReservations: Int = ReservationService.Configuration.defaultMaxLiveReservations,
        maxHoldsPerHour: Int = ReservationService.Configuration.defaultMaxHoldsPerHour,
        _ body: @escaping @Sendable (ServiceUnderTest) async throws -> R
    ) async throws -> R {
        try await withDatabase(of: .reservations) { database, pool in
            try await withRedis { redis in
                let catalogue = TestCatalogue()
                return try await TestCatalogue.serve(catalogue) { url in
                    let clock = TestClock()
                    let (users, payments, queue) = (SigningKey.generate(), SigningKey.generate(), SigningKey.generate())
                    var configuration = ReservationService.Configuration(
                        database: database,
                        redis: try redisURL.map { try RedisConfiguration(url: $0) } ?? redis.configuration,
                        keys: .fixed(try await VerifyingKeys(users)), ticketKey: try TicketKey(SigningKey.generate()),
                        eventsURL: { url }, clock: { clock.now })
                    configuration.paymentsKeys = .fixed(try await VerifyingKeys(payments))
                    configuration.queueKeys = hasQueue ? .fixed(try await VerifyingKeys(queue)) : nil
                    configuration.holdSeconds = holdSeconds
                    configuration.maxLiveReservations = maxLiveReservations
                    configuration.maxHoldsPerHour = maxHoldsPerHour
                    let metrics = Metrics()
                    let service = try await ReservationService(configuration, metrics: metrics, logger: testLogger)
                    let test = ServiceUnderTest(
                        service: service, pool: pool, redis: redis, catalogue: catalogue, clock: clock, users: users,
                        payments: payments, queue: queue, metrics: metrics)
                    do {
                        let result = try await body(test)
                        await service.shutdown()
                        return result
                    } catch {
                        await service.shutdown()
                        throw error
                    }
                }
            }
        }
    }

    /// An event that has been copied.
    func event(_ change: (inout TestCatalogue.Event) -> Void = { _ in }) async throws -> TestCatalogue.Event {
        var event = TestCatalogue.Event()
        change(&event)
        catalogue.put(event)
        try await service.copies.require(event.id)
        return event
    }

    func hold(
        _ event: TestCatalogue.Event, _ buyer: String, _ seats: [String]
    ) async throws -> ReservationStore.HoldOutcome {
        try await store.hold(.init(eventId: event.id, buyer: buyer, seatIds: seats))
    }

    /// The id of what was held.
    func held(_ event: TestCatalogue.Event, _ buyer: String, _ seats: [String]) async throws -> String {
        guard case .held(let held) = try await hold(event, buyer, seats) else {
            throw Unexpected(what: "not held: \(try await hold(event, buyer, seats))")
        }
        return held.id
    }

    /// A reservation that is paid, and its tickets.
    func paid(
        _ event: TestCatalogue.Event, _ buyer: String, _ seats: [String], payment: String = "payment-1"
    ) async throws -> (id: String, tickets: [String]) {
        let id = try await held(event, buyer, seats)
        try await store.confirming(id, paymentId: payment, amount: event.price * Int64(seats.count))
        return (id, try await store.sold(id, paymentId: payment, approvedAt: clock.now))
    }

    struct Unexpected: Error {
        let what: String
    }

    // MARK: What is there

    func state(_ id: String) async throws -> Reservation.State {
        guard let reservation = try await store.find(id) else { throw Unexpected(what: "no \(id)") }
        return reservation.state
    }

    /// Seats by who has them.
    func claims() async throws -> [String: String] {
        try await pool.withConnection { connection in
            var claims: [String: String] = [:]
            for row in try connection.query("SELECT seat_id, reservation_id, state FROM seat_claims") {
                claims[try row.get(0)] = "\(try row.get(1, as: String.self)) \(try row.get(2, as: String.self))"
            }
            return claims
        }
    }

    /// Ids of the messages in the outbox, in their order.
    func messages() async throws -> [String] {
        try await pool.withConnection { connection in
            try connection.query("SELECT message_id FROM outbox ORDER BY seq").map { try $0.get(0) }
        }
    }

    /// What must hold whatever has happened.
    func brokenInvariants() async throws -> [String] {
        let checks: [(String, SQL)] = [
            (
                "a live reservation has other claims than its seats",
                """
                SELECT r.id FROM reservations r WHERE r.state IN ('held', 'confirming')
                    AND r.seat_ids <> ARRAY(SELECT c.seat_id FROM seat_claims c
                        WHERE c.reservation_id = r.id AND c.state = r.state ORDER BY c.seat_id)
                """
            ),
            (
                "a paid reservation has other claims than its tickets",
                """
                SELECT r.id FROM reservations r WHERE r.state = 'paid'
                    AND ARRAY(SELECT t.seat_id FROM tickets t WHERE t.reservation_id = r.id AND t.state <> 'void'
                        ORDER BY t.seat_id)
                    <> ARRAY(SELECT c.seat_id FROM seat_claims c
                        WHERE c.reservation_id = r.id AND c.state = 'sold' ORDER BY c.seat_id)
                """
            ),
            (
                "a claim of a reservation that has ended",
                """
                SELECT c.seat_id FROM seat_claims c JOIN reservations r ON r.id = c.reservation_id
                WHERE r.state IN ('expired', 'canceled')
                """
            ),
            (
                "a claim without a reservation",
                """
                SELECT c.seat_id FROM seat_claims c LEFT JOIN reservations r ON r.id = c.reservation_id
                WHERE r.id IS NULL
                """
            ),
            (
                "a seat that two have",
                """
                SELECT seat_id FROM seat_claims GROUP BY event_id, seat_id HAVING count(*) > 1
                UNION ALL
                SELECT seat_id FROM tickets WHERE state <> 'void' GROUP BY event_id, seat_id HAVING count(*) > 1
                """
            ),
            (
                "an amount that is not the sum of its prices",
                "SELECT id FROM reservations WHERE amount <> (SELECT sum(p) FROM unnest(prices) AS p)"
            ),
            (
                "more given back than was paid",
                """
                SELECT r.id FROM reservations r JOIN cancellations c ON c.reservation_id = r.id
                GROUP BY r.id, r.amount HAVING sum(c.amount) > r.amount
                """
            ),
            (
                "an ended hold that is not told of, or the other way round",
                """
                SELECT r.id FROM reservations r
                WHERE (r.state = 'expired') AND NOT EXISTS (
                    SELECT FROM outbox o WHERE o.message_id = 'reservation.expired:' || r.id)
                """
            ),
        ]
        return try await pool.withConnection { connection in
            try checks.compactMap { what, sql in
                let found = try connection.query(sql)
                return found.isEmpty ? nil : "\(what): \(found.count)"
            }
        }
    }

    // MARK: HTTP

    func application() -> some ApplicationProtocol {
        let router = Router(context: ServiceContext.self)
        router.add(middleware: ProblemMiddleware())
        service.addRoutes(to: router)
        return Application(router: router, logger: testLogger)
    }

    func token(_ subject: String, _ role: Role = .user) async throws -> HTTPFields {
        let now = clock.now / 1000
        return [
            .authorization: "Bearer "
                + (try await users.mint(
                    audience: [.reservations], subject: subject, role: role, lifetimeSeconds: 86_400 * 90, now: now))
        ]
    }

    func paymentsToken() async throws -> HTTPFields {
        [
            .authorization: "Bearer "
                + (try await payments.mint(
                    issuer: "tiketi-payments", audience: [.reservations], subject: "payments", role: .service,
                    lifetimeSeconds: 86_400 * 90, now: clock.now / 1000))
        ]
    }

    /// As the queue will sign it.
    func admission(
        _ buyer: String, _ eventId: String, id: String = UUID().uuidString, key: SigningKey? = nil,
        issuer: String = "tiketi-queue", audience: String = "tiketi-reservations", seconds: Int64 = 300
    ) throws -> String {
        let key = key ?? queue
        func base64URL(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        let header = base64URL(Data(#"{"alg":"EdDSA","typ":"JWT","kid":"\#(key.keyID)"}"#.utf8))
        let claims =
            #"{"iss":"\#(issuer)","aud":"\#(audience)","sub":"\#(buyer)","event":"\#(eventId)","jti":"\#(id)","#
            + #""exp":\#(clock.now / 1000 + seconds)}"#
        let signed = header + "." + base64URL(Data(claims.utf8))
        let seed = Data(
            base64Encoded: key.seed.replacing("-", with: "+").replacing("_", with: "/") + "=")!
        let signature = try Curve25519.Signing.PrivateKey(rawRepresentation: seed).signature(for: Data(signed.utf8))
        return signed + "." + base64URL(signature)
    }
}

/// An answer, with its JSON read.
struct TestAnswer {
    let status: Int
    let headers: HTTPFields
    let text: String

    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:]
    }

    var code: String? { json["code"] as? String }
}

extension TestClientProtocol {
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields = [:], body: String? = nil
    ) async throws -> TestAnswer {
        var headers = headers
        if body != nil { headers[.contentType] = "application/json" }
        return try await execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
        ) { response in
            TestAnswer(
                status: Int(response.status.code), headers: response.headers, text: String(buffer: response.body))
        }
    }
}
