import Foundation
import Platform
package import Storage

/// A Redis database of one test's own.
package struct TestRedis: Sendable {
    package let configuration: RedisConfiguration
    /// Four connections.
    package let pool: RedisPool
    /// For other processes.
    package var url: String { configuration.url }
}

/// Runs `body` with an empty Redis database of its own: tests that run at the same time do not meet.
package func withRedis<R>(_ body: (TestRedis) async throws -> R) async throws -> R {
    let number = await RedisDatabases.shared.take()
    func run() async throws -> R {
        let configuration = try RedisDatabases.configuration(await TestServers.shared.redisURL(), database: number)
        let pool = RedisPool(configuration, connections: 4, logger: testLogger)
        do {
            try await pool.withConnection { _ = try $0.command(["FLUSHDB"]) }
            let result = try await body(TestRedis(configuration: configuration, pool: pool))
            await pool.shutdown()
            return result
        } catch {
            await pool.shutdown()
            throw error
        }
    }
    do {
        let result = try await run()
        await RedisDatabases.shared.give(back: number)
        return result
    } catch {
        await RedisDatabases.shared.give(back: number)
        throw error
    }
}

/// Hands out the numbers of the shared server's databases.
private actor RedisDatabases {
    static let shared = RedisDatabases()
    /// Tests wait for a free one. A server from outside may have no more than Redis's default of 16.
    static let maxDatabases =
        ProcessInfo.processInfo.environment["TIKETI_TEST_REDIS"] == nil ? PrivateRedis.databases - 1 : 15

    private var free = Array(1...maxDatabases)
    private var waiting: [CheckedContinuation<Int, Never>] = []

    func take() async -> Int {
        if let number = free.popLast() { return number }
        return await withCheckedContinuation { waiting.append($0) }
    }

    func give(back number: Int) {
        if waiting.isEmpty { free.append(number) } else { waiting.removeFirst().resume(returning: number) }
    }

    static func configuration(_ url: String, database: Int) throws -> RedisConfiguration {
        if url.hasPrefix("redis+unix:") {
            return try RedisConfiguration(url: "\(url.prefix { $0 != "?" })?db=\(database)")
        }
        let parts = url.split(separator: "/", omittingEmptySubsequences: false)
        return try RedisConfiguration(url: parts.prefix(3).joined(separator: "/") + "/\(database)")
    }
}
