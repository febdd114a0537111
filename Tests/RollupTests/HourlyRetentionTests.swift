import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Hours go after their months, days stay, and what comes late is added to them.
@Suite struct HourlyRetentionTests {
    /// 2025-12-05 in `RollupFixture`: with 14 months kept, hours before 2024-10-01 go.
    private static let months = HourlyRetention.minMonths

    private static let old: [Beacon] = [
        .at("2024-09-29T23:50:00+09:00", visitor: "v1", message: "1"),
        .at("2024-09-30T00:10:00+09:00", visitor: "v1", message: "2"),
        .at("2024-09-30T12:00:00+09:00", visitor: "v2", message: "3"),
        .at("2024-09-30T12:20:00+09:00", type: "seat_view", event: "e", visitor: "v2", message: "4"),
        .at("2024-10-01T00:05:00+09:00", visitor: "v3", message: "5"),
        .at("2025-12-01T12:00:00+09:00", visitor: "v1", message: "6"),
    ]

    private func dump(_ fixture: RollupFixture, without table: String = "hourly") async throws -> [String] {
        try await fixture.dump().filter { !$0.split(separator: " ")[0].hasSuffix(table) }
    }

    @Test func wholeMonthsGoAndDaysStay() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.old)
            let days = try await dump(fixture)
            let result = try await fixture.rollup.pruneHours(keepMonths: Self.months)
            #expect(result.pruned == [Day("2024-09-29")!, Day("2024-09-30")!])
            #expect(result.kept.isEmpty)
            #expect(try await dump(fixture) == days)
            #expect(try await pool.count("SELECT count(*) FROM site_traffic_hourly") == 2)
            #expect(try await fixture.rollup.pruneHours(keepMonths: Self.months) == HourlyRetention.Result())
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings)")
        }
    }

    /// The same beacons with and without pruning in between, in random order: the days come out alike, byte for byte.
    @Test(arguments: 0..<3)
    func whatComesLateIsAddedToTheDay(round: Int) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("round \(round): \(random.generator)")
        let shift: Int64 = -430 * 86_400_000
        let beacons = random.beacons(1200).map { beacon in
            var beacon = beacon
            beacon.receivedAt += shift
            beacon.timestamp += shift
            beacon.claimed += shift
            return beacon
        }
        let batches = random.batches(of: beacons)
        let pruneAfter = Set((0..<batches.count).shuffled(using: &random.generator).prefix(3))
        var results: [[String]] = []
        for isPruned in [false, true] {
            try await withAnalyticsDatabase { _, pool in
                let fixture = RollupFixture(pool: pool)
                for (number, batch) in batches.enumerated() {
                    try await fixture.store(batch, seq: Int64(number + 1))
                    _ = try await fixture.rollup.run()
                    guard isPruned, pruneAfter.contains(number) else { continue }
                    let result = try await fixture.rollup.pruneHours(keepMonths: Self.months)
                    #expect(result.kept.isEmpty)
                    let report = try await fixture.rollup.verify(nil)
                    #expect(report.findings.isEmpty, "\(report.findings.prefix(3))")
                }
                if isPruned {
                    #expect(try await pool.count("SELECT count(*) FROM pruned_days") > 0)
                    _ = try await fixture.rollup.pruneHours(keepMonths: Self.months)
                    #expect(try await pool.count("SELECT count(*) FROM site_traffic_hourly") == 0)
                }
                results.append(try await self.dump(fixture))
            }
        }
        #expect(results[0] == results[1])
        #expect(!results[0].isEmpty)
    }

    /// A session that was counted is joined with what comes before and after it: deltas below zero, too.
    @Test func aSessionIsContinuedAcrossAPrunedMidnight() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2024-09-29T23:40:00+09:00", session: "s"), .at("2024-09-30T00:20:00+09:00", session: "s"),
            ])
            #expect(try await fixture.lines("daily") == ["2024-09-29 1 1 0", "2024-09-30 1 1 0"])
            _ = try await fixture.rollup.pruneHours(keepMonths: Self.months)
            try await fixture.foldOneByOne([.at("2024-09-30T00:00:00+09:00", session: "s")], from: 3)
            #expect(try await fixture.lines("daily") == ["2024-09-29 1 1 2400000", "2024-09-30 2 0 0"])
            #expect(try await fixture.lines("monthly") == ["2024-09-01 3 1 2400000"])
            #expect(try await fixture.lines().isEmpty)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test func daysThatWaitOrDoNotAgreeKeepTheirHours() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.old)
            try await pool.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket) VALUES ('day', 'artist', 'a', '2024-09-29Z')
                """)
            try await pool.execute("UPDATE event_traffic_daily SET seat_views = 7")
            let result = try await fixture.rollup.pruneHours(keepMonths: Self.months)
            #expect(result.kept == [Day("2024-09-29")!, Day("2024-09-30")!])
            #expect(try await pool.count("SELECT count(*) FROM site_traffic_hourly") == 5)
            #expect(try await pool.count("SELECT count(*) FROM pruned_days") == 0)
        }
    }

    /// The hours are the only ones that know better.
    @Test func daysWhoseVisitorsAreNotThoseOfTheirHoursKeepThem() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.old)
            let empty = VisitorSketch().bytes
            try await pool.execute("UPDATE artist_traffic_daily SET visitors = \(empty) WHERE day = '2024-09-30'")
            let result = try await fixture.rollup.pruneHours(keepMonths: Self.months)
            #expect(result.pruned == [Day("2024-09-29")!])
            #expect(result.kept == [Day("2024-09-30")!])
        }
    }

    /// Raw outlives hours where retention says so: then a rebuild brings them back.
    @Test func aRebuildFromRawBringsHoursBackAndIsRefusedWithoutRaw() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.old)
            let before = try await fixture.dump()
            _ = try await fixture.rollup.pruneHours(keepMonths: Self.months)
            let day = Day("2024-09-30")!
            #expect(try await fixture.rollup.verify(day...day).findings.isEmpty)
            _ = try await fixture.rollup.rebuild(day...day)
            #expect(try await pool.count("SELECT count(*) FROM pruned_days") == 1)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.dump() == before)
            #expect(try await pool.count("SELECT count(*) FROM pruned_days") == 0)

            _ = try await fixture.rollup.pruneHours(keepMonths: Self.months)
            let days = try await dump(fixture)
            #expect(try await fixture.rollup.partitions(keepDays: 100).dropped.count == 2)
            let refusal = await #expect(throws: Rebuild.Refusal.self) { try await fixture.rollup.rebuild(day...day) }
            #expect(refusal?.description.contains("2024-09-30") == true)
            #expect(try await dump(fixture) == days)
            // Days are still compared with months.
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            try await pool.execute("UPDATE artist_traffic_daily SET page_views = 99 WHERE day = '2024-09-29'")
            #expect(try await fixture.rollup.verify(nil).findings.map(\.table) == ["artist_traffic_monthly"])
            try await pool.execute(
                "INSERT INTO site_traffic_hourly SELECT 'all', '2024-09-29T10:00Z', 1, 0, 1, 0, 0, visitors "
                    + "FROM site_traffic_daily LIMIT 1")
            #expect(
                try await fixture.rollup.verify(nil).findings.map(\.table).sorted()
                    == ["artist_traffic_monthly", "site_traffic_hourly"])
        }
    }

    @Test func sessionsAreForgottenWhenNothingCanContinueThem() async throws {
        try await withAnalyticsDatabase { _, pool in
            // Ended 435 days before 2025-12-05T02:00Z and an hour later.
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2024-09-26T01:59:59Z", session: "a"), .at("2024-09-26T02:00:01Z", session: "b"),
                .at("2025-12-01T12:00:00Z", session: "c"),
            ])
            #expect(try await fixture.rollup.forgetSessions() == 0, "raw can still rebuild them")
            _ = try await fixture.rollup.partitions(keepDays: 400)
            #expect(try await fixture.rollup.forgetSessions() == 1, "a half hour")
            #expect(try await pool.count("SELECT count(*) FROM session_slots") == 2)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }
}
