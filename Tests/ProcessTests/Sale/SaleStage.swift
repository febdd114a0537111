import Foundation
import Platform
import Storage
import Synchronization
import TestSupport

@testable import tiketi

/// The shop as it runs in production, on private servers that keep what they were told: Users, Events, Reservations and
/// ingest in one process, Payments in another, and a stand-in for Toss, which nothing happens to.
final class SaleStage: Sendable {
    enum Part: String, CaseIterable {
        /// Users, Events, Reservations and ingest.
        case shop
        /// Payments.
        case till

        fileprivate var services: [String] {
            switch self {
            case .shop: ["users", "events", "reservations", "ingest"]
            case .till: ["payments"]
            }
        }
    }

    static let databases = ["analytics", "users", "events", "reservations", "payments"]
    /// The shortest that the settings allow: whoever vanishes is waited for.
    static let holdSeconds = 10
    /// What Toss doesn't answer within, as far as Payments is concerned.
    static let tossTimeoutSeconds = 1
    /// A webhook is tried again within seconds, not hours.
    static let webhookScale = 0.001

    private let servers: StageServers
    let signingKey = SigningKey.generate()
    private let ports: [Part: Int]
    private let settings: [String: String]
    private let programs = Mutex<[Part: RunningProgram]>([:])
    private let sandbox = Mutex<RunningProgram?>(nil)
    private let rollup = Mutex<RunningProgram?>(nil)
    private let tossAddress = Mutex("")
    private let starts = Mutex(0)

    private init(folder: URL) throws {
        servers = try StageServers(in: folder, databases: Self.databases)
        ports = [.shop: try FreePort.pick(), .till: try FreePort.pick()]
        let settings = [
            "NODE_ID": "sale-0", "MAIL_DIR": folder.appending(path: "mail").path,
            "JWT_SIGNING_KEY": signingKey.seed, "PAYMENTS_SIGNING_KEY": SigningKey.generate().seed,
            "TICKET_SIGNING_KEY": SigningKey.generate().seed, "PUBLIC_URL": "http://127.0.0.1:\(ports[.shop]!)",
            "EVENTS_URL": "http://127.0.0.1:\(ports[.shop]!)", "RESERVATIONS_URL": "http://127.0.0.1:\(ports[.shop]!)",
            "TOSS_SECRET_KEY": "test_sk_sale", "TOSS_CLIENT_KEY": "test_ck_sale", "TOSS_SANDBOX": "true",
            "TOSS_TIMEOUT_SECONDS": "\(Self.tossTimeoutSeconds)", "HOLD_SECONDS": "\(Self.holdSeconds)",
            "PAYMENTS_LEASE_SECONDS": "1", "OUTBOX_LEASE_SECONDS": "1",
        ]
        self.settings = servers.settings.merging(settings) { $1 }
    }

    var folder: URL { servers.folder }
    var postgres: PrivatePostgres { servers.postgres }
    var redis: PrivateRedis { servers.redis }

    /// Runs `body` on a stage of its own; whatever is left of it is ended afterwards.
    static func with<R>(_ body: (SaleStage) async throws -> R) async throws -> R {
        try await withTemporaryFolder { folder in
            let stage = try SaleStage(folder: folder)
            do {
                try await stage.start()
                let result = try await body(stage)
                await stage.stop()
                return result
            } catch {
                print(stage.lastWords)
                await stage.stop()
                throw error
            }
        }
    }

    private func start() async throws {
        try await servers.start()
        let toss = try RunningProgram(
            [
                "toss-sandbox", "--secret-key", "test_sk_sale", "--client-key", "test_ck_sale", "--webhook-url",
                "\(address(of: .till))/api/payments/toss/webhook", "--webhook-scale", "\(Self.webhookScale)",
            ], settings: [:], name: "toss", in: folder)
        sandbox.withLock { $0 = toss }
        let address = try await eventually {
            guard let line = toss.output.split(separator: "\n").first else {
                throw StageServers.StartFailed(description: toss.error)
            }
            return String(line.dropFirst("ready ".count))
        }
        tossAddress.withLock { $0 = address }
    }

    private func stop() async {
        for part in Part.allCases { await kill(part) }
        await endRollup()
        let toss = sandbox.withLock { $0 }
        toss?.signal(SIGTERM)
        await toss?.end()
        await servers.stop()
    }

    // MARK: Addresses

    func address(of part: Part) -> String { "http://127.0.0.1:\(ports[part]!)" }

    var toss: String { tossAddress.withLock { $0 } }

    func configuration(_ database: String) throws -> PostgresConfiguration {
        try PostgresConfiguration(url: postgres.url(database: "\(database)_db"))
    }

    func token(_ user: String, _ role: Role) async throws -> String {
        try await signingKey.mint(
            audience: Audience.allCases, subject: user, role: role, lifetimeSeconds: 86_400,
            now: Int64(Date().timeIntervalSince1970))
    }

    func flushRedis() async throws {
        let pool = RedisPool(try RedisConfiguration(url: redis.url()), connections: 1, logger: silentLogger)
        _ = try? await pool.withConnection { try $0.command(["FLUSHALL"]) }
        await pool.shutdown()
    }

    // MARK: Programs

    /// Runs a command to its end.
    func tiketi(_ arguments: [String]) async throws -> (
        ending: RunningProgram.Ending, output: String, error: String
    ) {
        try await RunningProgram.run(
            arguments, settings: settings, name: arguments.joined(separator: "-"), in: folder)
    }

    /// Starts a part, and doesn't wait for it.
    ///
    /// - Parameter crashAt: `POINT:TIME`, where it is to die.
    @discardableResult
    func launch(_ part: Part, crashAt: String? = nil) throws -> RunningProgram {
        let number = starts.withLock { starts in
            starts += 1
            return starts
        }
        var settings = settings.merging(["TOSS_API_URL": toss]) { $1 }
        settings["TIKETI_CRASH_AT"] = crashAt
        let program = try RunningProgram(
            ["serve"] + part.services + ["--port", "\(ports[part]!)"], settings: settings,
            name: "\(part)-\(number)", in: folder)
        programs.withLock { $0[part] = program }
        return program
    }

    /// Folds and derives beside all else.
    func startRollup() throws {
        let program = try RunningProgram(
            ["rollup", "run", "--follow"], settings: settings, name: "follow", in: folder)
        rollup.withLock { $0 = program }
    }

    /// Has it end in good order.
    @discardableResult
    func endRollup() async -> RunningProgram.Ending? {
        let program = rollup.withLock { $0 }
        program?.signal(SIGTERM)
        return await program?.end()
    }

    func program(_ part: Part) -> RunningProgram? { programs.withLock { $0[part] } }

    func isRunning(_ part: Part) -> Bool { program(part).map { !$0.hasEnded } ?? false }

    func kill(_ part: Part) async {
        let program = program(part)
        program?.signal(SIGKILL)
        await program?.end()
    }

    private static let maxLastWords = 2

    /// The ends of what the parts logged last, for a failed test.
    var lastWords: String { servers.lastWords(of: Part.allCases.map(\.rawValue), count: Self.maxLastWords) }
}
