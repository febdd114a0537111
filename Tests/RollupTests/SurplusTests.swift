import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Rows that no beacon gave are named wherever they are: of any family, of days long after the last beacon, and also once
/// some raw batches are gone.
@Suite struct SurplusTests {
    private static let beacons: [Beacon] = [
        .at("2025-12-01T12:00:00+09:00", event: "e", visitor: "v", message: "1"),
        .at("2025-12-03T12:00:00+09:00", event: "e", visitor: "v", message: "2"),
        .at("2025-12-04T12:00:00+09:00", event: "e", visitor: "v", message: "3", isStamped: true),
        .at("2025-12-04T13:00:00+09:00", event: "e", visitor: "w", message: "4"),
    ]

    private static let surplus: [(table: String, change: String)] = [
        (
            "event_traffic_hourly",
            "INSERT INTO event_traffic_hourly SELECT event_id, hour + interval '100 days', 1, 0, 1, 0, 0, visitors FROM event_traffic_hourly LIMIT 1"
        ),
        (
            "artist_traffic_hourly",
            "INSERT INTO artist_traffic_hourly SELECT 'x', '7025-12-01T12:00Z', 1, 0, 1, 0, 0, visitors FROM artist_traffic_hourly LIMIT 1"
        ),
        (
            "event_funnel_daily",
            "INSERT INTO event_funnel_daily SELECT event_id, '2029-01-01', viewers, seat_viewers FROM event_funnel_daily LIMIT 1"
        ),
        (
            "traffic_breakdown_daily",
            "INSERT INTO traffic_breakdown_daily SELECT artist_id, '2029-01-01', dimension, kind, value, 1, 1, visitors FROM traffic_breakdown_daily LIMIT 1"
        ),
        ("message_ids", "INSERT INTO message_ids SELECT 40000000, 1, ids FROM message_ids LIMIT 1"),
        (
            "message_ids",
            "INSERT INTO message_ids SELECT minute, 1000000, ids FROM message_ids ORDER BY minute DESC LIMIT 1"
        ),
        ("session_slots", "INSERT INTO session_slots SELECT slot + 20000, 1, pieces FROM session_slots LIMIT 1"),
        ("stamped_message_ids", "INSERT INTO stamped_message_ids VALUES (7, '2025-12-04T14:00Z')"),
        (
            "stamped_message_ids",
            "UPDATE stamped_message_ids SET received_at = received_at + interval '1 second'"
        ),
    ]

    private func withRolledUp(
        keepDays: Int, _ body: (RollupFixture) async throws -> Void
    ) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.beacons)
            let dropped = try await fixture.rollup.partitions(keepDays: keepDays).dropped
            #expect(dropped.isEmpty == (keepDays == 400))
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty && report.doubts == [], "\(report)")
            try await body(fixture)
        }
    }

    @Test(arguments: surplus.indices, [400, 3]) func itIsNamed(change: Int, keepDays: Int) async throws {
        try await withRolledUp(keepDays: keepDays) { fixture in
            try await fixture.pool.execute("\(unescaped: Self.surplus[change].change)")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == Self.surplus[change].table }, "\(findings)")
        }
    }

    /// One whose day is gone, and one that was received before the first day that is compared.
    @Test func stampedIdsOfBatchesThatAreGoneAreNoFindings() async throws {
        try await withRolledUp(keepDays: 3) { fixture in
            try await fixture.pool.execute("INSERT INTO stamped_message_ids VALUES (7, '2025-12-01T12:00Z')")
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// A day without a beacon left: its ids are remembered, and nothing is wrong.
    @Test func whatAnErasureLeftIsNoFinding() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.beacons)
            _ = try await fixture.rollup.erase(visitor: "v", by: "test")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.isEmpty, "\(findings)")
            _ = try await fixture.rollup.partitions(keepDays: 3)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test func whatTheExactCountDoesNotNameIsAFindingUnlessItIsTooMuchToProve() {
        let day = Day("2025-12-10")!
        let unanswered = Doubt(day: day, reason: "hours")
        #expect(unanswered.isUnanswered(within: nil))
        #expect(unanswered.isUnanswered(within: day - 1 ... .last))
        #expect(unanswered.isUnanswered(within: day - 1...day + 5))
        // Sessions and ids beyond the range may be what is wrong.
        #expect(!unanswered.isUnanswered(within: day...day + 20))
        #expect(!unanswered.isUnanswered(within: day - 1...day + 1))
        for reason in [Doubt.longSessions, Doubt.manyStamped] {
            #expect(!Doubt(day: day, reason: reason).isUnanswered(within: nil))
        }
        #expect(!Doubt(reason: "something of days without beacons").isUnanswered(within: nil))
    }
}
