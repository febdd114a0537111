import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// After an erasure everything is as if the visitor had never come, but that his retries count as repeats.
@Suite struct EraseTests {
    private static let visitor = "visitor_7"

    private static func isTheirs(_ beacon: Beacon) -> Bool {
        beacon[.visitorId] == visitor || beacon[.visitorId] == nil && beacon[.sessionId] == visitor
    }

    /// Few visitors, so that this one has beacons in most batches and hours; some have the id as their session's.
    private func beacons(_ random: inout RandomBeacons<SeededGenerator>, _ count: Int) -> [Beacon] {
        var beacons = random.beacons(count)
        for index in beacons.indices {
            // A retry is the same visitor's, of the same session.
            let number =
                beacons[index][.messageId].map { abs($0.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) % 10_007 }) } ?? index
            guard number % 3 != 0 else { continue }
            let id = "visitor_\(number % 9)"
            beacons[index][.visitorId] = number % 4 == 0 ? nil : id
            beacons[index][.sessionId] = number % 4 == 0 ? id : number % 2 == 0 ? "session_\(number % 20)" : nil
        }
        return beacons
    }

    /// Folded in the same steps whether or not the visitor is among them; some batches are left to be folded.
    private func store(
        _ batches: [[Beacon]], in fixture: RollupFixture, pending: Int = 0, isKept: (Beacon) -> Bool = { _ in true }
    ) async throws {
        for (number, batch) in batches.enumerated() {
            let kept = batch.filter(isKept)
            if !kept.isEmpty {
                try await fixture.store(kept, seq: Int64(number + 1), receivedAt: batch[0].receivedAt)
            }
            if number % 7 == 0, number < batches.count - pending { _ = try await fixture.rollup.run() }
            if number == batches.count - pending - 1 { _ = try await fixture.rollup.run() }
        }
    }

    /// Against a database that never saw the visitor: all tables byte for byte, with some batches not folded yet.
    @Test(arguments: 0..<4)
    func allIsAsIfTheVisitorHadNeverCome(round: Int) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("round \(round): \(random.generator)")
        let beacons = beacons(&random, 1500)
        let batches = random.batches(of: beacons)
        let theirs = beacons.filter(Self.isTheirs)
        #expect(theirs.count > 50)
        var without: [String] = []
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await self.store(batches, in: fixture, pending: 2) { !Self.isTheirs($0) }
            _ = try await fixture.rollup.run()
            without = try await fixture.dump()
        }
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await self.store(batches, in: fixture, pending: 2)
            let isCompacted = round % 2 == 1
            if isCompacted { _ = try await RollupFixture(pool: pool, now: 1_766_000_000_000).rollup.compact() }
            let preview = try await fixture.rollup.findVisitor(Self.visitor)
            let result = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            #expect(preview.beacons == result.beacons)
            #expect(preview.batches == result.batches)
            #expect(preview.days == result.days)
            if !isCompacted { #expect(result.beacons == theirs.count) }
            #expect(result.unfinished == 0)
            #expect(try await stored(pool).filter(Self.isTheirs).isEmpty)
            #expect(try await batchesWithoutTheirFilter(pool) == 0)
            #expect(try await fixture.rollup.findVisitor(Self.visitor) == Erasure.Result())

            _ = try await fixture.rollup.run()
            #expect(try await pool.count("SELECT count(*) FROM damaged_batches") == 0)
            let erased = try await fixture.dump()
            #expect(erased == without, "\(Set(erased).symmetricDifference(without).sorted().prefix(6))")
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings.prefix(5))")
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)

            // Retries of what is gone count no more.
            var retries = theirs.filter { $0[.messageId] != nil && !$0.flags.contains(.stamped) }
            retries.shuffle(using: &random.generator)
            try await fixture.store(retries, node: "retry/1", seq: 1)
            #expect(try await fixture.rollup.run().repeats == retries.count)
            #expect(try await fixture.dump() == without)
            #expect(try await fixture.rollup.erase(visitor: Self.visitor, by: "test").beacons == retries.count)
            #expect(try await fixture.dump() == without)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// The connection is ended wherever the erasure waits for a lock; then it is run again.
    @Test func anInterruptedErasureFinishesWhenItIsRunAgain() async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        let batches = random.batches(of: beacons(&random, 1500))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await store(batches, in: fixture)
            let preview = try await fixture.rollup.findVisitor(Self.visitor)
            // Before the fourth batch that holds the visitor, and before the days are counted.
            for trigger in ["seq", "day"] {
                let statement: SQL =
                    trigger == "seq"
                    ? """
                    CREATE TRIGGER stop BEFORE UPDATE ON erasures FOR EACH ROW WHEN (new.batches > 3)
                    EXECUTE FUNCTION stop()
                    """
                    : "CREATE TRIGGER stop BEFORE DELETE ON erasure_days FOR EACH ROW EXECUTE FUNCTION stop()"
                try await pool.execute(
                    """
                    CREATE OR REPLACE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'stopped'; END $$
                    """)
                try await pool.execute(statement)
                await #expect(throws: PostgresError.self) {
                    try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
                }
                #expect(try await pool.count("SELECT count(*) FROM erasures WHERE finished_at IS NULL") == 1)
                try await pool.execute(
                    "DROP TRIGGER stop ON \(unescaped: trigger == "seq" ? "erasures" : "erasure_days")")
                if trigger == "seq" {
                    // Somebody else's does not finish it.
                    let other = try await fixture.rollup.erase(visitor: "nobody", by: "test")
                    #expect(other.unfinished == 1)
                    #expect(other.beacons == 0)
                }
            }
            let result = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            #expect(result.unfinished == 0)
            #expect(result.beacons == preview.beacons, "of all attempts together")
            #expect(result.batches == preview.batches)
            #expect(result.days == preview.days)
            #expect(try await pool.count("SELECT count(*) FROM erasures") == 2)
            #expect(try await pool.count("SELECT count(*) FROM erasure_days") == 0)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
        }
    }

    /// Batches come, are folded and merged meanwhile; what came behind its back a second run removes.
    @Test(arguments: 0..<2)
    func everythingElseGoesOnMeanwhile(round: Int) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("round \(round): \(random.generator)")
        let beacons = beacons(&random, 2000).sorted { $0.receivedAt < $1.receivedAt }
        let batches = stride(from: 0, to: beacons.count, by: 15).map {
            Array(beacons[$0..<min($0 + 15, beacons.count)])
        }
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, now: 1_766_000_000_000)
            try await store(Array(batches.prefix(batches.count / 2)), in: fixture)
            let first = batches.count / 2
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in first..<batches.count {
                        try await fixture.store(batches[number], seq: Int64(number + 1))
                    }
                }
                group.addTask { for _ in 0..<6 { _ = try await fixture.rollup.run() } }
                group.addTask { for _ in 0..<3 { _ = try await fixture.rollup.compact() } }
                group.addTask { _ = try await fixture.rollup.erase(visitor: Self.visitor, by: "test") }
                group.addTask { _ = try await fixture.rollup.erase(visitor: "visitor_2", by: "test") }
                try await group.waitForAll()
            }
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await pool.count("SELECT count(*) FROM erasures WHERE finished_at IS NOT NULL") == 2)
            _ = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            _ = try await fixture.rollup.compact()
            #expect(try await stored(pool).filter(Self.isTheirs).isEmpty)
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings.prefix(5))")
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
        }
    }

    /// Two at once, of the same batches: neither settles what the other owes by then.
    @Test(arguments: 0..<3)
    func twoAtOnceOweTheirOwnDays(round: Int) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("round \(round): \(random.generator)")
        let batches = random.batches(of: beacons(&random, 800))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await store(batches, in: fixture)
            async let first = fixture.rollup.erase(visitor: Self.visitor, by: "test")
            async let second = fixture.rollup.erase(visitor: "visitor_2", by: "test")
            let results = try await [first, second]
            #expect(results.allSatisfy { $0.beacons > 0 && !$0.days.isEmpty })
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.rollup.rebuild(nil).changedHours == 0)
        }
    }

    @Test func theAuditRowSaysWhatWasDoneAndNotToWhom() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", visitor: Self.visitor, message: "1"),
                .at("2025-12-03T12:00:00+09:00", visitor: "other", message: "2"),
            ])
            let result = try await fixture.rollup.erase(visitor: Self.visitor, by: "ticket 4711")
            #expect(result.days == [Day("2025-12-01")!])
            #expect(
                try await pool.count(
                    """
                    SELECT count(*) FROM erasures
                    WHERE requested_by = 'ticket 4711' AND batches = 1 AND beacons = 1 AND days = '{2025-12-01}'
                        AND finished_at IS NOT NULL AND length(visitor_hash) = 32
                    """) == 1)
            let hex = Self.visitor.utf8.map { String($0, radix: 16) }.joined()
            let dump = try await pool.withConnection { connection in
                try ["erasures", "erasure_days", "erasure_counters", "session_slots", "rollup_dirty"].flatMap {
                    table in
                    try connection.query("SELECT t::text FROM \(unescaped: table) t").map {
                        try $0.get(0, as: String.self)
                    }
                }
            }
            #expect(!dump.isEmpty)
            #expect(!dump.contains { $0.contains(Self.visitor) || $0.contains(hex) })
        }
    }

    /// The batch stays, empty: a node's position is where its batches end.
    @Test(arguments: [true, false])
    func aBatchOfNobodyElseStaysEmpty(isFolded: Bool) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...3 as ClosedRange<Int64> {
                try await fixture.store(
                    [.at("2025-12-01T12:00:0\(seq)Z", visitor: Self.visitor, message: "m\(seq)")], seq: seq)
            }
            if isFolded { _ = try await fixture.rollup.run() }
            #expect(try await fixture.rollup.erase(visitor: Self.visitor, by: "test").batches == 3)
            let last = try await pool.withConnection { try BatchStore.lastStored(ofNode: "node/1", on: $0) }
            #expect(last == 3)
            let node = try await pool.withConnection { try BatchStore.verifyPosition(ofNode: "node/1", on: $0) }
            #expect(node?.before == 3 && node?.after == 3)
            #expect(try await fixture.rollup.run().batches == (isFolded ? 0 : 3))
            #expect(try await fixture.dump().isEmpty)
            let report = try await fixture.rollup.verify(nil)
            #expect(report.findings.isEmpty, "\(report.findings)")
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.dump().isEmpty)
            let later = RollupFixture(pool: pool, now: 1_766_000_000_000)
            #expect(try await later.rollup.compact().merged == 1)
            #expect(try await pool.count("SELECT last_seq FROM analytics_events") == 3)
        }
    }

    /// A session of another visitor's in the same session key begins the day before, and another goes on the day after.
    @Test func sessionsAcrossMidnightAreCountedAgainOnBothDays() async throws {
        let others: [Beacon] = [
            .at("2025-12-01T23:50:00+09:00", visitor: "x", session: "s"),
            .at("2025-12-03T00:15:00+09:00", visitor: "x", session: "t"),
        ]
        let theirs: [Beacon] = [
            .at("2025-12-02T00:10:00+09:00", visitor: Self.visitor, session: "s"),
            .at("2025-12-02T23:50:00+09:00", visitor: Self.visitor, session: "t"),
        ]
        var without: [String] = []
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(others)
            without = try await fixture.dump()
        }
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(others + theirs)
            let result = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            #expect("\(DayList(result.days))" == "2025-12-01 to 2025-12-03")
            #expect(try await fixture.dump() == without)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    @Test func daysWhoseRawBatchesAreGoneAreSaid() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2025-11-30T12:00:00Z", visitor: Self.visitor), .at("2025-12-01T12:00:00Z", visitor: Self.visitor),
                // Of the day before those that can be counted.
                .at("2025-12-02T11:00:00Z", received: "2025-12-03T00:00:00Z", visitor: Self.visitor),
                .at("2025-12-04T12:00:00Z", visitor: Self.visitor), .at("2025-12-04T13:00:00Z", visitor: "other"),
            ])
            #expect(try await fixture.rollup.partitions(keepDays: 3).dropped.count == 2)
            let preview = try await fixture.rollup.findVisitor(Self.visitor)
            var result = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            #expect(result.beacons == 2)
            #expect(result.unreachableDays == [Day("2025-12-02")!])
            #expect(result.days == [Day("2025-12-04")!])
            #expect(result.rawGoneThrough == Day("2025-12-01")!)
            result.id = nil
            #expect(preview == result)
            #expect(try await fixture.lines("daily").suffix(2) == ["2025-12-02 1 1 0", "2025-12-04 1 1 0"])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Days that a batch which can't be read may belong to wait for it; the others don't.
    @Test func aBatchThatCanNotBeReadIsSaid() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await fixture.foldOneByOne([
                .at("2025-11-29T12:00:00Z", visitor: Self.visitor), .at("2025-11-30T12:00:00Z", visitor: Self.visitor),
                .at("2025-12-01T12:00:00Z", visitor: Self.visitor), .at("2025-12-02T12:00:00Z", visitor: Self.visitor),
                .at("2025-12-03T12:00:00Z", visitor: Self.visitor), .at("2025-12-04T12:00:00Z", visitor: Self.visitor),
                .at("2025-12-04T13:00:00Z", visitor: Self.visitor),
            ])
            try await pool.execute("CREATE TABLE saved AS SELECT * FROM analytics_events WHERE seq = 7")
            try await pool.execute("UPDATE analytics_events SET payload = '\\x00' WHERE seq = 7")
            let incomplete = await #expect(throws: Erasure.Incomplete.self) {
                try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            }
            #expect(incomplete?.days == [Day("2025-12-03")!, Day("2025-12-04")!])
            #expect(incomplete?.description.contains("node/1 7 of 2025-12-04") == true)
            #expect(try await fixture.lines("daily") == ["2025-12-03 1 1 0", "2025-12-04 2 2 0"])
            #expect(try await pool.count("SELECT unsearched FROM erasures WHERE finished_at IS NULL") == 1)
            try await pool.execute(
                "UPDATE analytics_events a SET payload = s.payload FROM saved s WHERE a.seq = s.seq")
            let result = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            #expect(result.beacons == 7)
            #expect(result.unsearched == 0)
            #expect(result.days.count == 6)
            #expect(try await fixture.dump().isEmpty)
        }
    }

    /// The one that was counted is erased; another visitor's with the same id, within the day, stays a repeat.
    @Test func repeatsOfAnErasedBeaconStayRepeats() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for isStamped in [false, true] {
                let hours = isStamped ? "13" : "12"
                try await fixture.foldOneByOne(
                    [
                        .at("2025-12-01T\(hours):00:00Z", visitor: Self.visitor, message: hours, isStamped: isStamped),
                        .at("2025-12-01T\(hours):00:01Z", visitor: "w", message: hours, isStamped: isStamped),
                    ], from: isStamped ? 3 : 1)
            }
            #expect(try await fixture.lines("daily") == ["2025-12-01 2 2 0"])
            #expect(try await fixture.rollup.erase(visitor: Self.visitor, by: "test").beacons == 2)
            let days = Day("2025-12-01")!...Day("2025-12-01")!
            for range in [days, nil] {
                #expect(try await fixture.dump().isEmpty)
                let report = try await fixture.rollup.verify(range)
                #expect(report.findings.isEmpty, "\(report.findings)")
                #expect(try await fixture.rollup.rebuild(range).changedHours == 0)
            }
        }
    }

    /// Hours of a day that were dropped come back where raw batches still make them, without the visitor.
    @Test func aPrunedDayIsCountedAgainFromRaw() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([
                .at("2024-09-01T12:00:00+09:00", visitor: Self.visitor), .at("2024-09-01T12:01:00+09:00", visitor: "w"),
            ])
            _ = try await fixture.rollup.pruneHours(keepMonths: HourlyRetention.minMonths)
            _ = try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
            #expect(try await fixture.lines("daily") == ["2024-09-01 1 1 0"])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(
                try await fixture.rollup.pruneHours(keepMonths: HourlyRetention.minMonths).pruned
                    == [Day("2024-09-01")!])
            #expect(try await fixture.lines("daily") == ["2024-09-01 1 1 0"])
        }
    }

    /// A fold has read the batch and waits; the erasure waits for it, and then removes what it has counted.
    @Test func aBatchThatIsBeingFoldedIsErasedAfterwards() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(
                [
                    .at("2025-12-01T12:00:00Z", visitor: Self.visitor, message: "1"),
                    .at("2025-12-01T12:00:01Z", visitor: "other", message: "2"),
                    .at("2025-12-01T12:00:01Z", visitor: "other", message: "2"),
                ], seq: 1)
            let running = try await holding(["SELECT pg_advisory_xact_lock(\(ApplyLock.key))"], on: pool) {
                let folding = Task { try await fixture.rollup.run() }
                try await pool.untilWaiting(1)
                let erasing = Task { try await fixture.rollup.erase(visitor: Self.visitor, by: "test") }
                try await pool.untilWaiting(2)
                return (folding, erasing)
            }
            #expect(try await running.0.value.repeats == 1)
            #expect(try await running.1.value.beacons == 1)
            #expect(try await pool.count("SELECT beacons FROM site_traffic_daily") == 1)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Another runner derives details of what it read before; until it has ended, these hold the visitor.
    @Test func anErasureEndsAfterTheDetailsOfItsDays() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            var theirs = Beacon.at("2025-12-01T12:00:00Z", visitor: Self.visitor, message: "1")
            theirs[.path] = "/me/\(Self.visitor)"
            try await fixture.foldOneByOne([theirs, .at("2025-12-01T12:00:01Z", visitor: "w", message: "2")])
            let theirPage: SQL = "SELECT count(*) FROM traffic_breakdown_daily WHERE value = \(theirs[.path]!)"
            // The artist's, and the whole site's.
            #expect(try await pool.count(theirPage) == 2)
            let erasing = try await holding(["SELECT pg_advisory_xact_lock(\(DeriveDetails.lock))"], on: pool) {
                let erasing = Task { try await fixture.rollup.erase(visitor: Self.visitor, by: "test") }
                try await pool.untilWaiting()
                #expect(try await pool.count("SELECT count(*) FROM erasures WHERE finished_at IS NOT NULL") == 0)
                return erasing
            }
            #expect(try await erasing.value.beacons == 1)
            #expect(try await pool.count("SELECT count(*) FROM erasures WHERE finished_at IS NOT NULL") == 1)
            #expect(try await pool.count(theirPage) == 0)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
        }
    }

    /// It searches again when it is run again, and so isn't done meanwhile, though it had searched everything once.
    @Test func anErasureThatIsRunAgainIsNotFinishedByAnother() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z", visitor: Self.visitor, message: "1")])
            try await pool.execute(
                "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped'; END $$")
            func stopped(_ trigger: SQL, _ table: String) async throws {
                try await pool.execute(trigger)
                await #expect(throws: PostgresError.self) {
                    try await fixture.rollup.erase(visitor: Self.visitor, by: "test")
                }
                try await pool.execute("DROP TRIGGER stop ON \(unescaped: table)")
            }
            // Searched, and its days not counted.
            try await stopped(
                "CREATE TRIGGER stop BEFORE DELETE ON erasure_days FOR EACH ROW EXECUTE FUNCTION stop()",
                "erasure_days")
            // Again, and stopped at what has come since.
            try await fixture.store([.at("2025-12-02T12:00:00Z", visitor: Self.visitor, message: "2")], seq: 2)
            try await stopped(
                "CREATE TRIGGER stop BEFORE UPDATE ON analytics_events FOR EACH ROW EXECUTE FUNCTION stop()",
                "analytics_events")
            #expect(try await fixture.rollup.erase(visitor: "nobody", by: "test").unfinished == 1)
            #expect(try await fixture.rollup.erase(visitor: Self.visitor, by: "test").beacons == 2)
            #expect(try await pool.count("SELECT count(*) FROM erasures WHERE finished_at IS NULL") == 0)
        }
    }

    @Test func positionsAreThoseOfWhatIsLeft() {
        var builder = BeaconBatchBuilder()
        for visitor in [nil, "v", "w", "v", nil, "v"] as [String?] {
            var beacon = Beacon(receivedAt: 0, timestamp: 0)
            beacon[.visitorId] = visitor
            beacon[.sessionId] = visitor == nil ? "v" : "s"
            builder.append(beacon)
        }
        let batch = builder.finish()
        let rows = VisitorRows(of: "w", in: batch)
        #expect(rows.rows == [2])
        #expect(rows.remap([0, 2, 3, 5]) == [0, 2, 4])
        #expect(rows.left(ofFirst: [0, 2, 3, 6]) == [0, 2, 2, 5])
        #expect(VisitorRows(of: "v", in: batch).rows == [0, 1, 3, 4, 5])
        #expect(VisitorRows(of: "s", in: batch).rows.isEmpty)
        #expect(VisitorRows(of: "", in: batch).rows.isEmpty)
    }

    @Test func daysAreCountedAgainAFewAtATime() {
        let first = Day("2025-12-01")!
        let plan = Erasure.plan((0..<20).map { first + $0 } + [first + 30], droppedThrough: first + 1)
        #expect(plan.unreachable == [first...first + 2])
        #expect(plan.reachable.allSatisfy { $0.upperBound - $0.lowerBound < Erasure.maxDaysAtOnce })
        #expect(
            plan.reachable == [
                first + 3...first + 9, first + 10...first + 16, first + 17...first + 19, first + 30...first + 30,
            ])
    }

    private func stored(_ pool: PostgresPool) async throws -> [Beacon] {
        try await pool.withConnection { connection in
            try connection.query("SELECT payload FROM analytics_events").flatMap { row in
                let batch = try row.withBytes(0) { try BatchBlock.decode($0) }
                return (0..<batch.count).map { batch.beacon(at: $0) }
            }
        }
    }
}
