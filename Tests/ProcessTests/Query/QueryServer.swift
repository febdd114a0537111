import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Platform
import Storage
import TestSupport

/// `tiketi serve query` as a process, and an analyst who asks it.
struct QueryServer: Sendable {
    let program: RunningProgram
    let pool: PostgresPool
    let redis: RedisPool
    let address: String
    let token: String
    /// Takes answers as they come, unlike the shared one, which asks for gzip and undoes it.
    private static let client = HTTPClient(eventLoopGroupProvider: .singleton)

    static func with(_ body: (QueryServer) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try await withAnalyticsDatabase { database, pool in
                try await withRedis { redis in
                    let key = SigningKey.generate()
                    let program = try RunningProgram(
                        ["serve", "query", "--port", "0"],
                        settings: [
                            "ANALYTICS_DATABASE_URL": database.url, "REDIS_URL": redis.url, "JWT_SIGNING_KEY": key.seed,
                        ], name: "query", in: folder)
                    let port = try await eventually {
                        guard let port = CrashStage.port(in: program.error) else { throw NotYet(what: program.error) }
                        return port
                    }
                    let token = try await key.mint(
                        audience: [.analytics], subject: "kim", role: .analyst, lifetimeSeconds: 600,
                        now: Int64(Date().timeIntervalSince1970))
                    do {
                        try await body(
                            QueryServer(
                                program: program, pool: pool, redis: redis.pool, address: "http://127.0.0.1:\(port)",
                                token: token))
                    } catch {
                        program.signal(SIGKILL)
                        await program.end()
                        throw error
                    }
                    program.signal(SIGTERM)
                    await program.end()
                }
            }
        }
    }

    func get(_ path: String, _ headers: [(String, String)] = []) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: address + path)
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        return try await Self.client.execute(request, timeout: .seconds(120))
    }
}
