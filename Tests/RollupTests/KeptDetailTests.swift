import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Once raw batches are gone, breakdowns are held against the days that they break down.
@Suite struct KeptDetailTests {
    private func withDropped(_ body: (RollupFixture) async throws -> Void) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", visitor: "v"), .at("2025-12-01T12:01:00+09:00", artist: "b"),
                .at("2025-12-04T12:00:00+09:00", visitor: "v"),
            ])
            #expect(try await fixture.rollup.partitions(keepDays: 2).dropped == [Day("2025-12-01")!])
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings)")
            #expect(report.withoutRaw?.upperBound == Day("2025-12-02")!)
            try await body(fixture)
        }
    }

    @Test(
        arguments: ["a", ""],
        [
            "page_views = page_views + 1", "beacons = beacons + 1", "beacons = beacons - 1",
            "page_views = 9223372036854775807", "artist_id = 'nobody'",
        ])
    func sumsThatTheirDayDoesNotHaveAreNamed(artist: String, change: String) async throws {
        try await withDropped { fixture in
            try await fixture.pool.execute(
                """
                UPDATE traffic_breakdown_daily SET \(unescaped: change)
                WHERE day = '2025-12-01' AND artist_id = \(artist) AND dimension = 'path'
                """)
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(!findings.isEmpty && findings.allSatisfy { $0.table == "traffic_breakdown_daily" }, "\(findings)")
            let days = Day("2025-12-03")!...Day("2025-12-05")!
            let later = try await fixture.rollup.verify(days)
            #expect(later.findings.isEmpty && later.withoutRaw == nil)
        }
    }

    /// It is in the day and, without the other raw batches, in no breakdown.
    @Test func whatCameLaterIsNoFinding() async throws {
        try await withDropped { fixture in
            try await fixture.store([.at("2025-12-01T15:00:00+09:00")], node: "node/2", seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }
}
