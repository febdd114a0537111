import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Days and months are those of the reporting zone, and visitors are distinct in each bucket.
@Suite struct BucketTests {
    @Test func daysAndMonthsBeginAtMidnightInSeoul() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(
                [
                    .at("2025-11-30T23:59:59.999+09:00"), .at("2025-12-01T00:00:00+09:00"),
                    .at("2025-12-31T23:59:59.999+09:00"), .at("2026-01-01T00:00:00+09:00"),
                ], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(
                try await fixture.lines("daily") == [
                    "2025-11-30 1 0 0", "2025-12-01 1 0 0", "2025-12-31 1 0 0", "2026-01-01 1 0 0",
                ])
            #expect(
                try await fixture.lines("monthly") == ["2025-11-01 1 0 0", "2025-12-01 2 0 0", "2026-01-01 1 0 0"])
        }
    }

    /// One beacon an hour over four days in UTC; the clocks change in the middle.
    @Test(arguments: [
        (
            "Europe/Berlin", "2026-03-28",
            ["2026-03-28 23", "2026-03-29 23", "2026-03-30 24", "2026-03-31 24", "2026-04-01 2"]
        ),
        (
            "Europe/Berlin", "2025-10-25",
            ["2025-10-25 22", "2025-10-26 25", "2025-10-27 24", "2025-10-28 24", "2025-10-29 1"]
        ),
        (
            "America/New_York", "2026-03-07",
            ["2026-03-06 5", "2026-03-07 24", "2026-03-08 23", "2026-03-09 24", "2026-03-10 20"]
        ),
        (
            "America/New_York", "2025-11-01",
            ["2025-10-31 4", "2025-11-01 24", "2025-11-02 25", "2025-11-03 24", "2025-11-04 19"]
        ),
        // Midnight comes twice.
        (
            "Asia/Amman", "2021-10-28",
            ["2021-10-28 21", "2021-10-29 25", "2021-10-30 24", "2021-10-31 24", "2021-11-01 2"]
        ),
        // No midnight, and no 2011-12-30.
        (
            "Africa/Cairo", "2023-04-27",
            ["2023-04-27 22", "2023-04-28 23", "2023-04-29 24", "2023-04-30 24", "2023-05-01 3"]
        ),
        (
            "Pacific/Apia", "2011-12-29",
            ["2011-12-28 10", "2011-12-29 24", "2011-12-31 24", "2012-01-01 24", "2012-01-02 14"]
        ),
    ])
    func daysOfAZoneWithDaylightSavingAreWholeHours(zone: String, from: String, expected: [String]) async throws {
        try await withAnalyticsDatabase { _, pool in
            let calendar = try ReportingCalendar(identifier: zone)
            let fixture = RollupFixture(pool: pool, calendar: calendar)
            let start = Instant.parse(from + "T00:00:00Z")!
            var beacons = (0..<96).map { Beacon.at(Instant.iso8601(start + Int64($0) * 3_600_000)) }
            // So that each day has its local midnight's hour as the first.
            beacons.sort { $0.receivedAt < $1.receivedAt }
            try await fixture.store(beacons, seq: 1)
            _ = try await fixture.rollup.run()
            let days = try await fixture.lines("daily").map { line in
                line.split(separator: " ").prefix(2).joined(separator: " ")
            }
            #expect(days == expected)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            let before = try await fixture.dump()
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.dump() == before)
            // Nor do days take from one another.
            for day in (0..<4).map({ Day(from)! + $0 }) {
                #expect(try await fixture.rollup.verify(day...day).findings.isEmpty, "\(day)")
                _ = try await fixture.rollup.rebuild(day...day)
                #expect(try await fixture.dump() == before, "\(day)")
            }
        }
    }

    @Test func visitorsAreExactToAHundredAndTwentyEight() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for batch in 0..<4 {
                try await fixture.store(
                    (0..<128).map { number in
                        .at("2025-12-0\(batch + 1)T12:00:00+09:00", visitor: "visitor_\((number * 7 + batch) % 128)")
                    }, seq: Int64(batch + 1))
            }
            _ = try await fixture.rollup.run()
            for grain in ["hourly", "daily", "monthly"] {
                #expect(try await visitors(pool, grain).allSatisfy { $0 == 128 }, "\(grain)")
            }
        }
    }

    @Test func twentyThousandVisitorsAreEstimatedWithinThreeStandardErrors() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for batch in 0..<4 {
                try await fixture.store(
                    (0..<10_000).map { number in
                        .at(
                            "2025-12-0\(batch % 2 + 1)T1\(batch):00:00+09:00",
                            visitor: "visitor_\(batch / 2 * 10_000 + number)")
                    }, seq: Int64(batch + 1))
            }
            _ = try await fixture.rollup.run()
            for (grain, expected) in [("hourly", 10_000.0), ("daily", 20_000), ("monthly", 20_000)] {
                for estimate in try await visitors(pool, grain) {
                    #expect(abs(estimate - expected) <= expected * 3 * 0.0115, "\(grain) \(estimate)")
                }
            }
        }
    }

    private func visitors(_ pool: PostgresPool, _ grain: String) async throws -> [Double] {
        try await pool.withConnection { connection in
            try connection.query("SELECT visitors FROM site_traffic_\(unescaped: grain)").map { row in
                Double(try row.withBytes(0) { try VisitorSketch(bytes: $0) }.estimate)
            }
        }
    }
}
