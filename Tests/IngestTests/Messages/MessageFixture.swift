import Core
import Foundation
import Platform
import Storage
import TestSupport

@testable import Ingest

/// A message stream of a test's own, with consumers that store into a database of its own.
struct MessageFixture {
    let redis: TestRedis
    let pool: PostgresPool
    let metrics = Metrics()

    static func with(_ body: (MessageFixture) async throws -> Void) async throws {
        try await withAnalyticsDatabase { _, pool in
            try await withRedis { redis in try await body(MessageFixture(redis: redis, pool: pool)) }
        }
    }

    /// Runs a consumer while `body` runs.
    func consuming(as name: String = "a", _ body: () async throws -> Void) async throws {
        let own = RedisPool(redis.configuration, connections: 1, logger: silentLogger)
        let consumer = consumer(name, redis: own)
        let running = Task { await consumer.run() }
        func end() async {
            running.cancel()
            await running.value
            await own.shutdown()
        }
        do {
            try await body()
            await end()
        } catch {
            await end()
            throw error
        }
    }

    func consumer(_ name: String = "a", redis: RedisPool) -> MessageConsumer {
        MessageConsumer(
            name: name, redis: redis, postgres: pool,
            clock: { Int64(Date().timeIntervalSince1970 * 1000) }, metrics: MessageMetrics(metrics),
            logger: silentLogger)
    }

    @discardableResult
    func command(_ arguments: [RedisArgument]) async throws -> RedisReply {
        try await redis.pool.withConnection { try $0.command(arguments) }
    }

    @discardableResult
    func add(_ fields: [(String, RedisArgument)]) async throws -> String {
        try await command(
            ["XADD", .init(Message.stream), "*"] + fields.flatMap { [RedisArgument($0.0), $0.1] }
        ).string!
    }

    @discardableResult
    func add(
        id: String, type: String = "payment.completed", at: String = "2025-12-01T13:00:00+09:00", _ data: String
    ) async throws -> String {
        try await add([("id", .init(id)), ("type", .init(type)), ("occurredAt", .init(at)), ("data", .init(data))])
    }

    static func payment(
        _ id: String = "p", artist: String = "artist_1", amount: Int64 = 1000, currency: String = "KRW",
        tickets: Int64 = 2
    ) -> String {
        """
        {"paymentId":"\(id)","eventId":"event_1","artistId":"\(artist)","amount":\(amount),"currency":"\(currency)",\
        "tickets":\(tickets)}
        """
    }

    func makeGroup() async throws {
        try await command(
            ["XGROUP", "CREATE", .init(Message.stream), .init(MessageConsumer.group), "0", "MKSTREAM"])
    }

    /// Entries delivered and not confirmed.
    func unconfirmed() async throws -> Int64 {
        try await command(["XPENDING", .init(Message.stream), .init(MessageConsumer.group)]).array![0].int!
    }

    /// Until what was added, all of it, has been delivered and confirmed.
    func untilAllConfirmed() async throws {
        try await until { try await isAllConfirmed() }
    }

    func until(_ condition: () async throws -> Bool) async throws {
        struct NotYet: Error {}
        _ = try await TestSupport.eventually { if try await !condition() { throw NotYet() } }
    }

    private func isAllConfirmed() async throws -> Bool {
        let groups = try await command(["XINFO", "GROUPS", .init(Message.stream)]).array ?? []
        guard let group = groups.first?.array,
            let lag = group.firstIndex(where: { $0.string == "lag" }),
            let pending = group.firstIndex(where: { $0.string == "pending" })
        else { return false }
        return group[lag + 1].int == 0 && group[pending + 1].int == 0
    }

    /// `entry reason` of each dead letter, and its fields.
    func dead() async throws -> [(entry: String, reason: String, fields: [String: [UInt8]])] {
        let entries = try await command(["XRANGE", .init(Message.deadLetterStream), "-", "+"]).array ?? []
        return entries.map { entry in
            let texts = entry.array![1].array!
            var fields: [String: [UInt8]] = [:]
            for index in stride(from: 0, to: texts.count, by: 2) {
                fields[texts[index].string!] = texts[index + 1].bytes!
            }
            return (
                String(decoding: fields["entry"]!, as: UTF8.self), String(decoding: fields["reason"]!, as: UTF8.self),
                fields
            )
        }
    }

    /// Each row of a query as text.
    func rows(_ sql: SQL) async throws -> [String] {
        try await pool.withConnection { connection in
            try connection.query("SELECT r::text FROM (\(sql: sql)) r").map { try $0.get(0) }
        }
    }
}
