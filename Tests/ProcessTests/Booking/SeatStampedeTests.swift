import Foundation
import NIOHTTP1
import Platform
import Storage
import TestSupport
import Testing

@testable import tiketi

/// Three hundred buyers for thirty seats, over HTTP, against the services and the sandbox as processes. What the guard
/// against two for one seat is worth, StampedeTests of ReservationServiceTests shows without it.
@Suite(.timeLimit(.minutes(5))) struct SeatStampedeTests {
    static let buyers = 300
    static let rows = 3
    static let seatsOfRow = 10

    @Test func everySeatIsSoldOnceAndEverybodyElseIsToldSo() async throws {
        try await withTemporaryFolder { folder in
            try await withDatabase(of: .users) { users, _ in
                try await withDatabase(of: .events) { events, _ in
                    try await withDatabase(of: .reservations) { reservations, reservationsPool in
                        try await withDatabase(of: .payments) { payments, paymentsPool in
                            try await withRedis { redis in
                                let urls = [
                                    "USERS_DATABASE_URL": users.url, "EVENTS_DATABASE_URL": events.url,
                                    "RESERVATIONS_DATABASE_URL": reservations.url,
                                    "PAYMENTS_DATABASE_URL": payments.url, "REDIS_URL": redis.url,
                                ]
                                try await stampede(urls, reservationsPool, paymentsPool, folder)
                            }
                        }
                    }
                }
            }
        }
    }

    private func stampede(
        _ urls: [String: String], _ reservations: PostgresPool, _ payments: PostgresPool, _ folder: URL
    ) async throws {
        let sandbox = try RunningProgram(["toss-sandbox"], settings: [:], name: "sandbox", in: folder)
        let sandboxPort = try await port("ready http://127.0.0.1:", in: { sandbox.output })
        let key = SigningKey.generate()
        let settings = [
            "JWT_SIGNING_KEY": key.seed, "PAYMENTS_SIGNING_KEY": SigningKey.generate().seed,
            "TICKET_SIGNING_KEY": SigningKey.generate().seed, "TOSS_SECRET_KEY": DevSandbox.secretKey,
            "TOSS_CLIENT_KEY": DevSandbox.clientKey, "TOSS_API_URL": "http://127.0.0.1:\(sandboxPort)",
            "TOSS_SANDBOX": "true", "PUBLIC_URL": "http://127.0.0.1:8080", "NODE_ID": "stampede",
            "MAIL_DIR": folder.appending(path: "mail").path,
        ]
        let shop = try RunningProgram(
            ["serve", "users", "events", "reservations", "payments", "--port", "0"],
            settings: settings.merging(urls) { $1 }, name: "shop", in: folder)
        let port = try await port(#""message":"listening""#, in: { shop.error })
        try await announce("concert", at: port, key)

        var random = SeededGenerator()
        print("stampede: \(random)")
        let seatIds = (1...Self.rows).flatMap { row in (1...Self.seatsOfRow).map { "A-\(row)-\($0)" } }
        var buyers: [Buyer] = []
        for number in 0..<Self.buyers {
            buyers.append(
                Buyer(
                    number: number, token: try await token("buyer-\(number)", .user, key),
                    seat: seatIds.indices.randomElement(using: &random)!))
        }
        let result = try await BookingLoad(
            port: port, sandboxPort: sandboxPort, eventId: "concert", seatIds: seatIds, buyers: buyers,
            connections: 64, seed: UInt64.random(in: 0 ... .max, using: &random)
        ).run()
        #expect(result.failures == [] && result.failed == 0 && result.serverErrors == 0)
        #expect(result.tickets == seatIds.count)
        #expect(result.soldOut + result.gaveUp == Self.buyers - seatIds.count)
        #expect(result.refused.count > 0)
        let books = try await BookingBooks.read(
            reservations: reservations, payments: payments, sandboxPort: sandboxPort)
        #expect(books.differences(told: result.tickets, seats: seatIds.count) == [])

        for program in [shop, sandbox] {
            program.signal(SIGTERM)
            #expect(await program.end() == .exited(0), "\(program.error)")
        }
    }

    /// The number that a line with `mark` ends with, or names as its port.
    private func port(_ mark: String, in said: @escaping @Sendable () -> String) async throws -> Int {
        try await eventually {
            guard let line = said().split(separator: "\n").first(where: { $0.contains(mark) }),
                let number = line.firstMatch(of: /(?:"port":"|127\.0\.0\.1:)([0-9]+)/)?.1, let port = Int(number),
                port > 0
            else { throw NotYet(what: said()) }
            return port
        }
    }

    private func token(_ subject: String, _ role: Role, _ key: SigningKey) async throws -> String {
        try await key.mint(
            audience: [.users, .events, .reservations, .payments], subject: subject, role: role, lifetimeSeconds: 3600,
            now: Int64(Date().timeIntervalSince1970))
    }

    private func announce(_ id: String, at port: Int, _ key: SigningKey) async throws {
        let admin = ShopClient(address: "http://127.0.0.1:\(port)", token: try await token("admin", .admin, key))
        func instant(_ days: Double) -> String { Date(timeIntervalSinceNow: days * 86_400).formatted(.iso8601) }
        _ = try await admin.ask(.POST, "/api/artists", #"{"id":"iu","name":"아이유"}"#, expecting: 201)
        _ = try await admin.ask(
            .POST, "/api/events",
            """
            {"id":"\(id)","title":"아이유 콘서트","artistId":"iu","startsAt":"\(instant(30))",
             "salesOpenAt":"\(instant(-1))","salesCloseAt":"\(instant(29))"}
            """, expecting: 201)
        let rows = (1...Self.rows).map { #"{"name":"\#($0)","seats":\#(Self.seatsOfRow)}"# }.joined(separator: ",")
        _ = try await admin.ask(
            .PUT, "/api/events/\(id)/layout",
            #"{"sections":[{"name":"A","price":110000,"rows":[\#(rows)]}]}"#)
    }
}
