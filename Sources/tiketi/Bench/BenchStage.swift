import Core
import Foundation
import Logging
import NIOCore
import NIOPosix
import Platform
import Storage

/// What a benchmark runs on: private servers with every durable setting on, and a folder that goes with them.
struct BenchStage {
    let folder: URL
    /// As `tiketi dev` writes them.
    private(set) var settings: [String: String]
    /// Of Postgres and of Redis, for what they cost.
    let serverPids: @Sendable () -> (postgres: Int32?, redis: Int32?)
    let logger = Logger(label: "tiketi.bench")

    /// Starts the servers, runs `body` and stops and removes everything again, also when that fails or is cancelled.
    static func with<R>(_ body: (BenchStage) async throws -> R) async throws -> R {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "tiketi-bench-\(UInt32.random(in: 0 ... .max))", directoryHint: .isDirectory)
        defer { try? FileManager.default.removeItem(at: folder) }
        let servers = try DevServers(folder: folder)
        let result: Result<R, any Error>
        do {
            let environment = try await servers.start()
            let stage = BenchStage(
                folder: folder, settings: environment.values.merging(["LOG_LEVEL": "warning"]) { $1 },
                serverPids: { servers.pids })
            try await stage.withPool { _ = try await Migrator(.analytics).migrate($0) }
            result = .success(try await body(stage))
        } catch {
            result = .failure(error)
        }
        // Cancelled or not, the servers must go.
        await Task { await servers.stop() }.value
        return try result.get()
    }

    func database() throws -> PostgresConfiguration {
        try Settings(environment: settings).analyticsDatabase()
    }

    func calendar() throws -> ReportingCalendar {
        try Settings(environment: settings).reportingCalendar()
    }

    /// The same with further settings.
    func adding(_ more: [String: String]) -> BenchStage {
        var stage = self
        stage.settings.merge(more) { $1 }
        return stage
    }

    func withPool<R>(
        of database: Migrator.Database = .analytics, _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        let configuration = try Settings(environment: settings).database(
            "\(database.rawValue.uppercased())_DATABASE_URL")
        let pool = PostgresPool(configuration, connections: 1, logger: logger)
        do {
            let result = try await body(pool)
            await pool.shutdown()
            return result
        } catch {
            await pool.shutdown()
            throw error
        }
    }

    /// Runs `tiketi serve NAME…` on a port of its own for as long as `body` takes.
    func serving<R>(
        _ services: String..., body: (BenchProcess, _ port: Int) async throws -> R
    ) async throws -> R {
        try await serving(services, body: body)
    }

    func serving<R>(_ services: [String], body: (BenchProcess, _ port: Int) async throws -> R) async throws -> R {
        let port = try await Self.freePort()
        let process = try BenchProcess.tiketi(
            ["serve"] + services + ["--port", String(port)], settings: settings, in: folder)
        return try await Self.running(process) {
            guard await ReadyProbe.wait("http://127.0.0.1:\(port)") else {
                try process.checkRunning()
                throw BenchProcess.Failed(description: "\(process.name) did not get ready")
            }
            return try await body(process, port)
        }
    }

    static func running<R>(_ process: BenchProcess, _ body: () async throws -> R) async throws -> R {
        do {
            let result = try await body()
            await process.stop()
            return result
        } catch {
            await process.stop()
            throw error
        }
    }

    /// A port nobody listens on at the moment.
    static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}
