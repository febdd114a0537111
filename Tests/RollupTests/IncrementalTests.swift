import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Random beacons, in batches, in any order, folded by several runners at random moments: the hours equal a model that
/// adds single beacons up, and a rebuild from raw changes not one byte.
@Suite struct IncrementalTests {
    @Test(arguments: 0..<4)
    func hoursEqualTheModelAndRebuildChangesNothing(round: Int) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("round \(round): \(random.generator)")
        let beacons = random.beacons(3000)
        let batches = random.batches(of: beacons)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() {
                try await fixture.store(batch, seq: Int64(number + 1))
                switch Int.random(in: 0..<6, using: &random.generator) {
                case 0: _ = try await fixture.rollup.run()
                case 1:
                    async let first = fixture.rollup.run()
                    async let second = fixture.rollup.run()
                    _ = try await (first, second)
                default: break
                }
            }
            _ = try await fixture.rollup.run()
            #expect(try await pool.count("SELECT count(*) FROM rollup_pending") == 0)
            #expect(try await pool.count("SELECT count(*) FROM rollup_dirty") == 0)

            var model = TrafficModel()
            let order = try await fixture.foldOrder()
            #expect(order.count == batches.count)
            for seq in order {
                for beacon in batches[Int(seq) - 1] { model.add(beacon) }
            }
            #expect(model.counted.count < beacons.count, "the schedule has repeats")
            try await expectHours(of: fixture, equal: model)

            let incremental = try await fixture.dump()
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings.prefix(5))")
            let rebuilt = try await fixture.rollup.rebuild(nil)
            #expect(rebuilt.changedHours == 0)
            #expect(try await fixture.dump() == incremental)

            // From nothing, too.
            try await pool.execute("TRUNCATE artist_traffic_hourly, event_traffic_hourly, site_traffic_hourly")
            try await pool.execute("TRUNCATE artist_traffic_daily, event_traffic_monthly, session_slots")
            let fromNothing = try await fixture.rollup.rebuild(nil)
            #expect(fromNothing.changedHours > 0)
            #expect(try await fixture.dump() == incremental)
        }
    }

    @Test func foldingGoesOnAfterARebuildAsIfThereHadBeenNone() async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        let batches = random.batches(of: random.beacons(2000))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() {
                try await fixture.store(batch, seq: Int64(number + 1))
                if number == batches.count / 2 {
                    _ = try await fixture.rollup.run()
                    _ = try await fixture.rollup.rebuild(nil)
                }
            }
            _ = try await fixture.rollup.run()
            var model = TrafficModel()
            for seq in try await fixture.foldOrder() {
                for beacon in batches[Int(seq) - 1] { model.add(beacon) }
            }
            try await expectHours(of: fixture, equal: model)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test func rebuildOfSomeDaysMendsThemAndLeavesTheOthers() async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        let batches = random.batches(of: random.beacons(2000))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            _ = try await fixture.rollup.run()
            let before = try await fixture.dump()
            try await pool.execute(
                "UPDATE artist_traffic_hourly SET page_views = page_views + 1 WHERE hour >= '2025-12-02T00:00+09:00'")
            let day = Day("2025-12-02")!
            #expect(try await fixture.rollup.verify(day...day).findings.isEmpty == false)
            #expect(try await fixture.rollup.rebuild(day...day).changedHours > 0)
            #expect(try await fixture.rollup.verify(day...day).findings.isEmpty)
            #expect(try await fixture.dump() != before, "the days after still are wrong")
            _ = try await fixture.rollup.rebuild(day...(day + 2))
            #expect(try await fixture.dump() == before)
        }
    }

    private func expectHours(of fixture: RollupFixture, equal model: TrafficModel) async throws {
        let stored = try await fixture.hours()
        let expected = model.hours()
        #expect(Set(stored.keys) == Set(expected.keys))
        for (bucket, numbers) in expected {
            guard let (counts, sketch) = stored[bucket] else { continue }
            var wanted = numbers
            wanted.visitors = []
            #expect(counts == wanted, "\(bucket)")
            var visitors = VisitorSketch()
            for visitor in numbers.visitors { visitors.add(hash: Murmur3.hash64(visitor.string)) }
            #expect(sketch == visitors, "\(bucket)")
        }
    }
}

extension PostgresPool {
    func count(_ sql: SQL) async throws -> Int64 {
        try await withConnection { try $0.query(sql)[0].get(0) }
    }

    func execute(_ sql: SQL) async throws {
        try await withConnection { _ = try $0.execute(sql) }
    }
}
