import AsyncHTTPClient
import Core
import EventService
import Foundation
import NIOCore
import NIOHTTP1
import Platform
import Storage

/// Where tickets are sold: the services in one process, the sandbox in another, Postgres and Redis.
struct BookingStage {
    static let services = ["users", "events", "reservations", "payments", "ingest"]
    /// What readers must know of all the figures.
    static let conditions =
        "users, events, reservations, payments and ingest in one process, the Toss sandbox in another, Postgres (fsync, synchronous_commit), Redis and the buyers on the same cores"
    static let price: Int64 = 110_000
    static let maxReady = Duration.seconds(60)
    /// For payments that are told and messages that are published at the end.
    static let maxSettling = Duration.seconds(60)
    /// Seconds; beyond the longest run.
    private static let tokenLifetime: Int64 = 3600

    private let stage: BenchStage
    private let reservations: PostgresPool
    private let payments: PostgresPool
    private let served: BenchProcess
    private let port: Int
    private let sandbox: BenchProcess
    private let sandboxPort: Int

    static func with<R>(_ body: (BookingStage) async throws -> R) async throws -> R {
        _ = OpenFileLimit.raise()
        return try await BenchStage.with { bench in
            let sandbox = try BenchProcess.tiketi(
                ["toss-sandbox", "--secret-key", DevSandbox.secretKey, "--client-key", DevSandbox.clientKey],
                settings: ["LOG_LEVEL": "warning"], in: bench.folder)
            return try await BenchStage.running(sandbox) {
                let sandboxPort = try await Self.port(of: sandbox)
                let stage = bench.adding([
                    "TOSS_SECRET_KEY": DevSandbox.secretKey, "TOSS_CLIENT_KEY": DevSandbox.clientKey,
                    "TOSS_API_URL": "http://127.0.0.1:\(sandboxPort)", "TOSS_SANDBOX": "true",
                    "PUBLIC_URL": "http://127.0.0.1:8080",
                ])
                for database in [Migrator.Database.users, .events, .reservations, .payments] {
                    try await stage.withPool(of: database) { _ = try await Migrator(database).migrate($0) }
                }
                return try await stage.serving(Self.services) { served, port in
                    try await stage.withPool(of: .reservations) { reservations in
                        try await stage.withPool(of: .payments) { payments in
                            try await body(
                                BookingStage(
                                    stage: stage, reservations: reservations, payments: payments, served: served,
                                    port: port, sandbox: sandbox, sandboxPort: sandboxPort))
                        }
                    }
                }
            }
        }
    }

    private static func port(of sandbox: BenchProcess) async throws -> Int {
        let deadline = ContinuousClock.now + maxReady
        while ContinuousClock.now < deadline {
            try sandbox.checkRunning()
            if let line = sandbox.said.split(separator: "\n").first(where: { $0.hasPrefix("ready ") }),
                let port = line.split(separator: ":").last.flatMap({ Int($0) })
            {
                return port
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BenchProcess.Failed(description: "the sandbox did not get ready")
    }

    // MARK: Before

    /// Puts an event on sale.
    ///
    /// - Returns: its seats' ids, in the order of the layout.
    func announce(_ id: String, _ layout: SeatLayout) async throws -> [String] {
        let now = ProcessSettings.clock()
        var catalogue = Catalogue()
        catalogue.artists = [.init(id: "artist", name: "가수")]
        var draft = EventDraft(
            title: "콘서트 \(id)", artistId: "artist", startsAt: now + 30 * 86_400_000, salesOpenAt: now - 86_400_000,
            salesCloseAt: now + 29 * 86_400_000)
        draft.description = ""
        catalogue.events = [.init(id: id, draft: draft, layout: layout)]
        let settings = Settings(environment: stage.settings)
        let service = try await EventService(
            EventService.Configuration(
                database: try settings.database("EVENTS_DATABASE_URL"), redis: try settings.redis(),
                keys: .fixed(try await VerifyingKeys()), clock: ProcessSettings.clock),
            metrics: Metrics(), logger: stage.logger)
        do {
            _ = try await service.load(catalogue)
        } catch {
            await service.shutdown()
            throw error
        }
        await service.shutdown()
        // Whoever comes first has it copied: nobody of those who are measured.
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/seats/event/\(id)"), timeout: .seconds(30))
        guard response.status == .ok else {
            throw BenchProcess.Failed(description: "the seats of \(id): \(response.status)")
        }
        return layout.sections.flatMap { section in
            section.rows.flatMap { row in (1...row.seats).map { "\(section.name)-\(row.name)-\($0)" } }
        }
    }

    /// Tokens, each of a user of his own.
    func buyers(_ name: String, count: Int) async throws -> [String] {
        guard let key = try Settings(environment: stage.settings).signingKey("JWT_SIGNING_KEY") else { return [] }
        let now = ProcessSettings.clock() / 1000
        var tokens: [String] = []
        for number in 0..<count {
            tokens.append(
                try await key.mint(
                    audience: [.users, .events, .reservations, .payments, .queue, .media],
                    subject: "\(name)-\(number)", role: .user, lifetimeSeconds: Self.tokenLifetime, now: now))
        }
        return tokens
    }

    func load(
        _ eventId: String, _ seats: [String], _ buyers: [Buyer], connections: Int, seed: UInt64
    ) -> BookingLoad {
        BookingLoad(
            port: port, sandboxPort: sandboxPort, eventId: eventId, seatIds: seats, buyers: buyers,
            connections: connections, seed: seed)
    }

    // MARK: After

    /// - Parameter told: tickets that buyers were told of before.
    /// - Returns: those that they have been told of now, in all; each seat of each event so far.
    /// - Throws: `BookingBench.NotAgreed`
    func check(_ result: BookingLoad.Result, told: Int) async throws -> Int {
        let told = told + result.tickets
        let seats = try await reservations.withConnection {
            try $0.query("SELECT count(*) FROM seats")[0].get(0, as: Int.self)
        }
        var differences = result.failures
        if result.failed > 0 { differences.append("\(result.failed) buyers had an answer that isn't clean") }
        if result.serverErrors > 0 { differences.append("\(result.serverErrors) answers of 5xx") }
        differences += try await BookingBooks.read(
            reservations: reservations, payments: payments, sandboxPort: sandboxPort
        ).differences(told: told, seats: seats)
        guard differences.isEmpty else { throw BookingBench.NotAgreed(differences: differences) }
        return told
    }

    // MARK: What it costs

    /// How long each process has computed, in milliseconds.
    func time() -> BookingCost {
        let (postgres, redis) = stage.serverPids()
        return BookingCost(
            services: ProcessorTime.milliseconds(of: served.pid),
            postgres: postgres.map { ProcessorTime.milliseconds(of: $0) } ?? 0,
            redis: redis.map { ProcessorTime.milliseconds(of: $0) } ?? 0,
            sandbox: ProcessorTime.milliseconds(of: sandbox.pid), load: ProcessorTime.own)
    }

    /// Transactions that have written something since the server began.
    func writingTransactions() async throws -> Int64 {
        try await reservations.withConnection {
            try $0.query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0].get(0)
        }
    }
}
