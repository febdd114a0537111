import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Small batches become large ones, and no number changes.
@Suite struct CompactionTests {
    /// Two weeks after `RandomBeacons` begins.
    private static let later: Int64 = 1_764_514_800_000 + 14 * 86_400_000

    /// Batches of three nodes, each with beacons received on one UTC day as a shipper cuts them; some come days late,
    /// and are folded by several runners at random moments.
    private func storeRandom(_ random: inout RandomBeacons<SeededGenerator>, in fixture: RollupFixture) async throws {
        let byDay = Dictionary(grouping: random.beacons(2500)) { floorDiv($0.receivedAt, 86_400_000) }
        var batches: [(day: Int64, beacons: [Beacon])] = []
        for (day, beacons) in byDay.sorted(by: { $0.key < $1.key }) {
            var rest = beacons.shuffled(using: &random.generator)[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...30, using: &random.generator)
                batches.append((day, Array(rest.prefix(size))))
                rest = rest.dropFirst(size)
            }
        }
        for _ in 0..<batches.count / 20 {
            let late = batches.remove(at: Int.random(in: 0..<batches.count, using: &random.generator))
            batches.insert(late, at: Int.random(in: 0...batches.count, using: &random.generator))
        }
        var seqs: [Int: Int64] = [:]
        for batch in batches {
            let node = Int.random(in: 0..<3, using: &random.generator)
            seqs[node, default: 0] += 1
            try await fixture.store(batch.beacons, node: "node/\(node)", seq: seqs[node]!)
            if Int.random(in: 0..<12, using: &random.generator) == 0 {
                async let first = fixture.rollup.run()
                async let second = fixture.rollup.run()
                _ = try await (first, second)
            }
        }
        _ = try await fixture.rollup.run()
    }

    @Test(arguments: 0..<4)
    func nothingChangesAndARebuildGivesTheSame(round: Int) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("round \(round): \(random.generator)")
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, now: Self.later)
            try await storeRandom(&random, in: fixture)
            let before = try await fixture.dump()
            let counted = try await countedBeacons(pool)
            let batches = try await pool.count("SELECT count(*) FROM analytics_events")
            let repeats = try await pool.count("SELECT sum(cardinality(duplicates))::bigint FROM rollup_folded")
            #expect(repeats > 0, "the schedule has repeats")
            let positions = try await lastSeqs(pool)

            let result = try await fixture.rollup.compact()
            let merged = try await pool.count("SELECT count(*) FROM analytics_events")
            #expect(merged < batches * 3 / 4, "\(merged) of \(batches)")
            #expect(Int64(result.batches - result.merged) == batches - merged)
            #expect(try await pool.count("SELECT count(*) FROM rollup_folded") == merged)
            #expect(try await fixture.dump() == before)
            #expect(try await batchesWithoutTheirFilter(pool) == 0)
            #expect(try await countedBeacons(pool) == counted)
            #expect(try await lastSeqs(pool) == positions)
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings.prefix(5))")
            for days in [nil, Day("2025-12-02")!...Day("2025-12-02")!] {
                #expect(try await fixture.rollup.rebuild(days).changedHours == 0)
                #expect(try await fixture.dump() == before)
                let report = try await fixture.rollup.verify(nil)
                #expect(report.findings.isEmpty, "\(report.findings.prefix(5))")
            }
            #expect(try await fixture.rollup.compact() == Compaction.Result(), "again there is nothing to do")

            // Each beacon once more: all that carry an id of their own are repeats of what is compacted.
            var again = counted.filter { $0[.messageId] != nil && !$0.flags.contains(.stamped) }
            again.shuffle(using: &random.generator)
            let pageViews = try await pool.count("SELECT sum(page_views)::bigint FROM site_traffic_hourly")
            try await fixture.store(Array(again.prefix(500)), node: "node/again", seq: 1)
            #expect(try await fixture.rollup.run().repeats == 500)
            #expect(try await pool.count("SELECT sum(page_views)::bigint FROM site_traffic_hourly") == pageViews)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
        }
    }

    /// Some merged by one, some by the other; folds go on meanwhile.
    @Test func runnersSideBySideMergeEachRowOnce() async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, now: Self.later)
            try await storeRandom(&random, in: fixture)
            let counted = try await countedBeacons(pool)
            async let first = fixture.rollup.compact()
            async let second = fixture.rollup.compact()
            async let third = fixture.rollup.rebuild(nil)
            _ = try await (first, second, third)
            #expect(try await countedBeacons(pool) == counted)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.rollup.compact() == Compaction.Result())
        }
    }

    /// A busy day's breakdown takes long, and reads batches in whatever rows they are.
    @Test func aDayWhoseDetailsAreDerivedHoldsNothingUp() async throws {
        #expect(Set([ApplyLock.key, DeriveDetails.lock, CompactionPause.key]).count == 3)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z"), .at("2025-12-01T12:00:01Z")])
            try await holding(["SELECT pg_advisory_xact_lock(\(DeriveDetails.lock))"], on: pool) {
                let found = try await fixture.rollup.findVisitor("nobody")
                #expect(found == Erasure.Result())
                let compacted = try await fixture.rollup.compact()
                #expect(compacted.merged == 1)
            }
        }
    }

    @Test func whatMayNotBeMergedStays() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            func day(_ day: String, _ seqs: ClosedRange<Int64>, _ node: String) async throws {
                for seq in seqs {
                    try await fixture.store(
                        [.at("2025-12-\(day)T12:00:0\(seq)Z", message: "\(node) \(seq)")], node: node, seq: seq)
                }
            }
            func seqs(_ node: String) async throws -> [Int64] {
                try await pool.withConnection { connection in
                    try connection.query("SELECT seq FROM analytics_events WHERE node = \(node) ORDER BY seq")
                        .map { try $0.get(0) }
                }
            }
            // Young: today is 2025-12-05.
            try await day("04", 1...4, "young/1")
            // A damaged one among them, one that can't be read any more, and one that was lost on the way.
            try await day("02", 1...7, "damaged/1")
            try await pool.execute("UPDATE analytics_events SET payload = '\\x00' WHERE node = 'damaged/1' AND seq = 4")
            try await day("02", 1...5, "unreadable/1")
            try await day("02", 1...2, "gap/1")
            try await day("02", 4...5, "gap/1")
            _ = try await fixture.rollup.run()
            try await pool.execute(
                "UPDATE analytics_events SET payload = '\\x00' WHERE node = 'unreadable/1' AND seq = 3")
            // Not folded yet.
            try await day("02", 6...8, "gap/1")
            let before = try await fixture.dump()
            _ = try await fixture.rollup.compact()
            #expect(try await seqs("young/1") == [1, 2, 3, 4])
            #expect(try await seqs("damaged/1") == [1, 4, 5])
            #expect(try await seqs("unreadable/1") == [1, 3, 4])
            #expect(try await seqs("gap/1") == [1, 4, 6, 7, 8])
            #expect(try await fixture.dump() == before)
            #expect(try await fixture.rollup.run().batches == 3)
        }
    }

    /// Its ledgers would else say that it was, while a partition that is being detached comes back as it is.
    @Test func aBatchThatIsGoneIsNotReplaced() async throws {
        try await withAnalyticsDatabase { _, pool in
            let key = BatchKey(day: Day("2025-12-01")!, node: "node/1", seq: 1)
            await #expect(throws: RawBatches.Unreadable.self) {
                try await pool.withConnection {
                    var none = BeaconBatchBuilder()
                    try RawBatches.replace(key, by: none.finish(), lastSeq: 1, on: $0)
                }
            }
        }
    }

    /// A run of which every beacon is a repeat leaves an empty row, which says how far the node is.
    @Test func nothingButRepeatsLeavesAnEmptyRow() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z", message: "m")])
            for seq in 1...3 as ClosedRange<Int64> {
                try await fixture.store([.at("2025-12-01T12:00:00Z", message: "m")], node: "b/1", seq: seq)
            }
            _ = try await fixture.rollup.run()
            let before = try await fixture.dump()
            #expect(try await fixture.rollup.compact() == Compaction.Result(batches: 3, merged: 1))
            #expect(try await pool.count("SELECT beacons::bigint FROM analytics_events WHERE node = 'b/1'") == 0)
            let last = try await pool.withConnection { try BatchStore.lastStored(ofNode: "b/1", on: $0) }
            #expect(last == 3)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
            #expect(try await fixture.dump() == before)
        }
    }

    /// The same id stamped by the server three times, all of which count since the one of the second day was folded between
    /// those of the first: merged across it, the first day's last copy would come right after its first and be a repeat.
    @Test func aBatchOfAnotherDayInBetweenIsNotMergedAcross() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, now: Self.later)
            func stamped(_ time: String) -> Beacon { .at(time, message: "m", isStamped: true) }
            try await fixture.foldOneByOne([stamped("2025-12-01T00:00:01Z")])
            try await fixture.store([stamped("2025-12-02T20:00:00Z")], node: "b/1", seq: 1)
            _ = try await fixture.rollup.run()
            try await fixture.foldOneByOne([stamped("2025-12-01T10:00:00Z"), .at("2025-12-01T10:00:01Z")], from: 2)
            let before = try await fixture.dump()
            #expect(try await fixture.rollup.compact() == Compaction.Result(batches: 2, merged: 1))
            #expect(try await pool.count("SELECT count(*) FROM analytics_events WHERE node = 'node/1'") == 2)
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
            #expect(try await fixture.dump() == before)
        }
    }

    @Test func followCompactsOnceAnHour() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, now: Self.later)
            for day in ["2025-12-02", "2025-12-04"] {
                for second in 0..<5 as Range<Int64> {
                    try await fixture.store(
                        [.at("\(day)T12:00:0\(second)Z")], node: day, seq: second)
                }
            }
            _ = try await fixture.rollup.run()
            var upkeep = Upkeep()
            while try await fixture.rollup.keepUp(&upkeep) {}
            #expect(try await pool.count("SELECT count(*) FROM analytics_events") == 2)
            #expect(
                try await pool.count("SELECT count(*) FROM pg_class WHERE relname = 'analytics_events_20251221'") == 1)
            #expect(upkeep.lastStarted == Self.later)
            #expect(try await pool.count("SELECT sum(cardinality(part_seqs))::bigint FROM rollup_folded") == 10)
            try await pool.execute("UPDATE rollup_folded SET compacted_at = now() - interval '25 hours'")
            upkeep.lastStarted = 0
            while try await fixture.rollup.keepUp(&upkeep) {}
            #expect(try await pool.count("SELECT count(*) FROM rollup_folded WHERE part_seqs IS NULL") == 2)
        }
    }

    @Test func aDayThatFailsIsLeftUntilTheNextHour() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, now: Self.later)
            for day in ["2025-12-02", "2025-12-04"] {
                for second in 1...3 as ClosedRange<Int64> {
                    try await fixture.store([.at("\(day)T12:00:0\(second)Z")], node: day, seq: second)
                }
            }
            _ = try await fixture.rollup.run()
            try await pool.execute(
                """
                CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$
                """)
            try await pool.execute(
                """
                CREATE TRIGGER stop BEFORE DELETE ON rollup_folded FOR EACH ROW WHEN (old.node = '2025-12-02')
                EXECUTE FUNCTION stop()
                """)
            var upkeep = Upkeep()
            var failures = 0
            while true {
                do { guard try await fixture.rollup.keepUp(&upkeep) else { break } } catch { failures += 1 }
            }
            #expect(failures == 1)
            #expect(try await pool.count("SELECT count(*) FROM analytics_events") == 4, "one day of two is merged")
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    // MARK: Which are merged

    private func candidates(_ beacons: [Int], cutOff: Set<Int> = []) -> [CompactionRun.Candidate] {
        beacons.enumerated().map { index, beacons in
            CompactionRun.Candidate(
                node: "n", seq: Int64(index * 10), lastSeq: Int64(index * 10 + 9), beacons: beacons, isFolded: true,
                isCutOff: cutOff.contains(index))
        }
    }

    @Test func runsAreBoundedAndLeaveLargeOnesAlone() throws {
        let half = CompactionRun.targetBeacons / 2
        #expect(CompactionRun(in: candidates([half, half, half])) == nil)
        #expect(CompactionRun(in: candidates([5, half, 5])) == nil)
        #expect(CompactionRun(in: candidates([5, half, 5, 6, 7]))?.seqs == 20...40)
        #expect(CompactionRun(in: candidates([5, 5, 5, 5], cutOff: [1, 3]))?.seqs == 10...20)
        let full = try #require(CompactionRun(in: candidates(Array(repeating: half - 1, count: 9))))
        #expect(full.batches.count == 3)
        #expect(full.beacons <= CompactionRun.maxBeacons)
        let many = try #require(CompactionRun(in: candidates(Array(repeating: 1, count: 10_000))))
        #expect(many.batches.count == CompactionRun.maxBatches)
    }

    @Test func partsAreWhereTheirBatchesEnd() {
        var parts = BatchParts()
        parts.append(lastSeq: 4, parts: nil, kept: [true, false, true])
        parts.append(
            lastSeq: 9, parts: BatchParts(seqs: [6, 8, 9], ends: [2, 2, 5]), kept: [true, false, true, false, true])
        parts.append(lastSeq: 12, parts: nil, kept: [])
        #expect(parts == BatchParts(seqs: [4, 6, 8, 9, 12], ends: [2, 3, 3, 5, 5]))
    }

    // MARK: Reading back

    /// Every beacon that counts, as text, sorted.
    private func countedBeacons(_ pool: PostgresPool) async throws -> [Beacon] {
        try await pool.withConnection { connection in
            var beacons: [Beacon] = []
            try connection.stream(
                "SELECT payload, duplicates FROM analytics_events JOIN rollup_folded USING (received_day, node, seq)"
            ) { row in
                let batch = try row.withBytes(0) { try BatchBlock.decode($0) }
                let repeats = Set(try row.get(1, as: [Int32].self).map { Int($0) })
                beacons += (0..<batch.count).filter { !repeats.contains($0) }.map { batch.beacon(at: $0) }
            }
            return beacons.map { ("\($0)", $0) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func lastSeqs(_ pool: PostgresPool) async throws -> [String] {
        try await pool.withConnection { connection in
            try connection.query(
                "SELECT node || ' ' || max(last_seq) FROM analytics_events GROUP BY node ORDER BY 1"
            ).map { try $0.get(0) }
        }
    }
}
