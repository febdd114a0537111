import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// What becomes of a day's details where something fails, goes, or comes meanwhile.
@Suite struct DetailUpkeepTests {
    private static let day = Day("2025-12-01")!
    private static let siteBeacons: SQL =
        """
        SELECT coalesce(sum(beacons), 0)::bigint FROM traffic_breakdown_daily
        WHERE artist_id = '' AND dimension = 'type' AND day = \(day)
        """

    private func derive(_ pool: PostgresPool) async throws {
        #expect(try await pool.withConnection { try DeriveDetails.run(Self.day, calendar: .seoul, on: $0) })
    }

    // MARK: Values

    /// As an access log may have them: longer than a key of an index may be, and what Postgres can't store.
    @Test func aTextOfAnyLengthIsCounted() async throws {
        var random = SeededGenerator()
        print("\(random)")
        func noise(_ count: Int) -> String {
            let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789한é")
            return String((0..<count).map { _ in letters.randomElement(using: &random)! })
        }
        var beacons: [Beacon] = []
        let token = noise(1100)
        for number in 0..<60 {
            var beacon = Beacon.at("2025-12-01T12:00:00+09:00", artist: "artist", message: "\(number)")
            switch number % 4 {
            case 0: beacon[.path] = "/a?token=" + token + noise(4000)
            case 1: beacon[.path] = "/a\0b"
            case 2: beacon[.referrer] = "https://" + noise(2500) + "/"
            default: beacon[.country] = noise(3000)
            }
            beacons.append(beacon)
        }
        let stored = beacons
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.store(stored, seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await pool.count(Self.siteBeacons) == 60)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
            // One page, though no two addresses are the same.
            #expect(
                try await pool.count(
                    """
                    SELECT beacons FROM traffic_breakdown_daily
                    WHERE artist_id = '' AND dimension = 'path' AND value LIKE '/a?token=%'
                    """) == 15)
            #expect(
                try await pool.count("SELECT max(octet_length(value)) FROM traffic_breakdown_daily")
                    <= BreakdownValue.maxBytes)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            let proof = try await pool.withConnection { connection in
                try connection.transaction(isolation: .repeatableRead) { connection in
                    try Proof(
                        nil, calendar: .seoul, dirty: DirtyBuckets(on: connection), work: ProofWork(helpers: 0),
                        on: connection
                    ).doubts
                }
            }
            #expect(proof == [:])
        }
    }

    // MARK: Failures

    @Test func aDayThatFailsCostsOnlyItself() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await pool.execute("ALTER TABLE traffic_breakdown_daily ADD CHECK (day <> '2025-12-01')")
            try await fixture.foldOneByOne([
                .at("2025-12-01T12:00:00+09:00", message: "1"), .at("2025-12-02T12:00:00+09:00", message: "2"),
            ])
            _ = try await fixture.rollup.run()
            #expect(try await pool.count("SELECT count(DISTINCT day) FROM traffic_breakdown_daily") == 1)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty WHERE day = '2025-12-01'") == 1)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 1)
        }
    }

    @Test func whatFollowsDetailsIsDoneThoughTheyFail() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            try await pool.execute("INSERT INTO stamped_message_ids (id, received_at) VALUES (1, '2025-01-01')")
            try await pool.execute("ALTER TABLE detail_dirty RENAME TO elsewhere")
            await #expect(throws: PostgresError.self) { _ = try await fixture.rollup.run() }
            #expect(try await pool.count("SELECT count(*) FROM stamped_message_ids") == 0)
        }
    }

    // MARK: Marks

    /// A live day waits anew, or it would be derived again and again; and what was folded since is known.
    @Test func aMarkMadeMeanwhileIsOfNow() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00", message: "1")])
            let lastFold = try await pool.count("SELECT max(fold_seq) FROM rollup_folded")
            for wrong in [false, true] {
                try await pool.withConnection { try DeriveDetails.mark([Self.day], on: $0) }
                try await pool.execute("UPDATE detail_dirty SET marked_at = now() - interval '1 hour'")
                // Waits where it deletes what there was; meanwhile the day is marked.
                let running = try await holding(["LOCK TABLE traffic_breakdown_daily IN SHARE MODE"], on: pool) {
                    let running = Task {
                        try await pool.withConnection { try DeriveDetails.run(Self.day, calendar: .seoul, on: $0) }
                    }
                    try await pool.untilWaiting()
                    try await pool.withConnection {
                        try DeriveDetails.mark([Self.day], fold: wrong ? nil : lastFold + 1, on: $0)
                    }
                    return running
                }
                #expect(try await running.value)
                let due = try await pool.withConnection {
                    try DeriveDetails.due(olderThanMs: Rollup.detailsWaitMs, on: $0)
                }
                #expect(due == [])
                #expect(
                    try await pool.count("SELECT coalesce(first_fold, -1) FROM detail_dirty")
                        == (wrong ? -1 : lastFold + 1))
                try await derive(pool)
                #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
            }
        }
    }

    // MARK: Raw beacons that are gone

    /// The second look finds less than the first: what there was is kept.
    @Test func whatIsDetachedBetweenTwoLooksIsNotLost() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne(
                (1...2).map {
                    .at("2025-12-01T12:00:00Z", artist: "a\($0)", event: "e", visitor: "v", message: "\($0)")
                })
            #expect(try await pool.count(Self.siteBeacons) == 2)
            // Funnels are written between two looks.
            try await pool.execute(
                """
                CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$
                """)
            try await pool.execute(
                "CREATE TRIGGER wait BEFORE INSERT ON event_funnel_daily FOR EACH STATEMENT EXECUTE FUNCTION wait()")
            // So long ago that partitions don't wait for it.
            try await pool.execute(
                "INSERT INTO detail_dirty (day, marked_at) VALUES ('2025-12-01', now() - interval '8 days')")
            let other = PostgresPool(configuration, connections: 1, logger: testLogger)
            let dropping = RollupFixture(pool: other)
            let (deriving, dropped) = try await holding(["SELECT pg_advisory_xact_lock(1)"], on: pool) {
                let deriving = Task { try await derive(pool) }
                try await pool.untilWaiting()
                let dropped = Task { try await dropping.rollup.partitions(keepDays: 2).dropped }
                try await pool.untilWaiting(2)
                return (deriving, dropped)
            }
            try await deriving.value
            #expect(try await dropped.value == [Self.day])
            #expect(try await pool.count(Self.siteBeacons) == 2)
            #expect(try await pool.count("SELECT count(*) FROM event_funnel_daily") == 1)
            // Nothing is to be counted any more.
            try await derive(pool)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
            #expect(try await pool.count(Self.siteBeacons) == 2)
            await other.shutdown()
        }
    }

    /// An import of old logs, of days of which nothing was ever dropped.
    @Test func daysThatComeAfterOthersWereDroppedHaveDetails() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await pool.execute("INSERT INTO dropped_event_days (day) VALUES ('2025-12-20')")
            try await fixture.store(
                [.at("2025-12-01T12:00:00Z", received: "2025-12-24T12:00:00Z", message: "1")], seq: 1)
            _ = try await fixture.rollup.run()
            #expect(try await pool.count(Self.siteBeacons) == 1)
            // More of the day, and a repeat.
            for (seq, message) in [(2, "2"), (3, "1")] {
                try await fixture.store(
                    [.at("2025-12-01T12:00:00Z", received: "2025-12-24T13:00:00Z", message: message)], seq: Int64(seq))
            }
            _ = try await fixture.rollup.run()
            #expect(try await pool.count(Self.siteBeacons) == 2)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Others came since: those alone are not the day, not even where the day's hours are gone, too.
    @Test(arguments: [false, true])
    func daysOfWhichSomeAreGoneKeepWhatTheyHave(hoursToo: Bool) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00Z", message: "1")])
            #expect(try await fixture.rollup.partitions(keepDays: 1).dropped == [Self.day])
            if hoursToo {
                try await pool.execute("DELETE FROM site_traffic_hourly")
                try await pool.execute(
                    "INSERT INTO pruned_days (day, starts_at, ends_at) VALUES ('2025-12-01', now(), now())")
            }
            // With so many of the next day that only a look at each tells.
            try await fixture.store(
                (2...6).map {
                    .at(
                        "2025-12-0\($0 < 4 ? 1 : 2)T12:00:00Z", received: "2025-12-24T12:00:00Z", message: "\($0)")
                }, seq: 2)
            _ = try await fixture.rollup.run()
            #expect(try await pool.count(Self.siteBeacons) == 1)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
        }
    }
}
