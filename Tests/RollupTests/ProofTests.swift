import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// What agrees is proven, without an exact count; what was changed, however little, is not.
@Suite struct ProofTests {
    /// With late beacons, repeats, stamped ids and sessions across midnight.
    private func withRolledUp(
        seed: UInt64? = nil, _ body: (RollupFixture, RandomBeacons<SeededGenerator>) async throws -> Void
    ) async throws {
        var random = RandomBeacons(generator: seed.map { SeededGenerator(seed: $0) } ?? SeededGenerator())
        print("\(random.generator)")
        let batches = random.batches(of: random.beacons(700))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            _ = try await fixture.rollup.run()
            let doubts = try await fixture.rollup.verify(nil).doubts
            #expect(doubts == [], "\(random.generator)")
            try await body(fixture, random)
        }
    }

    private func proof(
        of fixture: RollupFixture, _ range: ClosedRange<Day>? = nil, maxSliceBeacons: Int = DayProof.maxSliceBeacons
    ) async throws -> Proof {
        try await fixture.pool.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) { connection in
                try Proof(
                    range, calendar: .seoul, dirty: DirtyBuckets(on: connection), work: ProofWork(helpers: 0),
                    maxSliceBeacons: maxSliceBeacons, on: connection)
            }
        }
    }

    @Test(arguments: [1, 40, 1_000_000]) func whatAgreesIsProvenInSlicesOfAnySize(maxSliceBeacons: Int) async throws {
        try await withRolledUp { fixture, _ in
            let proof = try await proof(of: fixture, maxSliceBeacons: maxSliceBeacons)
            #expect(proof.doubts.isEmpty && proof.doubt == nil)
            #expect(proof.beacons == 700)
            #expect(proof.comparedDays.count >= 3)
        }
    }

    @Test func someDaysAreProvenByThemselves() async throws {
        try await withRolledUp { fixture, _ in
            for day in ["2025-12-01", "2025-12-02", "2025-12-03"] {
                let day = Day(day)!
                let proof = try await proof(of: fixture, day...day)
                #expect(proof.doubts.isEmpty && proof.doubt == nil, "\(day)")
                #expect(proof.beacons > 0)
            }
        }
    }

    /// Its id is of a minute, and a day, on which nothing counts.
    @Test func anIdClaimedForTheDayAfterTheLastIsProven() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            var ahead = Beacon.at("2025-12-01T23:59:00+09:00", message: "m")
            ahead.claimed += 120_000
            try await fixture.store([ahead], seq: 1)
            _ = try await fixture.rollup.run()
            let doubts = try await fixture.rollup.verify(nil).doubts
            #expect(doubts == [])
        }
    }

    /// Murmur3 is no secret: whoever sends beacons can choose a path by its hash. These have those which stood for no path, and
    /// for the remainder, while they were in the source.
    @Test func aPathThatWasChosenByItsHashIsAsGoodAsAnother() async throws {
        let chosen = ["wL|@dX{r%>0qu&Zy", "D/FF)~wmG+BPdq,_"]
        #expect(chosen.map { Murmur3.hash64($0) } == [0x6d69_7373_696e_6700, 0x7265_6d61_696e_6465])
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            var beacons: [Beacon] = []
            for (number, path) in (chosen + [nil]).enumerated() {
                var beacon = Beacon.at("2025-12-01T12:0\(number):00+09:00", visitor: "v", message: "\(number)")
                beacon[.path] = path
                beacons.append(beacon)
            }
            try await fixture.store(beacons, seq: 1)
            _ = try await fixture.rollup.run()
            let report = try await fixture.rollup.verify(nil)
            #expect(report.doubts == [] && report.findings.isEmpty)
        }
    }

    /// More values than have rows, all of them as good as another: their hashes put them in order.
    @Test func aListThatIsCutAmongEqualsIsProven() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let beacons = (0..<(Breakdown.maxValues + 40)).map { number in
                var beacon = Beacon.at("2025-12-01T12:00:00+09:00", visitor: "v\(number)", message: "\(number)")
                beacon[.path] = "/path/\(number)"
                return beacon
            }
            try await fixture.store(beacons, seq: 1)
            _ = try await fixture.rollup.run()
            let remainders = try await pool.withConnection {
                try $0.query(
                    "SELECT FROM traffic_breakdown_daily WHERE dimension = 'path' AND kind = 'remainder'"
                ).count
            }
            #expect(remainders > 0)
            let report = try await fixture.rollup.verify(nil)
            #expect(report.doubts == [] && report.findings.isEmpty)
        }
    }

    /// These add up to nothing with the multipliers of an earlier version, which were in its source.
    @Test func numbersThatWereChosenToCancelAreSeen() async throws {
        try await withRolledUp { fixture, _ in
            try await fixture.pool.withConnection {
                let changed = try $0.execute(
                    """
                    UPDATE artist_traffic_hourly SET beacons = beacons + 3798, page_views = page_views + 1567,
                        seat_views = seat_views + 3126, sessions = sessions - 544, session_ms = session_ms + 1197
                    WHERE (artist_id, hour) IN (SELECT artist_id, hour FROM artist_traffic_hourly LIMIT 1)
                    """)
                #expect(changed == 1)
            }
            #expect(try await !fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test func connectionsProveSideBySideInOneSnapshot() async throws {
        try await withRolledUp { fixture, random in
            var random = random
            let later = random.beacons(50)
            let rollup = fixture.rollup
            let reports = try await withThrowingTaskGroup(of: Verify.Report.self) { group in
                for _ in 0..<2 { group.addTask { try await rollup.verify(nil, helpers: 3) } }
                // What comes meanwhile belongs to neither.
                try await fixture.store(later, node: "node/2", seq: 1)
                _ = try await rollup.run()
                return try await group.reduce(into: [Verify.Report]()) { $0.append($1) }
            }
            for report in reports {
                #expect(report.findings.isEmpty, "\(report.findings)")
                #expect(report.doubts == [])
            }
            #expect(try await rollup.verify(nil, helpers: 0).doubts == [])
        }
    }

    /// Rows that look right to whoever only adds up.
    @Test(arguments: [
        "INSERT INTO artist_traffic_hourly SELECT artist_id, hour + interval '30 minutes', page_views, seat_views, beacons, sessions, session_ms, visitors FROM artist_traffic_hourly LIMIT 1",
        "UPDATE artist_traffic_hourly SET hour = hour + interval '30 minutes' WHERE ctid = (SELECT min(ctid) FROM artist_traffic_hourly)",
        "INSERT INTO event_traffic_hourly SELECT 'nothing', hour, 0, 0, 0, 0, 0, '\\x118d48' FROM event_traffic_hourly LIMIT 1",
        "INSERT INTO artist_traffic_daily SELECT artist_id, day + 200, 0, 0, 0, 0, 0, visitors FROM artist_traffic_daily LIMIT 1",
        "UPDATE traffic_breakdown_daily SET value = 'x' WHERE kind = 'missing'",
        "UPDATE rollup_folded SET duplicates = duplicates || duplicates WHERE duplicates <> '{}'",
        "INSERT INTO message_ids SELECT minute, run + 1000000, ids FROM message_ids LIMIT 1",
        "INSERT INTO event_funnel_daily SELECT event_id, day + 1000, viewers, seat_viewers FROM event_funnel_daily LIMIT 1",
        "INSERT INTO erased_message_ids VALUES (1, 1)",
    ])
    func whatIsTooMuchIsNotProven(change: String) async throws {
        try await withRolledUp { fixture, _ in
            try await fixture.pool.execute("\(unescaped: change)")
            let report = try await fixture.rollup.verify(nil)
            #expect(!report.findings.isEmpty, "\(report.doubts)")
        }
    }

    @Test func anUndecodablePieceIsNamedThoughItsStatementIsCancelled() async throws {
        try await withRolledUp { fixture, _ in
            try await fixture.pool.execute("UPDATE session_slots SET pieces = '\\x00'")
            let findings = try await fixture.rollup.verify(nil, helpers: 1).findings
            #expect(findings.contains { $0.table == "session_slots" })
        }
    }

    /// A single number of a single row, in any table that a proof looks at, at random.
    @Test(arguments: [
        "UPDATE %t SET page_views = page_views + 1, seat_views = seat_views - 1",
        "UPDATE %t SET sessions = sessions + 1", "UPDATE %t SET session_ms = session_ms - 1",
        "UPDATE %t SET beacons = beacons + 1",
        "UPDATE %t SET visitors = set_byte(visitors, length(visitors) - 1, get_byte(visitors, length(visitors) - 1) # 1)",
        "DELETE FROM %t",
    ])
    func aChangedHourOrDayIsNotProven(change: String) async throws {
        try await withRolledUp { fixture, random in
            var generator = random.generator
            for family in ["artist", "event", "site"] {
                for grain in ["hourly", "daily"] {
                    let table = "\(family)_traffic_\(grain)"
                    try await expectFinding(
                        fixture, table, change.replacing("%t", with: table), &generator)
                }
            }
        }
    }

    @Test(arguments: [
        "UPDATE %t SET page_views = page_views + 1", "UPDATE %t SET beacons = beacons - 1",
        "UPDATE %t SET value = value || 'x', kind = 'value'", "UPDATE %t SET visitors = '\\x118d48'", "DELETE FROM %t",
        "UPDATE %t SET day = day + 1, value = 'moved', kind = 'value'",
    ])
    func aChangedBreakdownIsNotProven(change: String) async throws {
        try await withRolledUp { fixture, random in
            var generator = random.generator
            try await expectFinding(
                fixture, "traffic_breakdown_daily", change.replacing("%t", with: "traffic_breakdown_daily"),
                &generator)
        }
    }

    /// Changes a row at random, looks, and puts everything back.
    private func expectFinding(
        _ fixture: RollupFixture, _ table: String, _ change: String, _ random: inout SeededGenerator
    ) async throws {
        let offset = Int64.random(in: 0..<1_000_000, using: &random)
        try await fixture.pool.execute("CREATE TABLE kept AS TABLE \(unescaped: table)")
        try await fixture.pool.execute(
            """
            \(unescaped: change) WHERE ctid = (
                SELECT ctid FROM \(unescaped: table) ORDER BY ctid
                OFFSET \(offset) % (SELECT count(*) FROM \(unescaped: table)) LIMIT 1)
            """)
        let report = try await fixture.rollup.verify(nil)
        #expect(report.findings.contains { $0.table == table }, "\(change), row \(offset): \(report.findings)")
        try await fixture.pool.execute("TRUNCATE \(unescaped: table)")
        try await fixture.pool.execute("INSERT INTO \(unescaped: table) TABLE kept")
        try await fixture.pool.execute("DROP TABLE kept")
        let doubts = try await fixture.rollup.verify(nil).doubts
        #expect(doubts == [], "\(random)")
    }

    /// A sketch of one bit less, or more, in its last byte.
    private static let last =
        "set_byte(visitors, length(visitors) - 1, get_byte(visitors, length(visitors) - 1) # 128)"
    private static let changesOfBusyRows: [String?] = [
        nil, "UPDATE traffic_breakdown_daily SET page_views = page_views + 1 WHERE kind = 'remainder'",
        "UPDATE traffic_breakdown_daily SET value = '/x' WHERE artist_id = 'a' AND value = (SELECT max(value) FROM traffic_breakdown_daily WHERE artist_id = 'a' AND dimension = 'path')",
        "UPDATE traffic_breakdown_daily SET visitors = \(last) WHERE dimension = 'type'",
        "UPDATE artist_traffic_hourly SET visitors = \(last)",
        "UPDATE event_traffic_daily SET visitors = \(last)",
        "UPDATE event_funnel_daily SET viewers = seat_viewers", "UPDATE event_funnel_daily SET seat_viewers = viewers",
        "DELETE FROM event_funnel_daily",
    ]

    /// More visitors of a row than are kept as they are, and more values than have rows: registers, and all others together.
    @Test(arguments: changesOfBusyRows)
    func busyRowsAreProven(change: String?) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let start = ReportingCalendar.seoul.start(of: Day("2025-12-01")!)
            let beacons = (0..<1200).map { number in
                var beacon = Beacon.at(
                    Instant.iso8601(start + Int64(number) * 6000), type: number % 3 == 0 ? "seat_view" : "page_view",
                    event: "e", visitor: "visitor-\(number % 700)", message: "m\(number)")
                // Values that come as often as each other: the hash decides which have rows.
                beacon[.path] = "/\(number % 30)"
                return beacon
            }
            for seq in 0..<4 {
                try await fixture.store(Array(beacons[seq * 300..<seq * 300 + 300]), seq: Int64(seq + 1))
            }
            _ = try await fixture.rollup.run()
            for maxSliceBeacons in [1, 1_000_000] {
                let proof = try await proof(of: fixture, maxSliceBeacons: maxSliceBeacons)
                #expect(proof.doubts.isEmpty && proof.doubt == nil)
            }
            guard let change else { return }
            try await fixture.pool.execute("\(unescaped: change)")
            let report = try await fixture.rollup.verify(nil)
            let table = String(change.split(separator: " ")[change.hasPrefix("DELETE") ? 2 : 1])
            #expect(report.findings.contains { $0.table == table }, "\(report.findings)")
        }
    }

    /// A piece that begins or ends a millisecond elsewhere, belongs to another session or began at another time.
    @Test(arguments: 0..<4) func aChangedPieceOfASessionIsNotProven(what: Int) async throws {
        try await withRolledUp { fixture, random in
            let busy = (0..<40).map { minute in
                var beacon = Beacon.at(Instant.iso8601(random.start + 7000 + Int64(minute) * 400_003))
                beacon[.visitorId] = "busy"
                return beacon
            }
            try await fixture.store(busy, node: "node/2", seq: 1)
            _ = try await fixture.rollup.run()
            let pieces = try await fixture.sessionPieces()
            var generator = random.generator
            let longer = pieces.filter { $0.last > $0.first + 1 && $0.first % SessionPiece.gapMs > 0 }
            var piece = longer.randomElement(using: &generator)!
            var slot = pieces.filter { $0.slot == piece.slot }
            let index = slot.firstIndex { $0.session == piece.session }!
            switch what {
            case 0: piece.first += 1
            case 1: piece.last -= 1
            case 2: piece.session += 1
            default: piece.origin -= 1
            }
            if what == 0, piece.origin == piece.first - 1 { piece.origin = piece.first }
            slot[index] = piece
            let run = SessionSlotRun.encode(sorted: slot, slot: piece.slot)
            try await fixture.pool.execute("DELETE FROM session_slots WHERE slot = \(piece.slot)")
            try await fixture.pool.execute("INSERT INTO session_slots VALUES (\(piece.slot), 0, \(run))")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == "session_slots" }, "\(findings)")
        }
    }

    /// The first of two copies counts: a ledger that says it was the second is wrong, though all sums are right.
    @Test func theOtherCopyAsTheRepeatIsNotProven() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store([.at("2025-12-01T12:00:00+09:00", message: "m")], seq: 1)
            _ = try await fixture.rollup.run()
            try await fixture.store([.at("2025-12-01T12:00:00+09:00", message: "m")], seq: 2)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).doubts == [])
            try await pool.execute(
                "UPDATE rollup_folded SET duplicates = CASE seq WHEN 1 THEN '{0}'::int[] ELSE '{}' END")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.count { $0.table == "rollup_folded" } == 2, "\(findings)")
        }
    }

    @Test func theBoundsOfASessionThatGoesOnForDaysAreLeftToTheExactCount() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let start = ReportingCalendar.seoul.start(of: Day("2025-12-01")!)
            let steps = Int64(SessionProof.maxSlotsBeyond) + 120
            let beacons = (0..<steps).map { step in
                var beacon = Beacon.at(Instant.iso8601(start + step * 1_700_000))
                beacon[.visitorId] = "sleepless"
                return beacon
            }
            try await fixture.store(beacons, seq: 1)
            _ = try await fixture.rollup.run()
            let proof = try await proof(of: fixture)
            #expect(proof.doubts == [Day("2025-12-01")!: Doubt.longSessions])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }
}
