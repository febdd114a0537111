import Foundation
import Platform
import Storage
import TestSupport
import Testing

@Suite struct PrivateServerTests {
    private func count(_ server: PrivatePostgres) throws -> Int {
        let connection = try PostgresConnection(PostgresConfiguration(url: server.url(database: "kept")))
        return try connection.query("SELECT count(*) FROM t")[0].get(0, as: Int.self)
    }

    @Test func postgresGoesOnWhereItWasLeft() async throws {
        try await withTemporaryFolder { folder in
            // An `initdb` that was interrupted, which must not be taken for a cluster.
            try FileManager.default.createDirectory(
                at: folder.appending(path: "cluster.new/base"), withIntermediateDirectories: true)
            do {
                let server = try PrivatePostgres(folder: folder)
                try await server.start()
                try server.createDatabase("kept")
                try server.createDatabase("kept")
                let connection = try PostgresConnection(PostgresConfiguration(url: server.url(database: "kept")))
                try connection.execute("CREATE TABLE t (n int)")
                try connection.execute("INSERT INTO t VALUES (1)")
                // Nobody but this process may use the folder meanwhile.
                #expect(throws: PrivateServerError.self) { try PrivatePostgres(folder: folder) }
            }
            // As after `kill -9` of this process: the server still runs, and nobody holds the lock.
            do {
                let server = try PrivatePostgres(folder: folder)
                #expect(try count(server) == 1)
                try await server.start()
                #expect(try count(server) == 1)
                server.kill9()
                #expect(throws: PostgresError.self) { try count(server) }
            }
            // As after a power failure, with the pid used by another process since.
            let server = try PrivatePostgres(folder: folder)
            try Data("\(getpid())\n".utf8).write(to: folder.appending(path: "cluster/postmaster.pid"))
            try await server.start()
            #expect(try count(server) == 1)
            await server.stop()
            await server.stop()
            #expect(throws: PostgresError.self) { try count(server) }
        }
    }

    @Test func databasesComeWithTheCluster() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivatePostgres(folder: folder, databases: ["kept", "odd name"])
            try await server.start()
            let connection = try PostgresConnection(PostgresConfiguration(url: server.url(database: "kept")))
            try connection.execute("CREATE TABLE t (n int)")
            #expect(try count(server) == 0)
            let odd = try PostgresConnection(PostgresConfiguration(url: server.url(database: "odd name")))
            #expect(try odd.query("SELECT current_database()::text")[0].get(0, as: String.self) == "odd name")
            await server.stop()
        }
    }

    @Test func postgresIsOutOfReachOfTheNetworkAndOtherUsers() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivatePostgres(folder: folder, isDurable: false)
            try await server.start()
            let connection = try PostgresConnection(PostgresConfiguration(url: server.url(database: "postgres")))
            let addresses = try connection.query("SHOW listen_addresses")[0].get(0, as: String.self)
            let durability = try connection.query("SHOW fsync")[0].get(0, as: String.self)
            let mode = try FileManager.default.attributesOfItem(atPath: folder.appending(path: "run").path)
            #expect(addresses == "")
            #expect(durability == "off")
            #expect(mode[.posixPermissions] as? Int == 0o700)
            await server.stop()
        }
    }

    @Test func redisGoesOnWhereItWasLeft() async throws {
        try await withTemporaryFolder { folder in
            do {
                let server = try PrivateRedis(folder: folder)
                try await server.start()
                let connection = try RedisConnection(RedisConfiguration(url: server.url(database: 3)))
                _ = try connection.command(["SET", "k", "v"])
                #expect(throws: PrivateServerError.self) { try PrivateRedis(folder: folder) }
            }
            let server = try PrivateRedis(folder: folder)
            try await server.start()
            let connection = try RedisConnection(RedisConfiguration(url: server.url(database: 3)))
            #expect(try connection.command(["GET", "k"]).string == "v")
            server.kill9()
            #expect(!connection.isHealthy)
            // The pid is another process's by now.
            try Data("\(getpid())\n".utf8).write(to: folder.appending(path: "redis.pid"))
            try await server.start()
            let again = try RedisConnection(RedisConfiguration(url: server.url()))
            #expect(try again.command(["PING"]).string == "PONG")
            await server.stop()
            #expect(throws: RedisError.self) { try RedisConnection(RedisConfiguration(url: server.url())) }
        }
    }

    @Test func aFolderTooDeepForASocketWorks() async throws {
        try await withTemporaryFolder { folder in
            let deep = folder.appending(path: String(repeating: "deep folder's/", count: 12))
            let redis = try PrivateRedis(folder: deep.appending(path: "redis"))
            try await redis.start()
            let connection = try RedisConnection(RedisConfiguration(url: redis.url()))
            #expect(try connection.command(["PING"]).string == "PONG")
            await redis.stop()
            let postgres = try PrivatePostgres(folder: deep.appending(path: "postgres"), isDurable: false)
            try await postgres.start()
            let other = try PostgresConnection(PostgresConfiguration(url: postgres.url(database: "postgres")))
            #expect(try other.query("SELECT 1").count == 1)
            await postgres.stop()
        }
    }

    @Test func aServerThatCannotStartSaysWhy() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivatePostgres(folder: folder, isDurable: false)
            try await server.start()
            await server.stop()
            let settings = folder.appending(path: "cluster/postgresql.conf")
            try Data("nonsense = 1\n".utf8).write(to: settings)
            let error = await #expect(throws: PrivateServerError.self) { try await server.start() }
            #expect(error?.description.contains("nonsense") == true)
            #expect(error?.description.contains("\n") == false)
        }
    }
}
