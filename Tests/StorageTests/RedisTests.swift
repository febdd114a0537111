import Foundation
import Platform
import Storage
import TestSupport
import Testing

@Suite struct RedisTests {
    @Test func repliesOfEveryKind() async throws {
        try await withRedis { redis in
            try await redis.pool.withConnection { connection in
                let stored = try connection.command(["SET", "k", "v\u{0}\r\n서울"])
                #expect(stored == .status("OK"))
                #expect(try connection.command(["GET", "k"]).string == "v\u{0}\r\n서울")
                #expect(try connection.command(["GET", "missing"]).isNull)
                #expect(try connection.command(["INCRBY", "n", RedisArgument(Int64.max)]).int == .max)
                #expect(try connection.command(["GET", "n"]).int == .max)
                #expect(try connection.command(["SET", "b", RedisArgument([0, 255])]).string == "OK")
                #expect(try connection.command(["GET", "b"]).bytes == [0, 255])
                #expect(try connection.command(["MGET", "b", "none"]).array == [.string([0, 255]), .null])
                let error = #expect(throws: RedisError.self) { try connection.command(["INCR", "b"]) }
                #expect(error?.kind == .server(code: "ERR"))
                #expect(error?.command == "INCR")
                #expect(connection.isHealthy)
            }
        }
    }

    @Test func pipelinesKeepOrderAndErrorsBeyondTheirBound() async throws {
        try await withRedis { redis in
            try await redis.pool.withConnection { connection in
                let count = RedisConnection.maxPipelined * 3 + 7
                var commands: [[RedisArgument]] = (0..<count).map { ["RPUSH", "list", RedisArgument($0)] }
                commands.insert(["HGET", "list", "x"], at: 1500)
                var replies = try connection.pipeline(commands)
                guard case .error(let text) = replies.remove(at: 1500) else {
                    Issue.record("no error")
                    return
                }
                #expect(text.hasPrefix("WRONGTYPE"))
                #expect(replies == (1...count).map { .integer(Int64($0)) })
                #expect(try connection.pipeline([]).isEmpty)
            }
        }
    }

    @Test func largePipelinesDoNotBlockEachOther() async throws {
        try await withRedis { redis in
            try await redis.pool.withConnection { connection in
                let megabyte = RedisArgument([UInt8](repeating: 7, count: 1 << 20))
                let replies = try connection.pipeline((0..<64).map { _ in ["ECHO", megabyte] })
                #expect(replies.count == 64)
                #expect(replies.allSatisfy { $0.bytes?.count == 1 << 20 })
            }
        }
    }

    @Test func scriptsRunAlsoWhereTheServerForgotThem() async throws {
        try await withRedis { redis in
            let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
            try await redis.pool.withConnection { connection in
                let two = script.call(keys: ["n"], arguments: [2])
                #expect(try connection.pipeline(scripts: [two]).map(\.int) == [2])
                _ = try connection.command(["SCRIPT", "FLUSH"])
                let three = script.call(keys: ["n"], arguments: [3])
                #expect(try connection.pipeline(scripts: [three]).map(\.int) == [5])
                _ = try connection.command(["SCRIPT", "FLUSH"])
                let calls = (1...2000).map { _ in script.call(keys: ["n"], arguments: [1]) }
                #expect(try connection.pipeline(scripts: calls).map(\.int) == (6...2005).map { Int64($0) })
                let broken = RedisScript("return redis.error_reply('NOPE because')")
                let replies = try connection.pipeline(scripts: [broken.call(keys: [], arguments: []), two])
                #expect(replies == [.error("NOPE because"), .integer(2007)])
            }
        }
    }

