import Core
import Foundation
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Counters in a real Redis: each batch once, and never in the way of what matters.
@Suite struct CountersTests {
    /// Counters must not expire while the test looks.
    static let now = Int64(Date().timeIntervalSince1970 * 1000)

    private func deltas(_ views: Int, artist: String = "a", daysAgo: Int64 = 0) -> CounterDeltas {
        let at = Self.now - daysAgo * 86_400_000
        var beacon = Beacon(receivedAt: at, timestamp: at)
        beacon[.eventType] = "page_view"
        beacon[.artistId] = artist
        return CounterDeltas(
            .of([Beacon](repeating: beacon, count: views)), calendar: .seoul, now: Self.now)
    }

    private func key(_ artist: String = "a", daysAgo: Int64 = 0) -> String {
        CounterKey.artistViews(
            artist, on: ReportingCalendar.seoul.day(of: Self.now - daysAgo * 86_400_000))
    }

    @Test func aBatchAddsOnceHoweverOftenItComes() async throws {
        try await withRedis { redis in
            let (five, two, key) = (deltas(5), deltas(2), key())
            let values = try await redis.pool.withConnection { connection in
                try [(five, "n/1", Int64(7)), (five, "n/1", 7), (two, "n/1", 6), (two, "n/1", 8), (five, "n/1", 7)].map
                {
                    try Counters.apply(CounterChanges($0.0, node: $0.1, seq: $0.2), on: connection)
                    return try connection.command(["GET", .init(key)]).int!
                }
            }
            #expect(values == [5, 5, 5, 7, 7])
        }
    }

    /// Of batches that are added together only those count that are new; each is remembered by itself.
    @Test func batchesThatAreAddedTogetherStayApart() async throws {
        try await withRedis { redis in
            let (five, two, key) = (deltas(5), deltas(2), key())
            var together = CounterChanges(two, node: "n/1", seq: 3)
            together.add(five, seq: 9)
            together.add(two, seq: 10)
            let (values, recent) = try await redis.pool.withConnection { [together] connection in
                try Counters.apply(CounterChanges(two, node: "n/1", seq: 3), on: connection)
                let values = try (0..<2).map { _ in
                    try Counters.apply(together, on: connection)
                    return try connection.command(["GET", .init(key)]).int!
                }
                let recent = try connection.command(["LRANGE", .init(CounterKey.recent(of: key)), "0", "-1"])
                return (values, recent.array?.compactMap(\.string))
            }
            #expect(values == [9, 9])
            #expect(recent == ["10 2 n/1", "9 5 n/1", "3 2 n/1"])
        }
    }

    /// While Redis is slow, what waits for it is bounded also where each beacon is of another artist.
    @Test func whatWaitsForRedisIsBounded() async throws {
        try await withRedis { redis in
            let counters = Counters(
                redis: redis.pool, calendar: .seoul, clock: { Self.now }, logger: testLogger, maxWaitingCounters: 100)
            for seq in 1...20 {
                let beacons = (0..<30).map { number in
                    var beacon = Beacon(receivedAt: Self.now, timestamp: Self.now)
                    beacon[.eventType] = "page_view"
                    beacon[.artistId] = "\(seq) \(number)"
                    return beacon
                }
                counters.add(.of(beacons), node: "n/1", seq: Int64(seq))
            }
            // A batch that finds room is taken whole. All are of one minute, or of two.
            #expect([121, 122].contains(counters.waitingCounters))
        }
    }

    @Test func batchesOfTwoNodesBothCount() async throws {
        try await withRedis { redis in
            let (five, two, key) = (deltas(5), deltas(2), key())
            let value = try await redis.pool.withConnection { connection in
                try Counters.apply(CounterChanges(five, node: "n/1", seq: 900), on: connection)
                try Counters.apply(CounterChanges(two, node: "n/2", seq: 1), on: connection)
                try Counters.apply(CounterChanges(two, node: "n/2", seq: 1), on: connection)
                return try connection.command(["GET", .init(key)]).int!
            }
            #expect(value == 7)
        }
    }

