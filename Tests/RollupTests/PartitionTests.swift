import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Partitions are there ahead of time and go past retention; interrupted anywhere, the next run finishes.
@Suite struct PartitionTests {
    /// 2025-12-05 in UTC, as in `RollupFixture`.
    private static let today = Day("2025-12-05")!

    @Test func comingDaysAreMadeAheadAndOnce() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let result = try await fixture.rollup.partitions(keepDays: 400)
            #expect(result.made == (0...Partitions.daysAhead).map { Self.today + $0 })
            #expect(try await fixture.rollup.partitions(keepDays: 400) == Partitions.Result())
            for offset in 0...Partitions.daysAhead {
                try await fixture.store([.at("\(Self.today + offset)T12:00:00Z")], seq: Int64(offset + 1))
            }
        }
    }

    /// A long query reads all partitions, and batches are stored beside it.
    @Test func makingOneWaitsForNoReaderAndNoBatchWaitsForIt() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store([.at("2025-12-01T12:00:00Z")], seq: 1)
            try await holding(["SELECT count(*) FROM analytics_events"], on: pool) {
                let made = try await fixture.rollup.partitions(keepDays: 400).made
                #expect(made.count == Partitions.daysAhead + 1)
                try await fixture.store([.at("2025-12-05T12:00:00Z")], seq: 2)
            }
            #expect(try await fixture.rollup.run().batches == 2)
            let plain = try await pool.count(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = 'analytics_events_20251205'::regclass "
                    + "AND attname = 'payload' AND attstorage = 'e'")
            #expect(plain == 1, "compressed already")
            #expect(
                try await pool.count(
                    "SELECT count(*) FROM pg_indexes WHERE tablename = 'analytics_events_20251205'") == 3)
        }
    }

    @Test func daysPastRetentionGoAndTheirRollupsStay() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00Z"), .at("2025-12-02T12:00:00Z"), .at("2025-12-03T12:00:00Z"),
            ])
            let before = try await fixture.dump()
            let result = try await fixture.rollup.partitions(keepDays: 3)
            #expect(result.dropped == [Day("2025-12-01")!])
            #expect(try await fixture.dump() == before)
            #expect(try await pool.count("SELECT count(*) FROM analytics_events") == 2)
            #expect(try await pool.count("SELECT count(*) FROM rollup_folded") == 2)
            #expect(try await tables(pool, "20251201") == 0)
            #expect(try await fixture.rollup.partitions(keepDays: 3).dropped.isEmpty)
        }
    }

    @Test func whatIsNotFoldedYetIsNeverDropped() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store([.at("2025-11-01T12:00:00Z")], seq: 1)
            #expect(try await fixture.rollup.partitions(keepDays: 1).kept == [Day("2025-11-01")!])
            #expect(try await pool.count("SELECT count(*) FROM dropped_event_days") == 0)
            #expect(try await fixture.rollup.run().batches == 1)
            #expect(try await fixture.rollup.partitions(keepDays: 1).dropped == [Day("2025-11-01")!])
        }
    }

    /// Details are derived minutes after the fold, and from raw batches alone.
    @Test func whatDetailsAreStillDerivedFromIsNotDropped() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let day = Day("2025-11-01")!
            try await fixture.foldOneByOne([.at("\(day)T12:00:00Z", message: "1")])
            try await fixture.store([.at("\(day)T12:00:01Z", message: "2")], seq: 2)
            // As `follow` does, which leaves details for later.
            _ = try await pool.withConnection { try FoldTransaction.run(calendar: .seoul, on: $0) }
            #expect(try await fixture.rollup.partitions(keepDays: 1).kept == [day])
            #expect(try await pool.count("SELECT count(*) FROM dropped_event_days") == 0)
            _ = try await fixture.rollup.run()
            #expect(
                try await pool.count("SELECT beacons FROM traffic_breakdown_daily WHERE dimension = 'type'") == 2)
            #expect(try await fixture.rollup.partitions(keepDays: 1).dropped == [day])
        }
    }

    /// A day that can't be derived fills no disk; neither do those that no partition could make anew.
    @Test(arguments: [
        "UPDATE detail_dirty SET marked_at = now() - interval '8 days'",
        "INSERT INTO dropped_event_days (day) VALUES ('2025-11-01')", "UPDATE detail_dirty SET day = '2025-11-03'",
    ])
    func detailsThatAreNotDerivedHoldNothing(change: String) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-11-01T12:00:00Z")])
            try await pool.withConnection { try DeriveDetails.mark([Day("2025-11-02")!], on: $0) }
            #expect(try await fixture.rollup.partitions(keepDays: 1).kept == [Day("2025-11-01")!])
            try await pool.execute("\(unescaped: change)")
            #expect(try await fixture.rollup.partitions(keepDays: 1).dropped == [Day("2025-11-01")!])
        }
    }

    @Test func damagedBatchesKeepTheirDay() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.store([.at("2025-11-01T12:00:00Z")], seq: 1)
            try await pool.execute("UPDATE analytics_events SET payload = '\\x00'")
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.partitions(keepDays: 1).kept == [Day("2025-11-01")!])
            try await pool.execute("DELETE FROM damaged_batches")
            #expect(try await fixture.rollup.partitions(keepDays: 1).dropped == [Day("2025-11-01")!])
        }
    }

    /// Detaching waits for a reader; its connection is ended there, between the two transactions it takes.
    @Test func aDetachThatWasInterruptedIsFinishedByTheNextRun() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z"), .at("2025-12-02T12:00:00Z")])
            try await holding(["SELECT count(*) FROM analytics_events"], on: pool) {
                let running = Task { try await fixture.rollup.partitions(keepDays: 2) }
                try await pool.terminateWhoWaits()
                await #expect(throws: PostgresError.self) { try await running.value }
            }
            #expect(try await pool.count("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1)
            let result = try await fixture.rollup.partitions(keepDays: 2)
            #expect(result.dropped.map(\.description) == ["2025-12-01", "2025-12-02"])
            #expect(try await tables(pool, "20251201") + tables(pool, "20251202") == 0)
        }
    }

    /// Ended after the detach and before the drop.
    @Test func aPartitionThatWasDetachedAndLeftIsDroppedByTheNextRun() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z")])
            try await pool.execute("INSERT INTO dropped_event_days (day) VALUES ('2025-12-01')")
            try await pool.execute("ALTER TABLE analytics_events DETACH PARTITION analytics_events_20251201")
            #expect(try await fixture.rollup.partitions(keepDays: 2).dropped == [Day("2025-12-01")!])
            #expect(try await tables(pool, "20251201") == 0)
            #expect(try await pool.count("SELECT count(*) FROM rollup_folded") == 0)
            // A late spool may still bring a batch of that day.
            try await fixture.store([.at("2025-12-01T13:00:00Z")], seq: 2)
            #expect(try await fixture.rollup.run().batches == 1)
        }
    }

    /// A batch is stored between looking and detaching: its day comes back, and the batch is folded.
    @Test func aBatchThatComesBeforeTheDetachIsKept() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z")])
            try await holding(["SELECT count(*) FROM analytics_events"], on: pool) {
                let running = Task { try await fixture.rollup.partitions(keepDays: 2) }
                try await pool.terminateWhoWaits()
                _ = await running.result
            }
            // As if it had been stored just before: through the partition itself, the parent knows it no more.
            try await pool.execute(
                """
                WITH late AS (
                    INSERT INTO analytics_events_20251201
                    SELECT received_day, node, 2, 2, received_at, min_time, max_time, beacons, schema_version, crc,
                        payload
                    FROM analytics_events_20251201 RETURNING *
                )
                INSERT INTO rollup_pending SELECT received_day, node, seq, beacons, received_at FROM late
                """)
            let result = try await fixture.rollup.partitions(keepDays: 2)
            #expect(result.dropped.isEmpty)
            #expect(Set(result.kept) == [Day("2025-12-01")!])
            #expect(try await fixture.rollup.run().batches == 1)
            #expect(try await pool.count("SELECT sum(page_views)::bigint FROM site_traffic_daily") == 2)
            #expect(try await fixture.rollup.partitions(keepDays: 2).dropped == [Day("2025-12-01")!])
        }
    }

    @Test func daysAreNamedInStretchesAndNotWithoutEnd() {
        let first = Day("2025-01-30")!
        #expect("\(DayList([first + 1, first, first + 2, first + 5]))" == "2025-01-30 to 2025-02-01, 2025-02-04")
        #expect("\(DayList((0..<400).map { first + $0 }))" == "2025-01-30 to 2026-03-05")
        let scattered = DayList((0..<400).map { first + $0 * 2 })
        #expect("\(scattered)".hasSuffix(", 2025-02-21 and 388 more"))
        #expect("\(scattered)".split(separator: ",").count == DayList.maxStretches)
    }

    private func tables(_ pool: PostgresPool, _ day: String) async throws -> Int64 {
        try await pool.count("SELECT count(*) FROM pg_class WHERE relname = \("analytics_events_" + day)")
    }
}