    @Test func aBlockingReadMayOutlastTheCommandTimeout() async throws {
        try await withRedis { redis in
            var configuration = redis.configuration
            configuration.commandTimeout = .seconds(1)
            let pool = RedisPool(configuration, connections: 1, logger: testLogger)
            let reply = try await pool.withConnection { connection in
                _ = try connection.command(["XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"])
                return try connection.command([
                    "XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "BLOCK", "2500", "STREAMS", "s", ">",
                ])
            }
            #expect(reply.isNull)
            // But nothing else may.
            let error = await #expect(throws: RedisError.self) {
                try await pool.withConnection { _ = try $0.command(["BLPOP", "none", "60"]) }
            }
            #expect(error?.kind == .unavailable)
            #expect(try await pool.withConnection { try $0.command(["PING"]).string } == "PONG")
            await pool.shutdown()
        }
    }

    @Test func blockingReadsReceive() async throws {
        try await withRedis { redis in
            async let read = redis.pool.withConnection { connection in
                try connection.command(["XREAD", "BLOCK", "0", "STREAMS", "s", "0"])
            }
            _ = try await redis.pool.withConnection { try $0.command(["XADD", "s", "1-1", "type", "payment"]) }
            let entries = try await read.array?.first?.array?[1].array
            #expect(
                entries == [
                    .array([
                        .string(Array("1-1".utf8)),
                        .array([.string(Array("type".utf8)), .string(Array("payment".utf8))]),
                    ])
                ])
        }
    }

    @Test func cancellingATaskEndsABlockingRead() async throws {
        try await withRedis { redis in
            let started = AsyncStream<Void>.makeStream()
            let reading = Task {
                try await redis.pool.withConnection { connection in
                    started.continuation.yield()
                    _ = try connection.command(["XREAD", "BLOCK", "0", "STREAMS", "s", "$"])
                }
            }
            for await _ in started.stream { break }
            reading.cancel()
            let error = await #expect(throws: RedisError.self) { try await reading.value }
            #expect(error?.kind == .canceled)
            let pong = try await redis.pool.withConnection { try $0.command(["PING"]).string }
            #expect(pong == "PONG")
        }
    }

    @Test func databasesDoNotMeet() async throws {
        try await withRedis { one in
            try await withRedis { two in
                _ = try await one.pool.withConnection { try $0.command(["SET", "k", "1"]) }
                #expect(try await two.pool.withConnection { try $0.command(["GET", "k"]) }.isNull)
            }
        }
    }

    @Test func aServerThatBecameAReplicaIsLeft() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivateRedis(folder: folder)
            try await server.start()
            let configuration = try RedisConfiguration(url: server.url())
            let pool = RedisPool(configuration, connections: 1, logger: silentLogger)
            let others = RedisPool(configuration, connections: 1, logger: silentLogger)
            func id() async throws -> Int64? { try await pool.withConnection { try $0.command(["CLIENT", "ID"]).int } }
            let before = try await id()
            _ = try await others.withConnection { try $0.command(["REPLICAOF", "127.0.0.1", "1"]) }
            let error = await #expect(throws: RedisError.self) {
                try await pool.withConnection { try $0.command(["SET", "key", "value"]) }
            }
            #expect(error?.kind == .unavailable)
            _ = try await others.withConnection { try $0.command(["REPLICAOF", "NO", "ONE"]) }
            #expect(try await eventually { try await id() } != before)
            await others.shutdown()
            await pool.shutdown()
            await server.stop()
        }
    }

    @Test func aKilledServerIsFoundAgainAfterItsRestart() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivateRedis(folder: folder)
            try await server.start()
            let pool = try RedisPool(RedisConfiguration(url: server.url()), connections: 2, logger: silentLogger)
            _ = try await pool.withConnection { try $0.command(["SET", "k", "1"]) }
            server.kill9()
            let error = await #expect(throws: RedisError.self) {
                try await pool.withConnection { _ = try $0.command(["GET", "k"]) }
            }
            #expect(error?.kind == .unavailable)
            try await server.start()
            try await eventually { _ = try await pool.withConnection { try $0.command(["PING"]) } }
            try await server.restart()
            #expect(try await pool.withConnection { try $0.command(["GET", "k"]).string } == "1")
            await pool.shutdown()
            await server.stop()
        }
    }

    @Test func writingToAClosedConnectionIsAnError() async throws {
        try await withRedis { redis in
            let one = try RedisConnection(redis.configuration)
            let id = try one.command(["CLIENT", "ID"]).int!
            _ = try await redis.pool.withConnection { try $0.command(["CLIENT", "KILL", "ID", RedisArgument(id)]) }
            #expect(!one.isHealthy)
            #expect(throws: RedisError.self) { try one.pipeline(Array(repeating: ["PING"], count: 1000)) }
            #expect(throws: RedisError.self) { try one.command(["PING"]) }
        }
    }

    @Test func urls() throws {
        #expect(try RedisConfiguration(url: "redis://h").description == "h:6379/0")
        #expect(try RedisConfiguration(url: "redis://:pw@h:7000/3").description == "h:7000/3")
        #expect(try RedisConfiguration(url: "redis://[::1]:7000/").address == .tcp(host: "::1", port: 7000))
        let socket = try RedisConfiguration(url: "redis+unix://:p%40w@/tmp/a%20b.sock?db=4")
        #expect(socket.address == .unix(path: "/tmp/a b.sock"))
        #expect(socket.database == 4)
    }

    @Test(arguments: [
        "rediss://:s3cret@h", "http://:s3cret@h", "redis://:s3cret@h:99999", "redis://:s3cret@h/x",
        "redis://:s3cret@h/-1",
        "redis+unix://:s3cret@", "redis://", "", "redis://:s3cret@127.0.0.1:1",
    ])
    func wrongURLsAreRefusedWithoutThePassword(url: String) throws {
        let error = #expect(throws: RedisError.self) { try RedisConnection(RedisConfiguration(url: url)) }
        #expect(error?.kind == .unavailable)
        #expect(error?.description.contains("cret") == false)
        if let configuration = try? RedisConfiguration(url: url) {
            #expect(!"\(configuration)".contains("cret"))
            #expect(!String(reflecting: configuration).contains("cret"))
        }
    }
}
