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
            #expect(report.dirty == 2)
            _ = try await fixture.rollup.deriveAll()
            #expect(try await fixture.rollup.verify(nil).dirty == 0)
        }
    }
}
