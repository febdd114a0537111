import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// What a folded batch held that is gone can't be counted again: no rebuild counts without it, whenever it was received.
@Suite struct MissingBatchTests {
    private static let day = Day("2025-12-01")!

    /// On the day itself and a day of it that came three months later, from a phone that was offline.
    private func withLateBatch(_ body: (RollupFixture) async throws -> Void) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", visitor: "v"),
                .at("2025-12-01T13:00:00+09:00", received: "2026-03-01T12:00:00+09:00", visitor: "late"),
            ])
            try await body(fixture)
        }
    }

    @Test func oneThatWasReceivedMuchLaterIsNotRebuiltWithout() async throws {
        try await withLateBatch { fixture in
            let before = try await fixture.dump()
            try await fixture.pool.execute("DELETE FROM analytics_events WHERE seq = 2")
            let error = await #expect(throws: RawBatches.Unreadable.self) {
                try await fixture.rollup.rebuild(Self.day...Self.day)
            }
            #expect(error?.key.day == Day("2026-03-01")!)
            #expect(try await fixture.dump() == before)
            let findings = try await fixture.rollup.verify(Self.day...Self.day).findings
            #expect(
                findings.contains {
                    $0.table == "analytics_events" && $0.entity == "node/1 2" && $0.difference.contains("gone")
                }, "\(findings)")
        }
    }

    /// An erasure counts its days again like a rebuild.
    @Test func anErasureDoesNotCountWithoutIt() async throws {
        try await withLateBatch { fixture in
            try await fixture.pool.execute("DELETE FROM analytics_events WHERE seq = 2")
            await #expect(throws: Erasure.Incomplete.self) { try await fixture.rollup.erase(visitor: "v", by: "test") }
            #expect(try await fixture.pool.count("SELECT page_views FROM site_traffic_daily") == 2)
        }
    }

    /// Nothing that was received two days before the range can be of it.
    @Test func oneOfLongBeforeTheRangeIsNotAskedFor() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00"), .at("2025-12-03T12:00:00+09:00")])
            try await pool.execute("DELETE FROM analytics_events WHERE seq = 1")
            let day = Self.day + 2
            #expect(try await fixture.rollup.verify(day...day).findings.isEmpty)
            #expect(try await fixture.rollup.rebuild(day...day).beacons == 1)
        }
    }
}
