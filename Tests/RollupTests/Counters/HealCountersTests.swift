import Core
import Foundation
import Logging
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Ingest
@testable import Rollup

/// Healing sets every counter to what the rollups say, whatever Redis lost and whatever is added meanwhile.
@Suite struct HealCountersTests {
    /// Counters must not expire while the test looks.
    static let now = Int64(Date().timeIntervalSince1970 * 1000)

    private struct Fixture {
        let rollups: RollupFixture
        let redis: RedisPool
        var pool: PostgresPool { rollups.pool }

        /// Stores a batch of views, and adds it to the counters unless that is lost.
        func ship(
            _ views: Int, artist: String = "a", message: String? = nil, node: String = "node/1", seq: Int64,
            isCounted: Bool = true
        ) async throws {
            var beacon = Beacon(receivedAt: HealCountersTests.now, timestamp: HealCountersTests.now)
            beacon[.eventType] = "page_view"
            beacon[.artistId] = artist
            beacon[.messageId] = message
            let beacons = [Beacon](repeating: beacon, count: views)
            try await rollups.store(beacons, node: node, seq: seq)
            if isCounted { try await count(beacons, node: node, seq: seq) }
        }

        func count(_ beacons: [Beacon], node: String, seq: Int64) async throws {
            var builder = BeaconBatchBuilder()
            for beacon in beacons { builder.append(beacon) }
            let deltas = CounterDeltas(builder.finish(), calendar: .seoul, now: HealCountersTests.now)
            try await redis.withConnection { try Counters.apply(CounterChanges(deltas, node: node, seq: seq), on: $0) }
        }

        func key(_ artist: String = "a") -> String {
            CounterKey.artistViews(artist, on: ReportingCalendar.seoul.day(of: HealCountersTests.now))
        }

        func value(_ artist: String = "a") async throws -> Int64? {
            let key = key(artist)
            return try await redis.withConnection { try $0.command(["GET", .init(key)]).int }
        }

        /// One that heals by itself.
        func rollup(
            logger: Logger = testLogger, clock: @escaping @Sendable () -> Int64 = { HealCountersTests.now }
        ) -> Rollup {
            Rollup(
                postgres: pool, redis: redis, calendar: .seoul, clock: clock, metrics: RollupMetrics(Metrics()),
                logger: logger)
        }

        func mustBeFolded(_ seq: Int64) async throws {
            guard try await pool.count("SELECT count(*) FROM rollup_folded WHERE seq = \(seq)") == 1
            else { throw NotYet(what: "folded") }
        }

        func heal() async throws -> HealCounters.Result? {
            try await HealCounters.run(calendar: .seoul, now: HealCountersTests.now, postgres: pool, redis: redis)
        }

        func snapshot() async throws -> HealCounters.Snapshot {
            try await HealCounters.snapshot(calendar: .seoul, now: HealCountersTests.now, postgres: pool)!
        }
    }

    private func with(_ body: (Fixture) async throws -> Void) async throws {
        try await withAnalyticsDatabase { _, pool in
            try await withRedis { redis in
                try await body(
                    Fixture(rollups: RollupFixture(pool: pool, now: Self.now), redis: redis.pool))
            }
        }
    }

    @Test(arguments: [false, true])
    func missingAndWrongCountersAreSet(isFolded: Bool) async throws {
        try await with { fixture in
            try await fixture.ship(5, seq: 1, isCounted: false)
            try await fixture.ship(3, artist: "{x}:아이유 }", seq: 2)
            try await fixture.ship(4, artist: "c", node: "node/2", seq: 1)
            let key = fixture.key("c")
            try await fixture.redis.withConnection { _ = try $0.command(["SET", .init(key), "999"]) }
            if isFolded { _ = try await fixture.rollups.rollup.run() }
            #expect(try await fixture.heal() == HealCounters.Result(counters: 3))
            #expect(try await fixture.value() == 5)
            #expect(try await fixture.value("{x}:아이유 }") == 3)
            #expect(try await fixture.value("c") == 4)
        }
    }

    @Test(arguments: [false, true])
    func idsOfTheSameCharactersInOtherBytesKeepTheirCounters(isFolded: Bool) async throws {
        try await with { fixture in
            try await fixture.ship(5, artist: "\u{ac00}", seq: 1, isCounted: false)
            try await fixture.ship(3, artist: "\u{1100}\u{1161}", seq: 2, isCounted: false)
            if isFolded { _ = try await fixture.rollups.rollup.run() }
            #expect(try await fixture.heal() == HealCounters.Result(counters: 2))
            #expect(try await fixture.value("\u{ac00}") == 5)
            #expect(try await fixture.value("\u{1100}\u{1161}") == 3)
        }
    }