    @Test(arguments: [Int64(0), 1, 2])
    func allKeysOfACounterExpireTwoDaysAfterItsDay(daysAgo: Int64) async throws {
        try await withRedis { redis in
            let (deltas, key) = (deltas(1, daysAgo: daysAgo), key(daysAgo: daysAgo))
            let day = ReportingCalendar.seoul.day(of: Self.now - daysAgo * 86_400_000)
            let expected = ReportingCalendar.seoul.start(of: day + 3) / 1000
            let (keys, expiries) = try await redis.pool.withConnection { connection in
                try Counters.apply(CounterChanges(deltas, node: "n/1", seq: 1), on: connection)
                let keys = try connection.command(["KEYS", "*views*"]).array!.map { $0.string! }
                return (keys, try keys.map { try connection.command(["EXPIRETIME", .init($0)]).int! })
            }
            #expect(keys.count == 3 && keys.contains(key))
            #expect(Set(expiries) == [expected])
        }
    }

    @Test(arguments: ["{x}", "a{b}c", "}{", "{}", "a:views:20251201", "with space", "아이유", "*?[a]", "%", "'\"\\"])
    func anyIdHasACounterOfItsOwn(artist: String) async throws {
        try await withRedis { redis in
            let (deltas, other, key) = (deltas(3, artist: artist), deltas(1), key(artist))
            let value = try await redis.pool.withConnection { connection in
                try Counters.apply(CounterChanges(deltas, node: "n/1", seq: 1), on: connection)
                try Counters.apply(CounterChanges(other, node: "n/1", seq: 1), on: connection)
                try Counters.apply(CounterChanges(deltas, node: "n/1", seq: 1), on: connection)
                return try connection.command(["GET", .init(key)]).int!
            }
            #expect(value == 3)
        }
    }

    /// A counter and what stands beside it are in one slot of a cluster.
    @Test(arguments: ["artist_1", "{x}", "a{b}c", "a{b", "{a{b}}", "아이유 1"])
    func theKeysOfACounterShareASlot(artist: String) {
        let name = CounterKey.artistViews(artist, on: Day("2025-12-05")!)
        #expect(slot(CounterKey.positions(of: name)) == slot(name))
        #expect(slot(CounterKey.recent(of: name)) == slot(name))
        #expect(Set([name, CounterKey.positions(of: name), CounterKey.recent(of: name)]).count == 3)
    }

    @Test func slotsAreThoseOfTheClusterSpecification() {
        #expect(slot("123456789") == 0x31C3 & 16383)
        #expect(slot("{user1000}.following") == slot("{user1000}.followers"))
        #expect(slot("foo{}{bar}") != slot("bar"))
        #expect(slot("foo{{bar}}zap") == slot("{bar"))
    }

    // MARK: Without Redis

    @Test func whileRedisIsAwayNothingWaitsAndWhatIsTooMuchIsPassedOver() async throws {
        try await withRedis { redis in
            let away = RedisPool(
                try RedisConfiguration(url: "redis+unix:///nonexistent/redis.sock"), connections: 1,
                logger: silentLogger)
            let counters = Counters(redis: away, calendar: .seoul, clock: { Self.now }, logger: silentLogger)
            // Nobody takes them out of the queue: adding does not wait for that.
            for number in 0..<(Counters.maxWaiting * 3) {
                counters.add(batch(), node: "n/1", seq: Int64(number))
            }
            counters.beginDraining()
            await counters.run()
            await away.shutdown()

            let later = Counters(redis: redis.pool, calendar: .seoul, clock: { Self.now }, logger: silentLogger)
            for number in 0..<(Counters.maxWaiting * 3) {
                later.add(batch(), node: "n/1", seq: Int64(number))
            }
            later.beginDraining()
            await later.run()
            let key = key()
            let value = try await redis.pool.withConnection { try $0.command(["GET", .init(key)]).int! }
            #expect(value == Int64(Counters.maxWaiting), "the first ones; healing makes up for the others")
        }
    }

    private func batch() -> BeaconBatch {
        var beacon = Beacon(receivedAt: Self.now, timestamp: Self.now)
        beacon[.eventType] = "page_view"
        beacon[.artistId] = "a"
        return .of([beacon])
    }

    /// As in the cluster specification: CRC-16/XMODEM of the part in braces, modulo 16384.
    private func slot(_ key: String) -> UInt16 {
        var bytes = Array(key.utf8)[...]
        if let open = bytes.firstIndex(of: UInt8(ascii: "{")),
            let close = bytes[(open + 1)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        {
            bytes = bytes[(open + 1)..<close]
        }
        var crc: UInt16 = 0
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? (crc << 1) ^ 0x1021 : crc << 1 }
        }
        return crc & 16383
    }
}
