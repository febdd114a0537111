import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Sessions: split at thirty minutes, counted where they begin, the same whatever order beacons come in.
@Suite struct SessionTests {
    @Test func thirtyMinutesApartAreTwoSessionsAndAMillisecondLessIsOne() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(
                [
                    .at("2025-12-01T12:00:00+09:00", session: "two"),
                    .at("2025-12-01T12:30:00+09:00", session: "two"),
                    .at("2025-12-01T15:00:00+09:00", session: "one"),
                    .at("2025-12-01T15:29:59.999+09:00", session: "one"),
                ], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.lines() == ["2025-12-01T12 2 2 0", "2025-12-01T15 2 1 1799999"])
        }
    }

    @Test func aSessionBelongsToTheHourDayAndMonthInWhichItBegins() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(
                [
                    .at("2025-11-30T23:50:00+09:00", session: "s"), .at("2025-12-01T00:10:00+09:00", session: "s"),
                    .at("2025-12-01T00:30:00+09:00", session: "s"), .at("2025-12-01T01:05:00+09:00", session: "s"),
                ], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(
                try await fixture.lines() == [
                    "2025-11-30T23 1 1 2400000", "2025-12-01T00 2 0 0", "2025-12-01T01 1 1 0",
                ])
            #expect(try await fixture.lines("daily") == ["2025-11-30 1 1 2400000", "2025-12-01 3 1 0"])
            #expect(try await fixture.lines("monthly") == ["2025-11-01 1 1 2400000", "2025-12-01 3 1 0"])
        }
    }

    /// Every order of the same five beacons, each in a batch and a fold of its own.
    @Test func anyOrderOfBatchesGivesTheSameSessions() async throws {
        let times = ["23:20", "23:45", "00:10", "00:35", "01:30"].enumerated().map { number, time in
            Beacon.at("2025-12-0\(number < 2 ? 1 : 2)T\(time):00+09:00", session: "s")
        }
        let expected = [
            "2025-12-01T23 2 1 4500000", "2025-12-02T00 2 0 0", "2025-12-02T01 1 1 0",
        ]
        var random = SeededGenerator()
        print("\(random)")
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [0, 2, 4, 1, 3]]
            + (0..<3).map({ _ in
                [0, 1, 2, 3, 4].shuffled(using: &random)
            })
        {
            try await withAnalyticsDatabase { _, pool in
                let fixture = RollupFixture(pool: pool)
                try await fixture.foldOneByOne(order.map { times[$0] })
                #expect(try await fixture.lines() == expected, "\(order)")
                #expect(try await fixture.rollup.verify(nil).findings.isEmpty, "\(order)")
            }
        }
    }

    /// The hour whose session turns out to have begun earlier keeps its views and loses the session, on every level.
    @Test func aBeaconBetweenTwoSessionsMakesThemOne() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-11-30T23:40:00+09:00", session: "s"), .at("2025-12-01T00:20:00+09:00", session: "s"),
            ])
            #expect(try await fixture.lines() == ["2025-11-30T23 1 1 0", "2025-12-01T00 1 1 0"])
            #expect(try await fixture.lines("monthly") == ["2025-11-01 1 1 0", "2025-12-01 1 1 0"])
            try await fixture.foldOneByOne([.at("2025-12-01T00:00:00+09:00", session: "s")], from: 3)
            #expect(try await fixture.lines() == ["2025-11-30T23 1 1 2400000", "2025-12-01T00 2 0 0"])
            #expect(try await fixture.lines("daily") == ["2025-11-30 1 1 2400000", "2025-12-01 2 0 0"])
            #expect(try await fixture.lines("monthly") == ["2025-11-01 1 1 2400000", "2025-12-01 2 0 0"])
            #expect(try await pool.count("SELECT count(*) FROM session_slots") > 0)
        }
    }

    /// A beacon stays where it was counted, so only damage makes such an hour; it is removed, not kept as zeros.
    @Test func anHourThatHoldsNothingAnyMoreIsRemoved() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:45:00+09:00", session: "s"), .at("2025-12-01T13:20:00+09:00", session: "s"),
            ])
            try await pool.execute(
                """
                UPDATE artist_traffic_hourly SET beacons = 0, page_views = 0 WHERE hour = '2025-12-01T13:00+09:00'
                """)
            try await fixture.foldOneByOne([.at("2025-12-01T12:55:00+09:00", session: "s")], from: 3)
            #expect(try await fixture.lines() == ["2025-12-01T12 2 1 2100000"])
        }
    }

    @Test func sessionsOfDifferentKeysAndArtistsAreApart() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(
                [
                    .at("2025-12-01T12:00:00+09:00", visitor: "v", session: "s1"),
                    .at("2025-12-01T12:10:00+09:00", visitor: "v", session: "s2"),
                    .at("2025-12-01T12:20:00+09:00", visitor: "v"),
                    .at("2025-12-01T12:25:00+09:00", visitor: "v"),
                    .at("2025-12-01T12:05:00+09:00", artist: "b", visitor: "v", session: "s1"),
                ], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.lines() == ["2025-12-01T12 4 3 300000"])
            #expect(try await fixture.lines(artist: "b") == ["2025-12-01T12 1 1 0"])
            let site = try await fixture.hours().first { $0.key.family == "site" }!.value.0
            #expect(site.sessions == 3 && site.sessionMs == 300_000 + 300_000)
        }
    }

    @Test func anonymousBeaconsAreViewsWithoutVisitorOrSession() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            var anonymous = Beacon.at("2025-12-01T12:00:00+09:00")
            anonymous.flags = .anonymous
            try await fixture.store([anonymous, anonymous], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.lines() == ["2025-12-01T12 2 0 0"])
            for (_, value) in try await fixture.hours() { #expect(value.1 == VisitorSketch()) }
            #expect(try await pool.count("SELECT count(*) FROM session_slots") == 0)
        }
    }

    /// A year later, into a month long since derived.
    @Test func lateBeaconsOfAnyAgeAreCountedWhereTheyBelong() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2024-11-01T12:00:00+09:00", session: "s"), .at("2025-12-05T12:00:00+09:00", session: "s"),
                .at("2024-11-01T12:20:00+09:00", received: "2025-12-06T12:00:00+09:00", session: "s"),
            ])
            #expect(try await fixture.lines() == ["2024-11-01T12 2 1 1200000", "2025-12-05T12 1 1 0"])
            #expect(try await fixture.lines("monthly") == ["2024-11-01 2 1 1200000", "2025-12-01 1 1 0"])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }
}