    @Test func everythingIsThereAgainAfterRedisLostItAll() async throws {
        try await with { fixture in
            try await fixture.ship(5, seq: 1)
            try await fixture.ship(2, seq: 2)
            try await fixture.redis.withConnection { _ = try $0.command(["FLUSHDB"]) }
            try await fixture.ship(1, seq: 3)
            #expect(try await fixture.value() == 1)
            _ = try await fixture.heal()
            #expect(try await fixture.value() == 8)
            let key = fixture.key()
            let expiry = try await fixture.redis.withConnection { try $0.command(["EXPIRETIME", .init(key)]).int! }
            let day = ReportingCalendar.seoul.day(of: Self.now)
            #expect(expiry == ReportingCalendar.seoul.start(of: day + 3) / 1000)
        }
    }

    /// A batch that the queue passed over, with others counted after it.
    @Test func whatWasPassedOverIsMadeUpFor() async throws {
        try await with { fixture in
            try await fixture.ship(5, seq: 1)
            try await fixture.ship(2, seq: 2, isCounted: false)
            try await fixture.ship(1, seq: 3)
            #expect(try await fixture.value() == 6)
            _ = try await fixture.heal()
            #expect(try await fixture.value() == 8)
        }
    }

    @Test func repeatsAreNotInHealedCounters() async throws {
        try await with { fixture in
            try await fixture.ship(1, message: "m", seq: 1)
            try await fixture.ship(1, message: "m", seq: 2)
            try await fixture.ship(3, message: "n", seq: 3)
            #expect(try await fixture.value() == 5)
            _ = try await fixture.rollups.rollup.run()
            _ = try await fixture.heal()
            #expect(try await fixture.value() == 2)
        }
    }

    // MARK: Beside what is being added

    /// Stored before the snapshot, added after it was set: it is in the value already.
    @Test func aBatchThatIsInTheSnapshotIsNotAddedAgain() async throws {
        try await with { fixture in
            try await fixture.ship(5, seq: 1)
            try await fixture.ship(2, seq: 2, isCounted: false)
            _ = try await fixture.heal()
            #expect(try await fixture.value() == 7)
            try await fixture.count(views(2), node: "node/1", seq: 2)
            #expect(try await fixture.value() == 7)
            try await fixture.count(views(4), node: "node/1", seq: 3)
            #expect(try await fixture.value() == 11)
        }
    }

    /// Added between reading the value and setting it, by a node that is known and by one that is new: neither lost nor
    /// doubled, and what was wrong before is right.
    @Test func batchesAddedAfterTheSnapshotAreKept() async throws {
        try await with { fixture in
            try await fixture.ship(5, seq: 1)
            try await fixture.ship(2, seq: 2, isCounted: false)
            let snapshot = try await fixture.snapshot()
            try await fixture.ship(10, seq: 3)
            try await fixture.ship(100, seq: 4)
            try await fixture.ship(1000, node: "a new node/7", seq: 1)
            let result = try await HealCounters.set(snapshot, redis: fixture.redis)
            #expect(result == HealCounters.Result(counters: 1))
            #expect(try await fixture.value() == 1117)
            try await fixture.count(views(100), node: "node/1", seq: 4)
            try await fixture.count(views(1000), node: "a new node/7", seq: 1)
            #expect(try await fixture.value() == 1117, "their positions are kept too")
            _ = try await fixture.heal()
            #expect(try await fixture.value() == 1117)
        }
    }

    /// Batches come without a pause: healing is never put off for ever.
    @Test func aCounterThatNeverRestsIsHealed() async throws {
        try await with { fixture in
            try await fixture.ship(1, seq: 1, isCounted: false)
            for seq in 2...Int64(CounterKey.maxRecent / 2) {
                try await fixture.count(views(1), node: "node/1", seq: seq)
            }
            let snapshot = try await fixture.snapshot()
            #expect(snapshot.positions.map(\.seq) == [1])
            let result = try await HealCounters.set(snapshot, redis: fixture.redis)
            #expect(result.counters == 1)
            #expect(try await fixture.value() == Int64(CounterKey.maxRecent / 2))
        }
    }

