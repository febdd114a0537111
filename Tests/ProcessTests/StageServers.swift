import Foundation
import Platform
import TestSupport

/// Private Postgres and Redis that keep what they were told, as in production, and the commands that run against them.
final class StageServers: Sendable {
    struct StartFailed: Error, CustomStringConvertible {
        let description: String
    }

    let folder: URL
    let postgres: PrivatePostgres
    let redis: PrivateRedis
    /// Where these are, and the spool.
    let settings: [String: String]

    /// - Parameter databases: such as `analytics`, whose database is `analytics_db`.
    init(in folder: URL, databases: [String]) throws {
        self.folder = folder
        postgres = try PrivatePostgres(
            folder: folder.appending(path: "postgres", directoryHint: .isDirectory),
            databases: databases.map { "\($0)_db" })
        redis = try PrivateRedis(folder: folder.appending(path: "redis", directoryHint: .isDirectory))
        var settings = [
            "REDIS_URL": redis.url(), "SPOOL_DIR": folder.appending(path: "spool").path,
            "REPORTING_TIME_ZONE": "Asia/Seoul",
        ]
        for name in databases { settings["\(name.uppercased())_DATABASE_URL"] = postgres.url(database: "\(name)_db") }
        self.settings = settings
    }

    /// Starts both, and brings the databases up to date.
    func start() async throws {
        async let redisStarted: Void = redis.start()
        try await postgres.start()
        try await redisStarted
        let migrated = try await RunningProgram.run(["migrate"], settings: settings, name: "migrate", in: folder)
        guard migrated.ending == .exited(0) else { throw StartFailed(description: migrated.error) }
    }

    func stop() async {
        await redis.stop()
        await postgres.stop()
    }

    /// The ends of what the programs of these names logged last, for a failed test.
    ///
    /// - Parameters:
    ///   - names: what their files' names begin with.
    ///   - count: of the files, at most, for each name.
    func lastWords(of names: [String], count: Int) -> String {
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
            .filter { $0.hasSuffix(".err") }.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
        return names.flatMap { name in files.filter { $0.hasPrefix("\(name)-") }.suffix(count) }.map { file in
            let text = (try? String(contentsOf: folder.appending(path: file), encoding: .utf8)) ?? ""
            return "--- \(file)\n\(text.suffix(4000))"
        }.joined(separator: "\n")
    }
}
