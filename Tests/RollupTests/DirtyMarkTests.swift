import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A bucket that waits to be derived is compared with nothing: each is counted, and one that waits for long is named.
@Suite struct DirtyMarkTests {
    @Test(arguments: [
        ("hour", "revenue", "", "2025-12-01T03:00Z"), ("hour", "booking", "", "2025-12-01T03:00Z"),
        ("day", "artist", "a", "2025-12-01Z"), ("month", "site", "all", "2025-12-01Z"),
        ("day", "revenue", "", "2025-12-01Z"),
    ])
    func aMarkIsCountedAndNamedAfterAnHour(grain: String, family: String, entity: String, bucket: String) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00")])
            #expect(try await fixture.rollup.verify(nil).dirty == 0)
            try await pool.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket)
                VALUES (\(grain), \(family), \(entity), \(bucket)::text::timestamptz)
                """)
            var report = try await fixture.rollup.verify(nil)
            #expect(report.dirty == 1 && report.waitingForLong.isEmpty)
            try await pool.execute("UPDATE rollup_dirty SET marked_at = now() - interval '61 minutes'")
            report = try await fixture.rollup.verify(nil)
            #expect(report.dirty == 1)
            #expect(report.waitingForLong.count == 1)
            #expect(report.waitingForLong.first?.hasPrefix("\(grain) \(family)") == true, "\(report.waitingForLong)")
            #expect(report.findings.isEmpty)
        }
    }

    @Test func onlyTheOldestAreNamed() async throws {
        try await withAnalyticsDatabase { _, pool in
            try await pool.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket, marked_at)
                SELECT 'day', 'artist', n::text, '2025-12-01Z', now() - interval '1 day' + n * interval '1 second'
                FROM generate_series(1, \(DirtyBuckets.maxNamed + 1)) n
                """)
            try await pool.execute("INSERT INTO detail_dirty (day, marked_at) VALUES ('2025-12-01', '2025-01-01')")
            let report = try await RollupFixture(pool: pool).rollup.verify(nil)
            #expect(report.dirty == DirtyBuckets.maxNamed + 2)
            #expect(report.waitingForLong.count == DirtyBuckets.maxNamed)
            #expect(report.waitingForLong.first?.hasPrefix("details 2025-12-01") == true)
        }
    }
}
