import AsyncHTTPClient
import Foundation
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

/// Payments is killed at each moment that matters, once while a ticket is bought and once while a part is given back; the
/// process after it goes on. Toss (the sandbox's books) and Reservations are the judges.
@Suite(.timeLimit(.minutes(5))) struct PaymentCrashTests {
    private static let user = "11111111-1111-4111-8111-111111111111"

    @Test(arguments: PaymentCrashPoint.allCases)
    func aKillLosesAndDoublesNothing(point: PaymentCrashPoint) async throws {
        let clock = TestClock(isReal: true)
        let key = SigningKey.generate()
        let own = SigningKey.generate()
        let reservations = try await ReservationStandIn(clock: clock, key: own)
        let toss = try TossSandbox(
            .init(secretKey: "test_sk_crash", clientKey: "ck", clock: { clock.now }), logger: testLogger)
        try await withTemporaryFolder { folder in
            try await withDatabase(of: .payments) { database, pool in
                try await withRedis { redis in
                    try await Application(router: toss.router, logger: testLogger).test(.live) { tossClient in
                        try await Application(router: reservations.router, logger: testLogger).test(.live) { client in
                            let settings = [
                                "PAYMENTS_DATABASE_URL": database.url, "REDIS_URL": redis.url,
                                "JWT_SIGNING_KEY": key.seed, "PAYMENTS_SIGNING_KEY": own.seed,
                                "TOSS_SECRET_KEY": "test_sk_crash", "TOSS_CLIENT_KEY": "ck",
                                "TOSS_API_URL": "http://localhost:\(tossClient.port!)",
                                "RESERVATIONS_URL": "http://localhost:\(client.port!)",
                                "PUBLIC_URL": "http://localhost", "PAYMENTS_LEASE_SECONDS": "1", "NODE_ID": "crash",
                            ]
                            try await Self.run(
                                point, settings, folder: folder, pool: pool, key: key, reservations: reservations,
                                tossPort: tossClient.port!)
                        }
                    }
                }
            }
        }
    }

    private static func run(
        _ point: PaymentCrashPoint, _ settings: [String: String], folder: URL, pool: PostgresPool, key: SigningKey,
        reservations: ReservationStandIn, tossPort: Int
    ) async throws {
        let victim = try RunningProgram(
            ["serve", "payments", "--port", "0"],
            settings: settings.merging(["TIKETI_CRASH_AT": "\(point.rawValue):1"]) { $1 }, name: "victim", in: folder)
        let address = try await address(of: victim)
        let reservation = reservations.add(user: user, holdMs: 3_600_000)
        let order = try await call(
            "\(address)/toss/request", #"{"reservationId":"\#(reservation)"}"#, key, .user)
        guard case .string(let orderId)? = order["orderId"], case .string(let payment)? = order["paymentId"] else {
            Issue.record("no order: \(order) \(victim.error)")
            return
        }
        let paid = try await call(
            "http://localhost:\(tossPort)/sandbox/payments", #"{"orderId":"\#(orderId)","amount":110000}"#, key, .user)
        guard case .string(let paymentKey)? = paid["paymentKey"] else {
            Issue.record("no payment: \(paid)")
            return
        }
        let confirmation = #"{"paymentKey":"\#(paymentKey)","orderId":"\#(orderId)","amount":110000}"#
        let refund = #"{"amount":10000,"reason":"test"}"#
        // Either the one or the other ends it; what was asked for once is asked for again, as people do.
        while !victim.hasEnded {
            _ = try? await call("\(address)/toss/confirm", confirmation, key, .user)
            _ = try? await call("\(address)/\(payment)/refund", refund, key, .admin)
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(await victim.end() == .signaled(SIGKILL))
        #expect(victim.error.contains("\(CrashPlan.mark)\(point.rawValue)"))

        let heir = try RunningProgram(
            ["serve", "payments", "--port", "0"], settings: settings, name: "heir", in: folder)
        let next = try await Self.address(of: heir)
        // The suite's time limit ends a wait for nothing.
        var (refunded, state): (Int64, String) = (0, "")
        while refunded != 10_000 || state != "ticketed" {
            _ = try? await call("\(next)/toss/confirm", confirmation, key, .user)
            _ = try? await call("\(next)/\(payment)/refund", refund, key, .admin)
            try await Task.sleep(for: .milliseconds(100))
            (refunded, state) = try await pool.withConnection { connection in
                let row = try connection.query("SELECT refunded, state FROM payments WHERE payment_id = \(payment)")[0]
                return (try row.get(0), try row.get(1))
            }
        }
        #expect(reservations[reservation].state == "paid")
        let books = try await call("http://localhost:\(tossPort)/sandbox/books", nil, key, .user)
        #expect(
            books["orders"]
                == .array([
                    .object(["orderId": .string(orderId), "taken": .integer(110_000), "givenBack": .integer(10_000)])
                ]))
        heir.signal(SIGTERM)
        await heir.end()
        let messages = try await pool.withConnection {
            try $0.query("SELECT type FROM outbox ORDER BY seq").map { try $0.get(0, as: String.self) }
        }
        #expect(messages == ["payment.completed", "payment.refunded"])
    }

    private struct NotYet: Error {}

    private static func address(of program: RunningProgram) async throws -> String {
        while true {
            for line in program.error.split(separator: "\n") where line.contains(#""message":"listening""#) {
                if let port = line.firstMatch(of: /"port":"([0-9]+)"/)?.1, port != "0" {
                    return "http://127.0.0.1:\(port)/api/payments"
                }
            }
            if program.hasEnded {
                Issue.record("it ended: \(program.error)")
                throw NotYet()
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func call(
        _ url: String, _ body: String?, _ key: SigningKey, _ role: Role
    ) async throws -> [String: JSONValue] {
        var request = HTTPClientRequest(url: url)
        let token = try await key.mint(
            audience: [.payments], subject: user, role: role, lifetimeSeconds: 600,
            now: TestClock(isReal: true).now / 1000)
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        request.headers.add(name: "Idempotency-Key", value: "one")
        if let body {
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        return PaymentFixture.object(Array(try await response.body.collect(upTo: 1 << 20).readableBytesView))
    }
}
