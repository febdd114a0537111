import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Rows with values that nothing of ours writes are named, and end no process.
@Suite struct CorruptedRowTests {
    private static let day = Day("2025-12-01")!

    private func withRolledUp(_ body: (RollupFixture) async throws -> Void) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", event: "e", visitor: "v", message: "1"),
                .at("2025-12-01T12:00:00+09:00", event: "e", visitor: "v", message: "1"),
                .at("2025-12-02T12:00:00+09:00", event: "e", visitor: "v", message: "2"),
            ])
            try await body(fixture)
        }
    }

    @Test(arguments: ["{0,1000}", "{-1}", "{2147483647}"], [nil, "2025-12-01"])
    func repeatsThatAreNoRowsAreNamedAndRebuilt(repeats: String, day: String?) async throws {
        try await withRolledUp { fixture in
            let before = try await fixture.dump()
            try await fixture.pool.execute(
                "UPDATE rollup_folded SET duplicates = \(repeats)::text::int[] WHERE seq < 3")
            let days = day.map { Day($0)!...Day($0)! }
            let findings = try await fixture.rollup.verify(days).findings
            #expect(findings.contains { $0.table == "rollup_folded" }, "\(findings)")
            // Their day keeps what it had.
            try await fixture.pool.withConnection { try DeriveDetails.mark([Self.day], on: $0) }
            await #expect(throws: RawBatches.Unreadable.self) {
                try await fixture.pool.withConnection { try DeriveDetails.run(Self.day, calendar: .seoul, on: $0) }
            }
            _ = try await fixture.rollup.rebuild(days)
            #expect(try await fixture.dump() == before)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test(
        arguments: ["artist_traffic_hourly", "site_traffic_daily", "event_traffic_monthly"], [Int64.max, .min, 1 << 54])
    func sumsThatCanNotBeAreNamedAndRebuilt(table: String, sum: Int64) async throws {
        try await withRolledUp { fixture in
            let before = try await fixture.dump()
            try await fixture.pool.execute("UPDATE \(unescaped: table) SET page_views = \(sum), session_ms = \(sum)")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == table && $0.difference.contains("\(sum)") }, "\(findings)")
            // What it is a part of waits for a rebuild.
            try await fixture.store([.at("2025-12-01T12:30:00+09:00", event: "e")], seq: 4)
            _ = try? await fixture.rollup.run()
            _ = try await fixture.rollup.rebuild(nil)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.dump().count == before.count)
        }
    }

    /// Its chunks on the disk are others': Postgres fails with class XX.
    @Test func aPayloadThatPostgresCanNotReadIsNamed() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            var random = RandomBeacons(generator: SeededGenerator(seed: 7))
            try await fixture.store(random.beacons(600), seq: 1)
            try await fixture.store([.at("2025-12-02T12:00:00+09:00")], node: "node/2", seq: 1)
            _ = try await fixture.rollup.run()
            try await pool.withConnection { connection in
                let partition = try connection.query(
                    "SELECT tableoid::regclass::text FROM analytics_events WHERE node = 'node/1'")[0]
                    .get(0, as: String.self)
                try connection.execute("CREATE TABLE other (value bytea)")
                try connection.execute("SET allow_system_table_mods = on")
                try connection.execute(
                    """
                    UPDATE pg_class SET relfilenode = (
                        SELECT t.relfilenode FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid
                        WHERE c.relname = 'other')
                    WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE oid = \(partition)::text::regclass)
                    """)
                try connection.execute("RESET allow_system_table_mods")
            }
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(
                findings.contains {
                    $0.table == "analytics_events" && $0.entity == "node/1 1" && $0.difference.contains("can't be read")
                }, "\(findings)")
            await #expect(throws: RawBatches.Unreadable.self) { try await fixture.rollup.rebuild(nil) }
        }
    }
}
