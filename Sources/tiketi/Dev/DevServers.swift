import Foundation
import Platform

/// The private Postgres and Redis of `tiketi dev`, and the settings that lead to them.
struct DevServers {
    /// Every database of the platform, so that services to come find theirs.
    static let databases = ["analytics", "users", "events", "reservations", "payments", "admin", "media"]

    let folder: URL
    private let postgres: PrivatePostgres
    private let redis: PrivateRedis

    init(folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        postgres = try PrivatePostgres(
            folder: folder.appending(path: "postgres", directoryHint: .isDirectory),
            databases: Self.databases.map(Self.name))
        redis = try PrivateRedis(folder: folder.appending(path: "redis", directoryHint: .isDirectory))
    }

    /// Starts both, or goes on with what an earlier start left.
    func start() async throws -> DevEnvironment {
        async let postgresStarted: Void = postgres.start()
        async let redisStarted: Void = redis.start()
        _ = try await (postgresStarted, redisStarted)
        var values = ["REDIS_URL": redis.url()]
        for database in Self.databases {
            // Where the folder is older than the database.
            try postgres.createDatabase(Self.name(database))
            values["\(database.uppercased())_DATABASE_URL"] = postgres.url(database: Self.name(database))
        }
        return try DevEnvironment(folder: folder, servers: values)
    }

    private static func name(_ database: String) -> String { "\(database)_db" }

    var pids: (postgres: Int32?, redis: Int32?) { (postgres.pid, redis.pid) }

    func stop() async {
        await redis.stop()
        await postgres.stop()
    }
}
