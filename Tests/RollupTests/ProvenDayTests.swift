import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A day that was proven is passed over as long as nothing that its proof looked at has changed, and no longer.
@Suite struct ProvenDayTests {
    /// With late beacons, repeats and sessions across midnight, proven once.
    private func withProven(
        _ body: (RollupFixture, _ days: Int, SeededGenerator) async throws -> Void
    ) async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        let beacons = random.beacons(500).filter { !$0.flags.contains(.stamped) }
        let batches = random.batches(of: beacons)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            for (number, batch) in batches.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            _ = try await fixture.rollup.run()
            let first = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(first.findings.isEmpty && first.doubts.isEmpty && first.known == 0, "\(random.generator)")
            try #require(first.proven.count >= 3, "\(random.generator)")
            let second = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(second.known == first.proven.count && second.proven.isEmpty, "\(random.generator)")
            #expect(second.findings.isEmpty && second.beacons == first.beacons && second.days == first.days)
            try await body(fixture, first.proven.count, random.generator)
        }
    }

    /// What a value of a type is changed into. Of a number so that both halves have the same difference, as Postgres' own
    /// hash of it has not.
    private static let changes = [
        "bigint": "(% # 1) + 4294967296", "integer": "% + 100000", "smallint": "% + 1", "text": "% || 'x'",
        "date": "% + 1000", "timestamp with time zone": "% + interval '1 second'", "ARRAY": "% || 1000",
        "bytea": "set_byte(%, length(%) - 1, get_byte(%, length(%) - 1) # 1)",
    ]

    private static let tables =
        ["analytics_events", "rollup_folded", "message_ids", "session_slots", "traffic_breakdown_daily"]
        + ["event_funnel_daily"]
        + ["artist", "event", "site"].flatMap { ["\($0)_traffic_hourly", "\($0)_traffic_daily"] }

    @Test(arguments: tables) func aChangeOfAnyColumnIsSeen(table: String) async throws {
        try await withProven { fixture, days, random in
            var random = random
            // Without those that are null where nothing was compacted.
            let columns = try await fixture.pool.withConnection { connection in
                try connection.query(
                    """
                    SELECT column_name::text, data_type::text FROM information_schema.columns
                    WHERE table_name = \(table) AND table_schema = current_schema()
                        AND column_name NOT IN ('part_seqs', 'part_ends', 'compacted_at') ORDER BY ordinal_position
                    """
                ).map { (name: try $0.get(0, as: String.self), type: try $0.get(1, as: String.self)) }
            }
            try #require(columns.count >= 3)
            var refused: [String] = []
            for column in columns {
                let value = try #require(Self.changes[column.type], "\(table) \(column)")
                    .replacing("%", with: column.name)
                let update = "UPDATE %t SET \(column.name) = \(value) WHERE %r"
                let isChanged = try await change(fixture, table, update, &random) { report in
                    #expect(report.known < days, "\(table) \(column)")
                }
                if !isChanged { refused.append(column.name) }
            }
            // No partition, or no such name.
            #expect(Set(refused).isSubset(of: ["received_day", "dimension", "kind"]), "\(table) \(refused)")
            let isDeleted = try await change(fixture, table, "DELETE FROM %t WHERE %r", &random) { report in
                #expect(report.known < days, "\(table)")
            }
            #expect(isDeleted)
            // Put back as it was, it holds as it did.
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).known == days, "\(random)")
        }
    }

    /// Changes a row at random, looks, and puts everything back. False where it can't be so.
    private func change(
        _ fixture: RollupFixture, _ table: String, _ change: String, _ random: inout SeededGenerator,
        _ look: (Verify.Report) -> Void
    ) async throws -> Bool {
        let offset = Int64.random(in: 0..<1_000_000, using: &random)
        let row = """
            (tableoid, ctid) = (SELECT tableoid, ctid FROM \(table) ORDER BY tableoid, ctid
                OFFSET \(offset) % (SELECT count(*) FROM \(table)) LIMIT 1)
            """
        let remembered = try await fixture.pool.withConnection { try ProvenDays.read(on: $0) }
        try await fixture.pool.execute("CREATE TABLE kept AS TABLE \(unescaped: table)")
        do {
            try await fixture.pool.execute(
                "\(unescaped: change.replacing("%t", with: table).replacing("%r", with: row))")
        } catch let error as PostgresError where error.sqlState?.hasPrefix("23") == true {
            // A constraint forbids it.
            try await fixture.pool.execute("DROP TABLE kept")
            return false
        }
        look(try await fixture.rollup.verify(nil, isIncremental: true))
        try await fixture.pool.execute("TRUNCATE \(unescaped: table)")
        try await fixture.pool.execute("INSERT INTO \(unescaped: table) TABLE kept")
        try await fixture.pool.execute("DROP TABLE kept")
        // What was proven of the changed days.
        try await fixture.pool.withConnection { try ProvenDays.remember(remembered, on: $0) }
        return true
    }

    /// Column by column all of it is there.
    @Test func whatTwoRowsExchangeIsSeen() async throws {
        try await withProven { fixture, days, random in
            var random = random
            for exchange in 0..<12 {
                let exchanged = """
                    WITH two AS (
                        SELECT a.ctid AS a, b.ctid AS b, a.visitors AS of_a, b.visitors AS of_b
                        FROM traffic_breakdown_daily a JOIN traffic_breakdown_daily b USING (day)
                        WHERE a.visitors <> b.visitors ORDER BY md5(concat(a.ctid, b.ctid, \(exchange))) LIMIT 1)
                    UPDATE %t SET visitors = CASE ctid WHEN a THEN of_b ELSE of_a END FROM two WHERE ctid IN (a, b)
                    """
                let isSeen = try await change(fixture, "traffic_breakdown_daily", exchanged, &random) { report in
                    #expect(report.known == days - 1, "exchange \(exchange)")
                    #expect(report.findings.count == 2, "\(report.findings)")
                }
                #expect(isSeen)
            }
        }
    }

    @Test func whatIsSeenIsNamedAsAWholeVerificationNamesIt() async throws {
        try await withProven { fixture, days, random in
            try await fixture.pool.execute(
                """
                UPDATE artist_traffic_hourly SET session_ms = session_ms + 1
                WHERE hour = (SELECT min(hour) FROM artist_traffic_hourly)
                """)
            let report = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(report.known == days - 1 && !report.findings.isEmpty, "\(random)")
            let whole = try await fixture.rollup.verify(nil)
            #expect(report.findings == whole.findings && report.days == whole.days, "\(random)")
            #expect(report.beacons == whole.beacons)
            // A day that doesn't hold isn't remembered.
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).findings == whole.findings)
        }
    }

    /// Two days that share what lies at their edge: a session, an id that is claimed for the day after.
    @Test(
        arguments: [
            // The slot in which the session goes on, which is the second day's.
            "DELETE FROM session_slots WHERE slot = (extract(epoch FROM '2025-12-02T00:00:00+09:00'::timestamptz) / 1800)::int",
            // The slot in which it began, which is the first day's.
            "DELETE FROM session_slots WHERE slot = (extract(epoch FROM '2025-12-01T23:30:00+09:00'::timestamptz) / 1800)::int",
            "UPDATE analytics_events SET payload = set_byte(payload, length(payload) - 1, 1) WHERE seq = 1",
            "INSERT INTO erased_message_ids SELECT (extract(epoch FROM '2025-12-02T00:01:00+09:00'::timestamptz) / 60)::int, 1",
            "INSERT INTO message_ids SELECT (extract(epoch FROM '2025-12-02T00:01:00+09:00'::timestamptz) / 60)::int, 1000, ids FROM message_ids LIMIT 1",
        ], [0, 2])
    func whatDaysShareIsOfBoth(change: String, helpers: Int) async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            var ahead = Beacon.at("2025-12-01T23:59:30+09:00", visitor: "ahead", message: "ahead")
            ahead.claimed += 90_000
            try await fixture.store(
                [.at("2025-12-01T23:50:00+09:00", visitor: "v", message: "1"), ahead], seq: 1)
            try await fixture.store([.at("2025-12-02T00:10:00+09:00", visitor: "v", message: "2")], seq: 2)
            try await fixture.store([.at("2025-12-03T12:00:00+09:00", visitor: "w", message: "3")], seq: 3)
            _ = try await fixture.rollup.run()
            for known in [0, 3] {
                let report = try await fixture.rollup.verify(nil, isIncremental: true, helpers: helpers)
                #expect(report.known == known && report.findings.isEmpty && report.doubts.isEmpty)
            }
            try await pool.execute("\(unescaped: change)")
            let report = try await fixture.rollup.verify(nil, isIncremental: true, helpers: helpers)
            #expect(report.known == (change.contains("message_ids") ? 2 : 1))
            let whole = try await fixture.rollup.verify(nil)
            #expect(report.findings == whole.findings && report.doubts == whole.doubts)
        }
    }

    /// Beacons that a phone kept for days come with others in one batch.
    @Test func aBatchIsOfDaysOnWhichItHasBeacons() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool, logger: silentLogger)
            for day in 1...5 {
                try await fixture.store(
                    [.at("2025-12-0\(day)T12:00:00+09:00", visitor: "v", message: "\(day)")], seq: Int64(day))
            }
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).proven.count == 5)
            try await fixture.store(
                [
                    .at("2025-12-05T13:00:00+09:00", visitor: "v", message: "6"),
                    .at("2025-12-02T13:00:00+09:00", visitor: "late", message: "7"),
                ], seq: 6)
            _ = try await fixture.rollup.run()
            for known in [3, 5] {
                let report = try await fixture.rollup.verify(nil, isIncremental: true)
                #expect(report.known == known && report.findings.isEmpty && report.doubts.isEmpty)
            }
        }
    }

    /// Where the range ends, what is claimed for the time after is looked at too.
    @Test func whatWasProvenAsTheLastDayIsProvenAgainAsOneOfMany() async throws {
        try await withProven { fixture, days, random in
            let day = try await fixture.pool.withConnection { connection in
                try connection.query("SELECT min(day) FROM site_traffic_daily")[0].get(0, as: Day.self)
            }
            let edge = try await fixture.rollup.verify(day...day, isIncremental: true)
            #expect(edge.known == 0 && edge.findings.isEmpty, "\(random)")
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).known == days - 1, "\(random)")
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).known == days, "\(random)")
        }
    }

    @Test func whatCannotBeRememberedIsReportedAllTheSame() async throws {
        try await withProven { fixture, _, _ in
            try await fixture.pool.execute("DELETE FROM proven_days")
            try await fixture.pool.execute("ALTER TABLE proven_days ADD CHECK (false)")
            try await fixture.pool.execute("UPDATE artist_traffic_hourly SET session_ms = session_ms + 1")
            let report = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(!report.findings.isEmpty)
            try await fixture.pool.execute("UPDATE artist_traffic_hourly SET session_ms = session_ms - 1")
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).notRemembered != nil)
        }
    }

    @Test func onlyDaysThatLateBeaconsTouchAreProvenAgain() async throws {
        try await withProven { fixture, days, random in
            let stored = try await fixture.pool.withConnection { connection in
                try connection.query("SELECT min(hour) FROM site_traffic_hourly")[0]
                    .get(0, as: PostgresTimestamp.self).ms
            }
            try await fixture.store(
                [.at(Instant.iso8601(stored), visitor: "late", message: "late")], node: "node/2", seq: 1)
            _ = try await fixture.rollup.run()
            let report = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(report.findings.isEmpty && report.doubts.isEmpty, "\(random)")
            #expect(report.known > 0 && report.known < days, "\(random)")
            #expect(try await fixture.rollup.verify(nil, isIncremental: true).known == days, "\(random)")
        }
    }

    @Test func whatAnotherProgramProvedIsProvenAgain() async throws {
        try await withProven { fixture, days, _ in
            try await fixture.pool.execute("UPDATE proven_days SET program = '\\x00'")
            let report = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(report.known == 0 && report.proven.count == days)
        }
    }

    /// Their details, or a row, are not compared: nothing is said of all of the day.
    @Test(arguments: ["detail_dirty", "rollup_dirty"])
    func daysThatWaitAreNeitherPassedOverNorRemembered(table: String) async throws {
        try await withProven { fixture, days, random in
            let day = try await fixture.pool.withConnection { connection in
                try connection.query("SELECT min(day) FROM site_traffic_daily")[0].get(0, as: Day.self)
            }
            try await fixture.pool.execute(
                table == "detail_dirty"
                    ? "INSERT INTO detail_dirty (day) VALUES (\(day))"
                    : """
                    INSERT INTO rollup_dirty (grain, family, entity, bucket)
                    VALUES ('day', 'site', '', (\(day)::date)::timestamp AT TIME ZONE 'UTC')
                    """)
            let report = try await fixture.rollup.verify(nil, isIncremental: true)
            #expect(report.known == days - 1 && report.proven.isEmpty, "\(random)")
        }
    }

    /// Whether these repeat each other is decided over all days.
    @Test func aDayWithIdsThatTheServerStampedIsProvenEachTime() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            var stamped = Beacon.at("2025-12-02T12:00:00+09:00", message: "m")
            stamped.flags.insert(.stamped)
            try await fixture.store([.at("2025-12-01T12:00:00+09:00", message: "m"), stamped], seq: 1)
            _ = try await fixture.rollup.run()
            for known in 0...1 {
                let report = try await fixture.rollup.verify(nil, isIncremental: true)
                #expect(report.findings.isEmpty && report.doubts.isEmpty)
                #expect(report.known == known)
            }
        }
    }

    /// A verification that remembers nothing trusts nothing either.
    @Test func aWholeVerificationNeitherReadsNorWritesWhatIsRemembered() async throws {
        try await withProven { fixture, days, _ in
            #expect(try await fixture.rollup.verify(nil).known == 0)
            try await fixture.pool.execute("DELETE FROM proven_days")
            _ = try await fixture.rollup.verify(nil)
            #expect(try await fixture.pool.count("SELECT count(*) FROM proven_days") == 0)
        }
    }
}
