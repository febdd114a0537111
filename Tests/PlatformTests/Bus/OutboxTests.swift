import Core
import Foundation
import Storage
import TestSupport
import Testing

@testable import Platform

/// What is in the outbox reaches every group at least once, whatever Redis forgets, and leaves it only then.
@Suite(.timeLimit(.minutes(5))) struct OutboxTests {
    private struct Fixture {
        let pool: PostgresPool
        let redis: TestRedis

        static func with(_ body: (Fixture) async throws -> Void) async throws {
            try await withDatabase(of: .payments) { _, pool in
                try await withRedis { redis in try await body(Fixture(pool: pool, redis: redis)) }
            }
        }

        func relay(_ groups: [MessageGroup] = [.analytics], maxUnconfirmed: Int = OutboxRelay.maxUnconfirmed)
            -> OutboxRelay
        {
            OutboxRelay(
                postgres: pool, redis: redis.pool, groups: groups, maxUnconfirmed: maxUnconfirmed, logger: testLogger)
        }

        func append(_ ids: [String]) async throws {
            let messages = ids.map {
                Message(
                    id: $0, occurredAt: 1_765_000_000_123, body: .userRegistered(UserRegistered(userId: "user \($0)")))
            }
            try await pool.withConnection { connection in
                try connection.transaction { try Outbox.append(messages, on: $0) }
            }
        }

        func left() async throws -> [String] {
            try await pool.withConnection { connection in
                try connection.query("SELECT message_id FROM outbox ORDER BY seq").map { try $0.get(0) }
            }
        }

        @discardableResult
        func command(_ arguments: [RedisArgument]) async throws -> RedisReply {
            try await redis.pool.withConnection { try $0.command(arguments) }
        }

        func published() async throws -> [Message] {
            let entries = try await command(["XRANGE", .init(Message.stream), "-", "+"]).array ?? []
            return try entries.map { try MessageDecoder.decode(StreamEntry($0)!.fields) }
        }

        /// Takes entries as a group's consumer, in order; confirms them where it is told to.
        @discardableResult
        func read(_ group: MessageGroup, count: Int64 = 1000, confirming: Bool = true) async throws -> [String] {
            // Where it is there already, that says an error, which is nothing to this.
            _ = try? await command([
                "XGROUP", "CREATE", .init(Message.stream), .init(group.rawValue), "0", "MKSTREAM",
            ])
            let reply = try await command([
                "XREADGROUP", "GROUP", .init(group.rawValue), "c", "COUNT", .init(count), "STREAMS",
                .init(Message.stream), ">",
            ])
            let entries = (reply.array?.first?.array?[1].array ?? []).compactMap { StreamEntry($0) }
            if confirming, !entries.isEmpty {
                try await command(
                    ["XACK", .init(Message.stream), .init(group.rawValue)] + entries.map { .init($0.id) })
            }
            return try entries.map { try MessageDecoder.decode($0.fields).id }
        }
    }

    /// The first step only learns in which life the stream is.
    private func settle(_ relay: OutboxRelay) async throws {
        for _ in 0..<3 { _ = try await relay.step() }
    }

    @Test func whatIsAppendedIsPublishedInOrderAndLeavesOnceEveryGroupHasConfirmedIt() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay([.analytics, .payments])
            try await fixture.append(["a", "b", "c"])
            try await settle(relay)
            let published = try await fixture.published()
            #expect(published.map(\.id) == ["a", "b", "c"])
            #expect(published[0].occurredAt == 1_765_000_000_123)
            #expect(published[0].body == .userRegistered(UserRegistered(userId: "user a")))
            #expect(try await fixture.left() == ["a", "b", "c"], "nobody has confirmed")
            try await fixture.read(.analytics)
            try await settle(relay)
            #expect(try await fixture.left() == ["a", "b", "c"], "the other group has not even read")
            try await fixture.read(.payments, count: 2)
            try await settle(relay)
            #expect(try await fixture.left() == ["c"])
            try await fixture.read(.payments)
            try await settle(relay)
            #expect(try await fixture.left() == [])
            #expect(try await fixture.published().count == 3, "each was published once")
        }
    }

    @Test func theGaugesTellWhatWaitsAndWhatIsNotConfirmed() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay()
            let metrics = Metrics()
            let gauges = OutboxGauges(
                fixture.pool, of: .payments, maxCounted: 3, metrics: metrics, logger: testLogger)
            func told() async throws -> [String] {
                try await gauges.measure()
                return metrics.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
            }
            func expected(waiting: Int, unconfirmed: Int, oldest: Int) -> [String] {
                [
                    "tiketi_outbox_waiting{database=\"payments\"} \(waiting)",
                    "tiketi_outbox_unconfirmed{database=\"payments\"} \(unconfirmed)",
                    "tiketi_outbox_oldest_seconds{database=\"payments\"} \(oldest)",
                ]
            }
            func age(_ id: String, by seconds: Int) async throws {
                try await fixture.pool.withConnection { connection in
                    _ = try connection.execute(
                        """
                        UPDATE outbox SET created_at = clock_timestamp() - make_interval(secs => \(seconds))
                        WHERE message_id = \(id)
                        """)
                }
            }
            #expect(try await told() == expected(waiting: 0, unconfirmed: 0, oldest: 0))
            try await fixture.append(["a", "b"])
            try await age("a", by: 3600)
            let waiting = try await told()
            #expect(waiting.prefix(2) == expected(waiting: 2, unconfirmed: 0, oldest: 0).prefix(2))
            #expect(try #require(Int(waiting[2].split(separator: " ")[1])) >= 3600)
            try await settle(relay)
            #expect(try await told().prefix(2) == expected(waiting: 0, unconfirmed: 2, oldest: 0).prefix(2))
            // Above what is counted.
            try await fixture.append(["c", "d", "e", "f"])
            #expect(try await told().prefix(2) == expected(waiting: 3, unconfirmed: 2, oldest: 0).prefix(2))
            try await settle(relay)
            try await fixture.read(.analytics)
            try await settle(relay)
            #expect(try await told() == expected(waiting: 0, unconfirmed: 0, oldest: 0))
        }
    }

    @Test func whatIsTakenAndNotConfirmedStays() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay()
            try await fixture.append(["a", "b", "c"])
            try await settle(relay)
            try await fixture.read(.analytics, count: 1)
            try await fixture.read(.analytics, count: 1, confirming: false)
            try await fixture.read(.analytics, count: 1)
            try await settle(relay)
            #expect(try await fixture.left() == ["b", "c"], "those before the first that is pending are gone")
        }
    }

    /// Redis loses all at any moment: what no group had confirmed is published again.
    @Test(arguments: ["FLUSHALL", "DEL"]) func aRedisThatForgetsLosesNothing(how: String) async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay()
            try await fixture.append(["a", "b"])
            try await settle(relay)
            try await fixture.read(.analytics, count: 1)
            // All that this test's database has, as FLUSHALL does on a server of one's own; or what a deletion of all
            // keys leaves. Another life begins either way.
            if how == "FLUSHALL" {
                try await fixture.command(["FLUSHDB"])
            } else {
                try await fixture.command(["DEL", .init(Message.stream), "{\(Message.stream)}:life"])
            }
            try await fixture.append(["c"])
            try await settle(relay)
            #expect(Set(try await fixture.published().map(\.id)).isSuperset(of: ["b", "c"]))
            try await fixture.read(.analytics)
            try await settle(relay)
            #expect(try await fixture.left() == [])
        }
    }

    /// Forgotten, and a group that has read beyond the lost entry meanwhile: its position says nothing of that entry.
    @Test func aPositionInAnotherLifeConfirmsNothing() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay()
            try await fixture.append(["lost"])
            try await settle(relay)
            try await fixture.command(["FLUSHDB"])
            // Another service's relay is first in the new life.
            let other = Message(
                id: "other", occurredAt: 1_765_000_000_000, body: .userRegistered(UserRegistered(userId: "u")))
            try await fixture.redis.pool.withConnection { connection in
                _ = try StreamState.read(on: connection)
                try MessageStream.publish([other], on: connection)
            }
            try await fixture.read(.analytics)
            _ = try await relay.step()
            #expect(try await fixture.left() == ["lost"])
            try await settle(relay)
            #expect(try await fixture.published().map(\.id).contains("lost"))
        }
    }

    /// A group that nobody has read for yet is waited for, and what it has to read is not trimmed away.
    @Test func everyGroupIsThereBeforeAnythingIsPublished() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay([.analytics, .payments])
            try await fixture.append(["a"])
            try await settle(relay)
            let groups = try await fixture.command(["XINFO", "GROUPS", .init(Message.stream)]).array ?? []
            #expect(Set(groups.compactMap { $0.array?[1].string }) == ["analytics", "payments"])
            try await fixture.command(["FLUSHDB"])
            try await settle(relay)
            #expect(try await fixture.command(["XINFO", "GROUPS", .init(Message.stream)]).array?.count == 2)
            #expect(try await fixture.read(.payments) == ["a"])
        }
    }

    @Test func onlyOneRelayWorksAtATime() async throws {
        try await Fixture.with { fixture in
            let first = fixture.relay()
            let second = fixture.relay()
            try await settle(first)
            try await fixture.append(["a"])
            #expect(try await second.step() == 0)
            #expect(try await first.step() == 1)
            try await fixture.pool.withConnection { connection in
                _ = try connection.execute("UPDATE outbox_relay SET held_until = now() - interval '1 second'")
            }
            try await fixture.append(["b"])
            #expect(try await second.step() == 1, "a lease ends")
            #expect(try await first.step() == 0)
            #expect(try await fixture.published().map(\.id) == ["a", "b"])
        }
    }

    /// Ten times a second nothing is to be done: that costs no commit.
    @Test func aLeaseIsRenewedOnlyWhenHalfOfItIsOver() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay()
            try await settle(relay)
            func heldUntil() async throws -> String {
                try await fixture.pool.withConnection {
                    try $0.query("SELECT held_until::text FROM outbox_relay")[0].get(0)
                }
            }
            let until = try await heldUntil()
            try await settle(relay)
            #expect(try await heldUntil() == until)
            try await fixture.pool.withConnection { connection in
                _ = try connection.execute("UPDATE outbox_relay SET held_until = now() + interval '4 seconds'")
            }
            let late = try await heldUntil()
            try await settle(relay)
            #expect(try await heldUntil() > late)
        }
    }

    /// A group has nearly always confirmed something: once it is removed, that locks and writes nothing.
    @Test func whatIsConfirmedAndRemovedCostsNothingMore() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay()
            try await fixture.append(["a", "b"])
            try await settle(relay)
            try await fixture.read(.analytics, count: 1)
            try await settle(relay)
            #expect(try await fixture.left() == ["b"])
            func row() async throws -> String {
                try await fixture.pool.withConnection {
                    try $0.query("SELECT xmin::text || ' ' || xmax::text || ' ' || ctid::text FROM outbox_relay")[0]
                        .get(0)
                }
            }
            let before = try await row()
            try await settle(relay)
            #expect(try await row() == before)
            try await fixture.read(.analytics)
            try await settle(relay)
            #expect(try await fixture.left() == [])
        }
    }

    @Test func noMoreIsPublishedThanMayWaitForConfirmation() async throws {
        try await Fixture.with { fixture in
            let relay = fixture.relay(maxUnconfirmed: 600)
            try await settle(relay)
            try await fixture.append((0..<2_000).map { "m\($0)" })
            #expect(try await relay.step() == OutboxRelay.maxBatch)
            #expect(try await relay.step() == OutboxRelay.maxBatch)
            #expect(try await relay.step() == 0, "more than 600 wait")
            try await fixture.read(.analytics, count: 2_000)
            var ids: [String] = []
            for _ in 0..<10 {
                _ = try await relay.step()
                ids += try await fixture.read(.analytics, count: 2_000)
            }
            try await settle(relay)
            #expect(try await fixture.left() == [])
            #expect(try await fixture.published().map(\.id) == (0..<2_000).map { "m\($0)" })
        }
    }

    @Test func theInboxTakesEachMessageOnce() async throws {
        try await withDatabase(of: .reservations) { _, pool in
            let messages = ["b", "a", "b"].map {
                Message(id: $0, occurredAt: 1, body: .userRegistered(UserRegistered(userId: "u")))
            }
            func take() async throws -> [String] {
                try await pool.withConnection { connection in
                    try connection.transaction { connection in try Inbox.take(messages, on: connection) }
                }.map(\.id)
            }
            let first = try await take()
            #expect(first == ["b", "a"])
            let second = try await take()
            #expect(second.isEmpty)
        }
    }

    /// Each service's database has the same bus.
    @Test func allBusTablesAreTheSame() throws {
        let scripts = try Migrator.Database.allCases.filter { $0 != .analytics }.map { database in
            try Migration.all(for: database)[0]
        }
        #expect(scripts.count > 3)
        #expect(Set(scripts.map(\.script)).count == 1)
        #expect(scripts.allSatisfy { $0.version == 1 && $0.name == "bus" })
    }
}
