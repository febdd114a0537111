import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A partition that was detached and left is in no query, and may come back: no erasure ends without it.
@Suite struct EraseHalfDroppedTests {
    private static let day = Day("2025-12-01")!

    private func withDetached(
        byHand: Bool, _ body: (RollupFixture) async throws -> Void
    ) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00Z", visitor: "v"), .at("2025-12-04T12:00:00Z", visitor: "v"),
            ])
            try await pool.execute("INSERT INTO dropped_event_days VALUES ('2025-12-01', 'infinity')")
            if byHand {
                try await pool.execute("ALTER TABLE analytics_events DETACH PARTITION analytics_events_20251201")
            }
            try await body(fixture)
        }
    }

    @Test(arguments: [false, true]) func anErasureRefusesUntilItIsDropped(isDetached: Bool) async throws {
        try await withDetached(byHand: isDetached) { fixture in
            let error = await #expect(throws: Erasure.HalfDropped.self) {
                try await fixture.rollup.erase(visitor: "v", by: "test")
            }
            #expect(error?.days == [Self.day])
            #expect("\(error!)".contains("tiketi rollup partitions"))
            #expect(try await fixture.pool.count("SELECT count(*) FROM erasures") == 0)
            #expect(try await fixture.rollup.partitions(keepDays: 2).dropped == [Self.day])
            #expect(
                try await fixture.pool.count("SELECT count(*) FROM dropped_event_days WHERE dropped_at < 'infinity'")
                    == 1)
            let result = try await fixture.rollup.erase(visitor: "v", by: "test")
            #expect(result.beacons == 1 && result.rawGoneThrough == Self.day)
        }
    }

    /// A batch came before it was detached: it is attached again, and the erasure reaches all of it.
    @Test func whatComesBackIsErased() async throws {
        try await withDetached(byHand: true) { fixture in
            try await fixture.pool.execute(
                "INSERT INTO rollup_pending SELECT received_day, node, seq, beacons, received_at FROM analytics_events_20251201"
            )
            try await fixture.pool.execute("DELETE FROM rollup_folded WHERE received_day = '2025-12-01'")
            #expect(try await fixture.rollup.partitions(keepDays: 2).kept.contains(Self.day))
            #expect(try await fixture.pool.count("SELECT count(*) FROM dropped_event_days") == 0)
            let result = try await fixture.rollup.erase(visitor: "v", by: "test")
            #expect(result.beacons == 2 && result.rawGoneThrough == nil && result.unreachableDays.isEmpty)
        }
    }
}
