import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A repeated messageId counts once: for ever with its own timestamp, within a day where the server stamped it.
@Suite struct RepeatTests {
    /// Those of the day are compared and rebuilt, those of the other day are as they were.
    @Test func repeatsOfABatchThatReachesOutOfTheRangeAreMended() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let first = Beacon.at("2025-12-01T12:00:00+09:00", message: "1")
            let second = Beacon.at("2025-12-02T12:00:00+09:00", message: "2")
            try await fixture.store([first, second], seq: 1)
            _ = try await fixture.rollup.run()
            try await fixture.store(
                [first, second, .at("2025-12-02T13:00:00+09:00", message: "3")], seq: 2, receivedAt: second.receivedAt)
            _ = try await fixture.rollup.run()
            let before = try await fixture.dump()
            let days = Day("2025-12-02")!...Day("2025-12-02")!
            #expect(try await fixture.rollup.verify(days).findings.isEmpty)
            for (recorded, mended) in [("{0,2}", "{0,1}"), ("{}", "{1}"), ("{0,1,2}", "{0,1}")] {
                try await pool.execute(
                    "UPDATE rollup_folded SET duplicates = \(recorded)::text::int[] WHERE seq = 2")
                let findings = try await fixture.rollup.verify(days).findings
                #expect(findings.contains { $0.table == "rollup_folded" }, "\(recorded): \(findings)")
                _ = try await fixture.rollup.rebuild(days)
                let repeats = try await pool.withConnection {
                    try $0.query("SELECT duplicates::text FROM rollup_folded WHERE seq = 2")[0].get(0, as: String.self)
                }
                #expect(repeats == mended)
            }
            try await pool.execute("UPDATE rollup_folded SET duplicates = '{0,1}' WHERE seq = 2")
            #expect(try await fixture.dump() == before)
        }
    }

    private func views(_ beacons: [Beacon], together: Bool = false) async throws -> Int64 {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            if together {
                try await fixture.store(beacons, seq: 1)
                _ = try await fixture.rollup.run()
            } else {
                try await fixture.foldOneByOne(beacons)
            }
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            let before = try await fixture.dump()
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
            #expect(try await fixture.dump() == before)
            return try await pool.count("SELECT sum(page_views)::bigint FROM site_traffic_monthly")
        }
    }

    @Test(arguments: [true, false])
    func aRetryCountsOnceForEver(together: Bool) async throws {
        let first = Beacon.at("2025-12-01T12:00:00+09:00", message: "m")
        let retries = ["2025-12-01T12:00:01+09:00", "2025-12-02T12:00:00+09:00", "2026-12-01T12:00:00+09:00"].map {
            Beacon.at("2025-12-01T12:00:00+09:00", received: $0, message: "m")
        }
        #expect(try await views([first] + retries, together: together) == 1)
        #expect(try await views(retries.reversed() + [first], together: together) == 1)
    }

    /// It claimed to be ahead of the server's clock, and each copy was clamped to its own receipt.
    @Test func copiesClampedDifferentlyMeetByWhatTheyClaim() async throws {
        #expect(
            try await views([
                .at("2025-12-01T12:08:00+09:00", received: "2025-12-01T12:00:00+09:00", message: "m"),
                .at("2025-12-01T12:08:00+09:00", received: "2025-12-01T12:04:00+09:00", message: "m"),
                .at("2025-12-01T12:08:00+09:00", received: "2025-12-01T13:00:00+09:00", message: "m"),
            ]) == 1)
    }

    /// What counts on one day claims the next: a recount of the one must look at the claims of the other.
    @Test(arguments: [true, false])
    func copiesClampedAcrossMidnightMeet(together: Bool) async throws {
        #expect(
            try await views(
                [
                    .at("2025-12-02T00:05:00+09:00", received: "2025-12-01T23:56:00+09:00", message: "m"),
                    .at("2025-12-02T00:05:00+09:00", received: "2025-12-01T23:58:00+09:00", message: "m"),
                ], together: together) == 1)
        #expect(
            try await views(
                [
                    .at("2025-12-02T00:05:00+09:00", received: "2025-12-01T23:56:00+09:00", message: "m"),
                    .at("2025-12-02T00:05:00+09:00", received: "2025-12-02T00:01:00+09:00", message: "m"),
                    .at("2025-12-02T12:00:00+09:00"),
                ], together: together) == 2)
    }

    /// The ids of claims beyond the last day are kept by a rebuild.
    @Test func aRebuildKeepsTheIdsOfClaimsThatAreAhead() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let first = Beacon.at("2025-12-02T00:05:00+09:00", received: "2025-12-01T23:56:00+09:00", message: "m")
            try await fixture.foldOneByOne([first])
            _ = try await fixture.rollup.rebuild(nil)
            try await fixture.foldOneByOne(
                [.at("2025-12-02T00:05:00+09:00", received: "2025-12-02T00:30:00+09:00", message: "m")], from: 2)
            #expect(try await pool.count("SELECT sum(page_views)::bigint FROM site_traffic_monthly") == 1)
        }
    }

    @Test func idsOfOtherMinutesAndKindsDoNotMeet() async throws {
        #expect(
            try await views([
                .at("2025-12-01T12:00:00+09:00", message: "m"), .at("2025-12-01T12:01:00+09:00", message: "m"),
                .at("2025-12-01T12:00:00+09:00", message: "m2"),
                .at("2025-12-01T12:00:00+09:00", message: "m", isStamped: true),
                .at("2025-12-01T12:00:00+09:00"), .at("2025-12-01T12:00:00+09:00"),
            ]) == 6)
    }

    @Test(arguments: [
        (["12-01T12:00:00", "12-02T11:59:59.999"], 1), (["12-01T12:00:00", "12-02T12:00:00"], 2),
        (["12-02T11:59:59.999", "12-01T12:00:00"], 1), (["12-02T12:00:00", "12-01T12:00:00"], 2),
        // Within a day of the one that was counted, not of a repeat.
        (["12-01T12:00:00", "12-02T11:00:00", "12-03T10:00:00"], 2),
        (["12-01T12:00:00", "12-02T12:00:00", "12-03T11:00:00", "12-03T12:00:00"], 3),
    ])
    func stampedOnesRepeatWithinADayBothWays(times: [String], expected: Int) async throws {
        let beacons = times.map { Beacon.at("2025-\($0)+09:00", message: "m", isStamped: true) }
        #expect(try await views(beacons) == Int64(expected))
        #expect(try await views(beacons, together: true) == Int64(expected))
    }

    /// A verification of some days takes what happened before them as it was decided.
    @Test func aChainOfStampedRepeatsIsVerifiedFromItsMiddle() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(
                ["12-01T12:00:00", "12-02T11:00:00", "12-03T10:00:00", "12-04T09:00:00", "12-05T08:00:00"].map {
                    Beacon.at("2025-\($0)+09:00", message: "m", isStamped: true)
                })
            #expect(try await pool.count("SELECT sum(page_views)::bigint FROM site_traffic_monthly") == 3)
            let before = try await fixture.dump()
            for day in 1...5 {
                let day = Day("2025-12-0\(day)")!
                #expect(try await fixture.rollup.verify(day...day).findings.isEmpty, "\(day)")
                #expect(try await fixture.rollup.rebuild(day...day).changedHours == 0, "\(day)")
            }
            #expect(try await fixture.dump() == before)
        }
    }

    @Test func stampedIdsAreForgottenOnceNothingCanRepeatThem() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", message: "old", isStamped: true),
                .at("2025-12-05T12:00:00+09:00", message: "new", isStamped: true),
            ])
            #expect(
                try await pool.count("SELECT count(*) FROM stamped_message_ids") == 2, "the node says it may be behind")
            try await pool.execute("UPDATE spool_positions SET shipped_through = '2025-12-05T12:00:00+09:00'")
            // A batch of another node that was received earlier waits still.
            try await fixture.store(
                [.at("2025-12-02T12:00:00+09:00", message: "old", isStamped: true)], node: "node/2", seq: 1)
            try await pool.execute("UPDATE spool_positions SET shipped_through = 'infinity' WHERE node = 'node/2'")
            try await holding(["SELECT 1 FROM rollup_pending FOR UPDATE"], on: pool) {
                _ = try await fixture.rollup.run()
            }
            #expect(try await pool.count("SELECT count(*) FROM stamped_message_ids") == 2)
            _ = try await fixture.rollup.run()
            #expect(try await pool.count("SELECT count(*) FROM stamped_message_ids") == 1)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }
}
