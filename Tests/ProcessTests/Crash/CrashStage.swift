import Foundation
import Platform
import Storage
import Synchronization
import TestSupport

/// The pipeline as it runs in production: private Postgres and Redis that keep what they were told, and one process
/// each for ingest and rollup. Any of them can be killed and started again.
final class CrashStage: Sendable {
    private let servers: StageServers
    let settings: [String: String]
    private let ingest = Mutex<RunningProgram?>(nil)
    private let rollup = Mutex<RunningProgram?>(nil)
    private let starts = Mutex(0)

    init(folder: URL) throws {
        servers = try StageServers(in: folder, databases: ["analytics"])
        settings = servers.settings.merging(["NODE_ID": "crash-0", "LOG_LEVEL": "info"]) { $1 }
    }

    var folder: URL { servers.folder }
    var postgres: PrivatePostgres { servers.postgres }
    var redis: PrivateRedis { servers.redis }

    private static let maxLastWords = 3

    /// Runs `body` on a stage of its own; whatever is left of it is ended afterwards.
    static func with<R>(_ body: (CrashStage) async throws -> R) async throws -> R {
        try await withTemporaryFolder { folder in
            let stage = try CrashStage(folder: folder)
            do {
                try await stage.servers.start()
                let result = try await body(stage)
                await stage.stop()
                return result
            } catch {
                print(stage.servers.lastWords(of: ["ingest", "follow"], count: maxLastWords))
                await stage.stop()
                throw error
            }
        }
    }

    private func stop() async {
        await killIngest()
        await killRollup()
        await servers.stop()
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
            throw StageServers.StartFailed(description: "ingest does not listen: \(program.error.suffix(2000))")
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
}
