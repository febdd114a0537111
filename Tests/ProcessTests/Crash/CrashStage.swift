import Foundation
import Platform
import Storage
import Synchronization
import TestSupport

/// The pipeline as it runs in production: private Postgres and Redis that keep what they were told, and one process
/// each for ingest and rollup. Any of them can be killed and started again.
final class CrashStage: Sendable {
    let folder: URL
    let postgres: PrivatePostgres
    let redis: PrivateRedis
    let settings: [String: String]
    private let ingest = Mutex<RunningProgram?>(nil)
    private let rollup = Mutex<RunningProgram?>(nil)
    private let starts = Mutex(0)

    struct StartFailed: Error, CustomStringConvertible {
        let description: String
    }

    init(folder: URL) throws {
        self.folder = folder
        postgres = try PrivatePostgres(
            folder: folder.appending(path: "postgres", directoryHint: .isDirectory), databases: ["analytics_db"])
        redis = try PrivateRedis(folder: folder.appending(path: "redis", directoryHint: .isDirectory))
        settings = [
            "ANALYTICS_DATABASE_URL": postgres.url(database: "analytics_db"), "REDIS_URL": redis.url(),
            "SPOOL_DIR": folder.appending(path: "spool").path, "NODE_ID": "crash-0",
            "REPORTING_TIME_ZONE": "Asia/Seoul", "LOG_LEVEL": "info",
        ]
    }

    /// Runs `body` on a stage of its own; whatever is left of it is ended afterwards.
    static func with<R>(_ body: (CrashStage) async throws -> R) async throws -> R {
        try await withTemporaryFolder { folder in
            let stage = try CrashStage(folder: folder)
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
        async let redisStarted: Void = redis.start()
        try await postgres.start()
        try await redisStarted
        let migrated = try await tiketi(["migrate"])
        guard migrated.ending == .exited(0) else { throw StartFailed(description: migrated.error) }
    }

    private func stop() async {
        await killIngest()
        await killRollup()
        await redis.stop()
        await postgres.stop()
    }

    // MARK: Programs

    /// Runs a command to its end.
    func tiketi(_ arguments: [String]) async throws -> (
        ending: RunningProgram.Ending, output: String, error: String
    ) {
        try await RunningProgram.run(arguments, settings: settings, name: arguments.joined(separator: "-"), in: folder)
    }

    func startRollup() throws {
        let program = try RunningProgram(
            ["rollup", "run", "--follow"], settings: settings, name: "follow-\(nextNumber())", in: folder)
        rollup.withLock { $0 = program }
    }

    func killRollup() async {
        let program = rollup.withLock { $0 }
        program?.signal(SIGKILL)
        await program?.end()
    }

    /// Has the rollup end in good order.
    func endRollup() async -> RunningProgram.Ending? {
        let program = rollup.withLock { $0 }
        program?.signal(SIGTERM)
        return await program?.end()
    }

    private func nextNumber() -> Int {
        starts.withLock { starts in
            starts += 1
            return starts
        }
    }

    /// Starts ingest on the spool of the one before, and doesn't wait for it.
    func launchIngest(_ further: [String: String] = [:]) throws -> RunningProgram {
        let program = try RunningProgram(
            ["serve", "ingest", "--port", "0"], settings: settings.merging(further) { $1 },
            name: "ingest-\(nextNumber())", in: folder)
        ingest.withLock { $0 = program }
        return program
    }

    /// Starts ingest on the spool of the one before, and returns the port on which it listens.
    func startIngest(_ further: [String: String] = [:]) async throws -> Int {
        let program = try launchIngest(further)
        return try await eventually {
            if let port = Self.port(in: program.error) { return port }
            throw StartFailed(description: "ingest does not listen: \(program.error.suffix(2000))")
        }
    }

    /// From the log's line `listening`.
    static func port(in log: String) -> Int? {
        for line in log.split(separator: "\n") where line.contains(#""message":"listening""#) {
            guard let range = line.range(of: #""port":""#) else { continue }
            return Int(line[range.upperBound...].prefix { $0 != "\"" })
        }
        return nil
    }

    func killIngest() async {
        let program = ingest.withLock { $0 }
        program?.signal(SIGKILL)
        await program?.end()
    }

    /// Has ingest end in good order.
    func drainIngest() async -> RunningProgram.Ending? {
        let program = ingest.withLock { $0 }
        program?.signal(SIGTERM)
        return await program?.end()
    }

    private static let maxLastWords = 6

    /// The ends of what ingest and rollup logged last, for a failed test.
    private var lastWords: String {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
            .filter { $0.hasSuffix(".err") }.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
        return names.suffix(Self.maxLastWords).map { name in
            let text = (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
            return "--- \(name)\n\(text.suffix(4000))"
        }.joined(separator: "\n")
    }
}
