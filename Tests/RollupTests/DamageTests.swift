import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A batch that can't be folded is set aside and named, and stops nothing.
@Suite struct DamageTests {
    @Test(arguments: [
        "UPDATE analytics_events SET payload = set_byte(payload, 20, get_byte(payload, 20) # 255) WHERE seq = 2",
        "UPDATE analytics_events SET payload = '' WHERE seq = 2", "DELETE FROM analytics_events WHERE seq = 2",
    ])
    func aDamagedBatchIsSetAsideAndTheOthersAreFolded(damage: String) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            for seq in 1...3 { try await fixture.store([.at("2025-12-01T12:0\(seq):00+09:00")], seq: Int64(seq)) }
            try await pool.execute("\(unescaped: damage)")
            let result = try await fixture.rollup.run()
            #expect(result.batches == 2 && result.damaged == 1)
            #expect(try await fixture.lines() == ["2025-12-01T12 2 0 0"])
            #expect(try await pool.count("SELECT count(*) FROM rollup_pending") == 0)
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.map(\.table) == ["damaged_batches"])
            #expect(findings.first?.entity == "node/1 2")
            #expect(try await fixture.rollup.run() == Rollup.Result(), "and it stays set aside")
        }
    }

    /// From a backup, say: a rebuild puts it back, and it is counted.
    @Test func aBatchThatCanBeReadAgainIsPutBackByARebuild() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            for seq in 1...3 { try await fixture.store([.at("2025-12-01T12:0\(seq):00+09:00")], seq: Int64(seq)) }
            try await pool.execute("UPDATE analytics_events SET payload = payload || '\\x00' WHERE seq < 3")
            #expect(try await fixture.rollup.run().damaged == 2)
            try await pool.execute(
                "UPDATE analytics_events SET payload = substr(payload, 1, length(payload) - 1) WHERE seq = 1")
            #expect(try await fixture.rollup.rebuild(nil).retriedBatches == 1)
            #expect(try await fixture.rollup.run().batches == 1)
            #expect(try await fixture.lines() == ["2025-12-01T12 2 0 0"])
            #expect(try await fixture.rollup.verify(nil).findings.map(\.entity) == ["node/1 2"])
        }
    }

    /// It was whole when it was folded: what it gave is kept, and a rebuild doesn't take it away.
    @Test func aBatchDamagedAfterItWasFoldedIsNamedAndNotRebuilt() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...3 { try await fixture.store([.at("2025-12-01T12:0\(seq):00+09:00")], seq: Int64(seq)) }
            _ = try await fixture.rollup.run()
            let before = try await fixture.dump()
            try await pool.execute("UPDATE analytics_events SET payload = '\\x00' WHERE seq = 2")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == "analytics_events" && $0.entity == "node/1 2" })
            await #expect(throws: RawBatches.Unreadable.self) { try await fixture.rollup.rebuild(nil) }
            #expect(try await fixture.dump() == before)
        }
    }

    /// Whole, but Postgres refuses what is in it: among many others, that one alone is set aside.
    @Test func aBatchThatPostgresRefusesIsSetAsideAlone() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            for seq in 1...40 {
                try await fixture.store(
                    [.at("2025-12-01T12:00:00+09:00", artist: seq == 23 ? "a\u{0}b" : "a")], seq: Int64(seq))
            }
            let result = try await fixture.rollup.run()
            #expect(result.batches == 39 && result.damaged == 1)
            #expect(try await fixture.lines() == ["2025-12-01T12 39 0 0"])
            #expect(try await fixture.rollup.verify(nil).findings.map(\.entity) == ["node/1 23"])
        }
    }

    /// Instants that no decoder lets through; adding them up would end the process.
    @Test(arguments: [Int64.max, .min, 300_000_000_000_000])
    func instantsOutOfTheCalendarAreDamage(instant: Int64) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.store(
                [.at("2025-12-01T12:00:00+09:00", session: "s"), .at("2025-12-01T12:10:00+09:00", session: "s")], seq: 1
            )
            var hostile = Beacon.at("2025-12-01T12:00:00+09:00", session: "s")
            hostile.timestamp = instant
            hostile.claimed = instant
            var builder = BeaconBatchBuilder()
            for beacon in [hostile, .at("2025-12-01T12:10:00+09:00", session: "s")] { builder.append(beacon) }
            let block = BatchBlock.encode(builder.finish()).bytes
            try await pool.execute("UPDATE analytics_events SET payload = \(block)")
            #expect(try await fixture.rollup.run().damaged == 1)
            #expect(try await fixture.lines().isEmpty)
        }
    }

    // MARK: Rows of ledgers and rollups

    /// Batches that add to it are set aside until a rebuild has replaced it; those of other days are counted.
    @Test(arguments: [
        ("message_ids", "ids"), ("session_slots", "pieces"), ("artist_traffic_hourly", "visitors"),
        ("site_traffic_hourly", "visitors"),
    ])
    func whatNeedsAnUndecodableRowWaitsForARebuild(table: String, column: String) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00", visitor: "v", message: "m0")])
            try await pool.execute("UPDATE \(unescaped: table) SET \(unescaped: column) = '\\x00'")
            for seq in 2...21 {
                try await fixture.store(
                    [
                        .at(
                            seq % 2 == 0 ? "2025-12-01T12:00:00+09:00" : "2025-12-02T12:00:00+09:00", visitor: "v",
                            message: "m\(seq)")
                    ], seq: Int64(seq))
            }
            // The day can't be derived either where it is an hour that is broken.
            let result = try? await fixture.rollup.run()
            #expect(result?.damaged == 10 || table.hasSuffix("hourly"))
            #expect(try await fixture.lines().contains("2025-12-02T12 10 1 0"))
            let reasons = try await pool.withConnection { connection in
                try connection.query("SELECT reason FROM damaged_batches").map { try $0.get(0, as: String.self) }
            }
            #expect(reasons.count == 10)
            for reason in reasons {
                #expect(reason.hasPrefix(table))
                #expect(reason.contains("tiketi rollup rebuild --from 2025-12-01 --to 2025-12-01"))
            }
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == table && $0.difference.contains("can't be decoded") })

            let day = Day("2025-12-01")!
            #expect(try await fixture.rollup.rebuild(day...day).retriedBatches == 10)
            #expect(try await fixture.rollup.run().batches == 10)
            #expect(try await fixture.lines().first == "2025-12-01T12 11 1 0")
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// The session reaches back into an hour in which the new batch has no beacon.
    @Test func whatReachesBackToAnUndecodableHourIsSetAsideAlone() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.foldOneByOne([.at("2025-12-01T11:50:00+09:00", session: "s")])
            try await pool.execute("UPDATE site_traffic_hourly SET visitors = '\\x00'")
            for seq in 2...30 {
                try await fixture.store(
                    [.at("2025-12-01T12:05:00+09:00", session: seq == 17 ? "s" : "other \(seq)")], seq: Int64(seq))
            }
            _ = try? await fixture.rollup.run()
            #expect(try await pool.count("SELECT count(*) FROM rollup_folded") == 29)
            #expect(try await pool.count("SELECT sum(seq)::bigint FROM damaged_batches") == 17)
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.rollup.run().batches == 1)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test(arguments: [
        ("artist_traffic_hourly", "artist_traffic_daily"), ("site_traffic_daily", "site_traffic_monthly"),
    ])
    func anUndecodablePartStopsItsBucketAloneAndIsNamed(part: String, derived: String) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.foldOneByOne([
                .at("2025-11-01T12:00:00+09:00", visitor: "v"), .at("2025-12-01T12:00:00+09:00", visitor: "v"),
            ])
            let before = try await fixture.dump()
            let column = part.hasSuffix("hourly") ? "hour" : "day"
            try await pool.execute(
                "UPDATE \(unescaped: part) SET visitors = '\\x00' WHERE \(unescaped: column) < '2025-11-15'")
            try await pool.execute("DELETE FROM \(unescaped: derived)")
            try await pool.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket)
                SELECT CASE WHEN \(column) = 'hour' THEN 'day' ELSE 'month' END, family, entity, bucket
                FROM (VALUES ('artist', 'a'), ('site', 'all')) k (family, entity), (VALUES ('2025-11-01'::timestamptz),
                    ('2025-12-01'::timestamptz)) b (bucket)
                """)
            let error = await #expect(throws: UndecodableRow.self) { try await fixture.rollup.run() }
            #expect(error?.table == part)
            #expect("\(error!)".contains("tiketi rollup rebuild --from 2025-11-01 --to 2025-11-01"))
            #expect(try await pool.count("SELECT count(*) FROM \(unescaped: derived)") == 1)
            let report = try await fixture.rollup.verify(nil)
            #expect(
                report.findings.contains {
                    $0.table == part && $0.bucket.hasPrefix("2025-11-01") && $0.difference.contains("can't be decoded")
                })
            let day = Day("2025-11-01")!
            _ = try await fixture.rollup.rebuild(day...day)
            #expect(try await fixture.dump() == before)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    // MARK: Ledgers of batches

    @Test func aBatchInNoLedgerIsNamedAndPutBackByARebuild() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...4 { try await fixture.store([.at("2025-12-01T12:0\(seq):00+09:00")], seq: Int64(seq)) }
            try await pool.execute("DELETE FROM rollup_pending WHERE seq = 2")
            #expect(try await fixture.rollup.run().batches == 3)
            try await pool.execute(
                "INSERT INTO rollup_pending SELECT received_day, node, 4, 1, now() FROM rollup_folded WHERE seq = 4")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.map(\.entity) == ["node/1 2", "node/1 4"])
            #expect(findings.last?.difference == "in rollup_pending and rollup_folded")
            try await pool.execute("DELETE FROM rollup_pending")
            #expect(try await fixture.rollup.rebuild(nil).forgottenBatches == 1)
            #expect(try await fixture.rollup.run().batches == 1)
            #expect(try await fixture.lines() == ["2025-12-01T12 4 0 0"])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// What it gave can't be counted again: it is kept.
    @Test func aFoldedBatchThatIsGoneIsNamedAndNotRebuilt() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...3 { try await fixture.store([.at("2025-12-01T12:0\(seq):00+09:00")], seq: Int64(seq)) }
            _ = try await fixture.rollup.run()
            let before = try await fixture.dump()
            try await pool.execute("DELETE FROM analytics_events WHERE seq = 2")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.entity == "node/1 2" && $0.difference.contains("gone") })
            await #expect(throws: RawBatches.Unreadable.self) { try await fixture.rollup.rebuild(nil) }
            #expect(try await fixture.dump() == before)
        }
    }

    /// Once it can be read again, its stamped ids still have to meet their repeats.
    @Test func stampedIdsAreKeptWhileADamagedBatchWaits() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", message: "m", isStamped: true)
            ])
            try await fixture.store([.at("2025-12-01T13:00:00+09:00", message: "m", isStamped: true)], seq: 2)
            try await pool.execute("UPDATE analytics_events SET payload = payload || '\\x00' WHERE seq = 2")
            #expect(try await fixture.rollup.run().damaged == 1)
            // Nothing else holds them back.
            try await pool.execute("UPDATE spool_positions SET shipped_through = 'infinity'")
            _ = try await fixture.rollup.run()
            try await pool.execute(
                "UPDATE analytics_events SET payload = substr(payload, 1, length(payload) - 1) WHERE seq = 2")
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.rollup.run().repeats == 1)
            #expect(try await fixture.lines() == ["2025-12-01T12 1 0 0"])
        }
    }

    @Test func bucketsThatWaitToBeDerivedAreNoFindings() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00")])
            try await fixture.pay("m1", at: "2025-12-01T12:10:00+09:00", 1000, tickets: 1)
            _ = try await fixture.rollup.run()
            try await fixture.store([.at("2025-12-01T13:00:00+09:00")], seq: 2)
            try await fixture.pay("m2", at: "2025-12-01T12:20:00+09:00", 500, tickets: 1)
            let folded = try await pool.withConnection { try FoldTransaction.run(calendar: .seoul, on: $0) }
            #expect(folded.batches == 1)
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings)")
            // A day of traffic of an artist and of the site, an hour of money and of bookings, and a day's details.
            #expect(report.dirty == 5)
            _ = try await fixture.rollup.deriveAll()
            #expect(try await fixture.rollup.verify(nil).dirty == 1)
            try await fixture.rollup.deriveDetails()
            #expect(try await fixture.rollup.verify(nil).dirty == 0)
        }
    }
}
