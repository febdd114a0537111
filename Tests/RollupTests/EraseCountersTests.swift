import Core
import Foundation
import Ingest
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest
@testable import Rollup

/// Counters in Redis lose what is erased, also where nothing is left to count.
@Suite struct EraseCountersTests {
    private static let now = Int64(Date().timeIntervalSince1970 * 1000)

    private func beacon(_ artist: String, visitor: String) -> Beacon {
        var beacon = Beacon(receivedAt: Self.now, timestamp: Self.now)
        beacon[.eventType] = "page_view"
        beacon[.artistId] = artist
        beacon[.eventId] = "event of \(artist)"
        beacon[.visitorId] = visitor
        return beacon
    }

    @Test(arguments: [true, false])
    func countersAreWhatIsLeft(isFolded: Bool) async throws {
        try await withAnalyticsDatabase { _, pool in
            try await withRedis { redis in
                let fixture = RollupFixture(pool: pool, redis: redis.pool, now: Self.now)
                let beacons = [
                    beacon("a", visitor: "v"), beacon("a", visitor: "w"), beacon("only v", visitor: "v"),
                    beacon("w's", visitor: "w"),
                ]
                try await fixture.store(beacons, seq: 1)
                var builder = BeaconBatchBuilder()
                for beacon in beacons { builder.append(beacon) }
                let deltas = CounterDeltas(builder.finish(), calendar: .seoul, now: Self.now)
                try await redis.pool.withConnection {
                    try Counters.apply(CounterChanges(deltas, node: "node/1", seq: 1), on: $0)
                }
                if isFolded { _ = try await fixture.rollup.run() }
                let day = ReportingCalendar.seoul.day(of: Self.now)
                let keys = ["a", "only v", "w's"].flatMap { artist in
                    [CounterKey.artistViews(artist, on: day), CounterKey.eventViews("event of \(artist)", on: day)]
                }
                func values() async throws -> [Int64?] {
                    try await redis.pool.withConnection { redis in
                        try keys.map { try redis.command(["GET", .init($0)]).int }
                    }
                }
                #expect(try await values() == [2, 2, 1, 1, 1, 1])
                #expect(try await fixture.rollup.erase(visitor: "v", by: "test").beacons == 2)
                #expect(try await values() == [1, 1, 0, 0, 1, 1])
                #expect(try await pool.count("SELECT count(*) FROM erasure_counters") == 0)
            }
        }
    }
}
