import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A rebuild of some days touches those days, whatever crosses their edges, and refuses what it can't know.
@Suite struct RebuildTests {
    /// Sessions that begin before, in and after the day, and reach into the next one.
    private static let crossing: [Beacon] = [
        .at("2025-12-01T23:30:00+09:00", session: "into"), .at("2025-12-01T23:50:00+09:00", session: "into"),
        .at("2025-12-02T00:10:00+09:00", session: "into"), .at("2025-12-02T00:35:00+09:00", session: "into"),
        .at("2025-12-02T23:40:00+09:00", session: "out of"), .at("2025-12-03T00:05:00+09:00", session: "out of"),
        .at("2025-12-03T00:30:00+09:00", session: "out of"),
        .at("2025-12-01T12:00:00+09:00", session: "before"), .at("2025-12-03T12:00:00+09:00", session: "after"),
        .at("2025-12-03T23:50:00+09:00", session: "after"), .at("2025-12-04T00:10:00+09:00", session: "after"),
    ]

    @Test func sessionsThatCrossTheEdgesStayWhole() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.crossing)
            let before = try await fixture.dump()
            let pieces = try await fixture.sessionPieces()
            for (from, to) in [("02", "02"), ("01", "02"), ("02", "03"), ("01", "04"), ("03", "03"), ("04", "04")] {
                let days = Day("2025-12-\(from)")!...Day("2025-12-\(to)")!
                try await pool.execute(
                    """
                    UPDATE artist_traffic_hourly SET sessions = sessions + 5, session_ms = 0, page_views = 77
                    WHERE (hour AT TIME ZONE 'Asia/Seoul')::date BETWEEN \(days.lowerBound) AND \(days.upperBound)
                    """)
                #expect(try await fixture.rollup.rebuild(days).changedHours > 0)
                #expect(try await fixture.dump() == before, "\(days)")
                #expect(try await fixture.sessionPieces() == pieces, "\(days)")
                #expect(try await fixture.rollup.verify(days).findings.isEmpty, "\(days)")
            }
        }
    }

    /// Later folds build on what the rebuild left.
    @Test func sessionsGoOnAfterARebuildOfTheirFirstDay() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Array(Self.crossing[4...6]))
            let day = Day("2025-12-02")!
            _ = try await fixture.rollup.rebuild(day...day)
            try await fixture.foldOneByOne([.at("2025-12-03T00:50:00+09:00", session: "out of")], from: 10)
            #expect(try await fixture.lines() == ["2025-12-02T23 1 1 4200000", "2025-12-03T00 3 0 0"])
        }
    }

    /// Batches of long before and after can't even be read.
    @Test func someDaysAreCountedFromTheirOwnBatches() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(
                [.at("2025-10-01T12:00:00+09:00"), .at("2026-01-15T12:00:00+09:00")] + Self.crossing)
            try await pool.execute("UPDATE analytics_events SET payload = '\\x00' WHERE seq <= 2")
            let before = try await fixture.dump()
            let days = Day("2025-12-01")!...Day("2025-12-03")!
            try await pool.execute(
                "UPDATE site_traffic_hourly SET page_views = 77 WHERE hour BETWEEN '2025-12-01' AND '2025-12-03'")
            #expect(try await fixture.rollup.rebuild(days).beacons == 10)
            #expect(try await fixture.dump() == before)
            #expect(try await fixture.rollup.verify(days).findings.isEmpty)
        }
    }

    /// Whose batches are read piece by piece, since nothing says beforehand how long it is.
    @Test func aSessionOfManyDaysStaysWhole() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let start = Instant.parse("2025-12-02T12:00:00+09:00")!
            let instants = stride(from: start, to: start + 20 * 86_400_000, by: 20 * 60_000)
            let beacons = instants.map { Beacon.at(Instant.iso8601($0), session: "s", message: "m \($0)") }
            var generator = SeededGenerator()
            print("\(generator)")
            let firsts = stride(from: 0, to: beacons.count, by: 100).shuffled(using: &generator)
            for (number, first) in firsts.enumerated() {
                // With one of the last batch again, which was folded sooner or later.
                try await fixture.store(
                    Array(beacons[first..<min(first + 100, beacons.count)]) + [beacons[max(0, first - 1)]],
                    seq: Int64(number + 1))
                _ = try await fixture.rollup.run()
            }
            let before = try await fixture.dump()
            let pieces = try await fixture.sessionPieces()
            #expect(Set(pieces.map { [$0.session, UInt64($0.origin)] }).count == 2, "of the artist and the site")
            for day in ["2025-12-02", "2025-12-03", "2025-12-20"].map({ Day($0)! }) {
                #expect(try await fixture.rollup.verify(day...day).findings.isEmpty, "\(day)")
                #expect(try await fixture.rollup.rebuild(day...day).changedHours == 0, "\(day)")
                #expect(try await fixture.dump() == before)
                #expect(try await fixture.sessionPieces() == pieces)
            }
        }
    }

    /// A range far wider than what is stored costs no more than what is stored.
    @Test func aRangeWiderThanWhatIsStoredIsJustThat() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Array(Self.crossing[0...3]))
            let before = try await fixture.dump()
            let all = Day("1970-01-01")!...Day("9999-12-30")!
            #expect(try await fixture.rollup.verify(all).findings.isEmpty)
            #expect(try await fixture.rollup.rebuild(all).beacons == 4)
            #expect(try await fixture.dump() == before)
            let empty = Day("2030-01-01")!...Day("2030-12-31")!
            #expect(try await fixture.rollup.rebuild(empty).changedHours == 0)
            #expect(try await fixture.dump() == before)
        }
    }

    /// A day with very many beacons is counted hour by hour, to the same numbers.
    @Test func countingByTheHourGivesTheSame() async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        let batches = random.batches(of: random.beacons(500) + Self.crossing)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            _ = try await fixture.rollup.run()
            let differences = try await pool.withConnection { connection in
                try connection.transaction { connection in
                    let recount = try Recount(
                        nil, calendar: .seoul, isForReplacing: true, maxSliceBeacons: 1, on: connection)
                    let cells = try TrafficFamily.allCases.map { try connection.query(recount.differences($0)).count }
                    let ids = try connection.query(
                        """
                        SELECT count(*) FROM (SELECT minute FROM recounted_ids UNION SELECT minute FROM message_ids) m
                        """)[0].get(0, as: Int.self)
                    let known = try connection.query("SELECT count(DISTINCT minute) FROM message_ids")[0]
                        .get(0, as: Int.self)
                    return cells + [recount.changedRepeats.count, ids - known]
                }
            }
            #expect(differences == [0, 0, 0, 0, 0])
        }
    }

    @Test func daysWhoseRawBatchesAreGoneAreRefusedByName() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.crossing)
            let before = try await fixture.dump()
            let dropped = try await fixture.rollup.partitions(keepDays: 2).dropped
            #expect(dropped.map(\.description) == ["2025-12-01", "2025-12-02"])
            for range in [nil, Day("2025-11-01")!...Day("2025-12-05")!, Day("2025-12-03")!...Day("2025-12-03")!] {
                do {
                    _ = try await fixture.rollup.rebuild(range)
                    Issue.record("\(String(describing: range)) was rebuilt")
                } catch let refusal as Rebuild.Refusal {
                    #expect(refusal.description.contains("2025-12-02"))
                    #expect(refusal.description.hasSuffix("choose --from 2025-12-04 or later"))
                }
            }
            #expect(try await fixture.dump() == before)
            let kept = Day("2025-12-04")!...Day("2025-12-05")!
            _ = try await fixture.rollup.rebuild(kept)
            #expect(try await fixture.dump() == before)

            // What can't be compared with raw any more is compared with the rest, and said.
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty)
            #expect(report.rawDropped == dropped)
            try await pool.execute("UPDATE artist_traffic_daily SET page_views = 0 WHERE day = '2025-12-01'")
            #expect(try await fixture.rollup.verify(nil).findings.map(\.bucket).contains("2025-12-01"))
        }
    }

    /// The rebuild has looked for dropped days, and waits before it reads: meanwhile a partition is detached.
    @Test func aDayThatIsDroppedWhileARebuildRunsIsNotErased() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Self.crossing)
            let before = try await fixture.dump()
            let (rebuilding, dropping) = try await holding(["LOCK TABLE site_traffic_hourly"], on: pool) {
                let rebuilding = Task { try await fixture.rollup.rebuild(nil) }
                try await pool.untilWaiting(1)
                let dropping = Task { try await fixture.rollup.partitions(keepDays: 2) }
                try await pool.untilWaiting(2)
                return (rebuilding, dropping)
            }
            // By name, or because their batches are gone.
            await #expect(throws: (any Error).self) { try await rebuilding.value }
            #expect(try await dropping.value.dropped.count == 2)
            #expect(try await fixture.dump() == before)
        }
    }

    /// Two transactions that mark the same hours in another order wait for each other.
    @Test func hoursOfMoneyAreMarkedInTheirOrder() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00")])
            try await pool.execute(
                """
                INSERT INTO revenue_ledger
                SELECT md5(n::text), 'payment', '2025-12-01T00:00Z'::timestamptz + n * interval '1 hour', 'a', 'e', 'KRW',
                    'p', 1, 1, 1
                FROM generate_series(1, 200) n ORDER BY md5(n::text)
                """)
            _ = try await pool.withConnection { try Rebuild.run(nil, calendar: .seoul, on: $0) }
            for family in ["revenue", "booking"] {
                let marked = try await pool.withConnection { connection in
                    try connection.query(
                        "SELECT bucket FROM rollup_dirty WHERE grain = 'hour' AND family = \(family) ORDER BY ctid"
                    )
                    .map { try $0.get(0, as: PostgresTimestamp.self) }
                }
                #expect(marked.count == 200)
                #expect(marked == marked.sorted())
            }
        }
    }

    /// A batch is stored while a rebuild runs, another was claimed before it: both are counted once.
    @Test func foldingWaitsForARebuildAndGoesOn() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(Array(Self.crossing[0...3]))
            try await fixture.store([Self.crossing[4]], seq: 5)
            // The rebuild has the apply lock and waits for a table; the fold has claimed and waits for the lock.
            let (rebuilding, folding) = try await holding(["LOCK TABLE message_ids IN SHARE MODE"], on: pool) {
                let rebuilding = Task { try await fixture.rollup.rebuild(nil) }
                try await pool.untilWaiting(1)
                let folding = Task { try await fixture.rollup.run() }
                try await pool.untilWaiting(2)
                return (rebuilding, folding)
            }
            #expect(try await rebuilding.value.changedHours == 0)
            #expect(try await folding.value.batches == 1)
            try await fixture.store([Self.crossing[5]], seq: 6)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.lines().contains("2025-12-02T23 1 1 1500000"))
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }
}