    /// More was added than the counter remembers: rather a later round than a wrong value.
    @Test func whatWentOnTooFarIsLeftToTheNextRound() async throws {
        try await with { fixture in
            try await fixture.ship(1, seq: 1)
            let snapshot = try await fixture.snapshot()
            for seq in 2...Int64(CounterKey.maxRecent + 10) {
                try await fixture.count(views(1), node: "node/1", seq: seq)
            }
            #expect(try await HealCounters.set(snapshot, redis: fixture.redis) == HealCounters.Result(skipped: 1))
            #expect(try await fixture.value() == Int64(CounterKey.maxRecent + 10))
        }
    }

    // MARK: Bounds

    /// Three nodes send fifteen a second.
    @Test func manySmallBatchesThatArePendingStopNoHealing() async throws {
        try await with { fixture in
            for seq in 1...100 { try await fixture.ship(1, seq: Int64(seq), isCounted: false) }
            #expect(try await fixture.heal() == HealCounters.Result(counters: 1))
            #expect(try await fixture.value() == 100)
        }
    }

    @Test func withTooMuchPendingItIsFoldedFirst() async throws {
        try await with { fixture in
            for seq in 1...3 { try await fixture.ship(1, seq: Int64(seq), isCounted: false) }
            try await fixture.pool.execute(
                "UPDATE rollup_pending SET beacons = \(HealCounters.maxPendingBeacons / 2)")
            #expect(try await fixture.heal() == nil)
            #expect(try await fixture.value() == nil)
            try await fixture.rollup().heal()
            #expect(try await fixture.value() == 3)
            #expect(try await fixture.pool.count("SELECT count(*) FROM rollup_pending") == 1, "no more than needed")
        }
    }

    @Test func whereItCanNotBeFoldedHealingIsLeftOut() async throws {
        try await with { fixture in
            try await fixture.ship(1, seq: 1, isCounted: false)
            try await fixture.pool.execute(
                "UPDATE rollup_pending SET beacons = \(HealCounters.maxPendingBeacons + 1)")
            let said = SaidLevels()
            try await holding(["SELECT 1 FROM rollup_pending FOR UPDATE"], on: fixture.pool) {
                try await fixture.rollup(logger: Logger(label: "heal") { _ in said }).heal()
            }
            #expect(try await fixture.value() == nil)
            #expect(said.levels == [.notice])
        }
    }

    /// The counters have counted what the fold found to be a repeat; they know before the next batch waits.
    @Test func afterAFoldThatFoundRepeatsTheyAreHealedAtOnce() async throws {
        try await with { fixture in
            let clock = Mutex(Self.now)
            let rollup = fixture.rollup { clock.withLock { $0 } }
            let following = Task { await rollup.follow() }
            try await fixture.ship(1, message: "m", seq: 1)
            try await eventually { try await fixture.mustBeFolded(1) }
            // Much less than the time between two healings.
            clock.withLock { $0 += Rollup.minHealMs }
            try await fixture.ship(1, message: "m", seq: 2)
            try await eventually { try await fixture.mustBeFolded(2) }
            try await eventually {
                guard try await fixture.value() == 1 else { throw NotYet(what: "healed") }
            }
            following.cancel()
            await following.value
        }
    }

    @Test func aPendingBatchThatIsDamagedStopsNoHealing() async throws {
        try await with { fixture in
            try await fixture.ship(5, seq: 1, isCounted: false)
            try await fixture.ship(2, seq: 2, isCounted: false)
            try await fixture.pool.execute("UPDATE analytics_events SET payload = '' WHERE seq = 2")
            _ = try await fixture.heal()
            #expect(try await fixture.value() == 5)
        }
    }

    @Test func theRollupIsDoneWithoutRedis() async throws {
        try await withAnalyticsDatabase { _, pool in
            let away = RedisPool(
                try RedisConfiguration(url: "redis+unix:///nonexistent/redis.sock"), connections: 1,
                logger: silentLogger)
            let fixture = RollupFixture(pool: pool, redis: away, logger: silentLogger)
            try await fixture.store([.at("2025-12-05T10:00:00+09:00")], seq: 1)
            #expect(try await fixture.rollup.run().batches == 1)
            #expect(try await fixture.lines("monthly") == ["2025-12-01 1 0 0"])
            await away.shutdown()
        }
    }

    private func views(_ count: Int) -> [Beacon] {
        var beacon = Beacon(receivedAt: Self.now, timestamp: Self.now)
        beacon[.eventType] = "page_view"
        beacon[.artistId] = "a"
        return [Beacon](repeating: beacon, count: count)
    }
}
