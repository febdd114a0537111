import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Raw batches are found by what stands beside their blocks: where that is wrong it is named, and mended by a rebuild.
@Suite struct BatchHeaderTests {
    private static let beacons: [[Beacon]] = [
        [
            .at("2025-12-01T12:00:00+09:00", event: "e", visitor: "v", message: "1"),
            .at("2025-12-01T12:10:00+09:00", event: "f", visitor: "v", message: "2"),
        ],
        [.at("2025-12-03T12:00:00+09:00", event: "e", visitor: "w", message: "3")],
    ]

    private func withRolledUp(_ body: (RollupFixture) async throws -> Void) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in Self.beacons.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            try await body(fixture)
        }
    }

    @Test(arguments: [
        "beacons = 3", "crc = crc + 1", "min_time = min_time - interval '1 ms'",
        "max_time = max_time + interval '1 ms'",
        "max_time = '9000-01-01'", "min_time = '0100-01-01'", "min_time = 'infinity', max_time = '-infinity'",
        "min_time = max_time + interval '1 day', max_time = max_time + interval '1 day'",
    ])
    func aRowThatSaysOtherwiseThanItsBlockIsNamedAndMended(change: String) async throws {
        try await withRolledUp { fixture in
            let before = try await fixture.dump()
            try await fixture.pool.execute("UPDATE analytics_events SET \(unescaped: change) WHERE seq = 1")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == "analytics_events" && $0.entity == "node/1 1" }, "\(findings)")
            let day = Day("2025-12-01")!
            #expect(try await fixture.rollup.rebuild(day...day).mendedHeaders == 1)
            #expect(try await fixture.dump() == before)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Of the other batch, and so without its ids; beside the right block, it would hide beacons from queries.
    @Test func aFilterThatLeavesOutIdsIsNamedAndMended() async throws {
        try await withRolledUp { fixture in
            var builder = BeaconBatchBuilder()
            builder.append(.at("2025-12-01T12:00:00+09:00", artist: "other"))
            let crc = try await fixture.pool.count("SELECT crc FROM analytics_events WHERE seq = 1")
            let filter = EntityFilter.encode(builder.finish(), ofBlock: UInt32(crc))!
            try await fixture.pool.execute("UPDATE analytics_events SET entity_filter = \(filter) WHERE seq = 1")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.map(\.table) == ["analytics_events"], "\(findings)")
            #expect(findings.first?.difference.contains("entity_filter") == true)
            #expect(try await fixture.rollup.rebuild(nil).mendedHeaders == 1)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Received long after the rebuilt days, and said to be of one of them.
    @Test func aRowThatIsNotMendedIsNotCounted() async throws {
        try await withRolledUp { fixture in
            try await fixture.store(
                [.at("2025-12-01T15:00:00+09:00", received: "2026-03-01T12:00:00+09:00")], node: "node/2", seq: 1)
            _ = try await fixture.rollup.run()
            let before = try await fixture.dump()
            try await fixture.pool.execute(
                "UPDATE analytics_events SET max_time = max_time + interval '1 minute' WHERE node = 'node/2'")
            let day = Day("2025-12-01")!
            await #expect(throws: RawBatches.Unreadable.self) { try await fixture.rollup.rebuild(day...day) }
            #expect(try await fixture.dump() == before)
        }
    }

    /// As an import may have them.
    @Test func beaconsFurtherApartThanABatchesMostAreFoundWhereTheyAre() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(
                [
                    .at("2023-01-01T12:00:00+09:00", received: "2025-12-01T12:00:00+09:00"),
                    .at("2025-12-01T12:00:00+09:00"),
                ], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            let day = Day("2023-01-01")!
            #expect(try await fixture.rollup.rebuild(day...day).beacons == 1)
        }
    }
}
