import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Several runners share the work, and one that dies leaves nothing half-done.
@Suite struct RunnerTests {
    @Test func fourRunnersShareWhatIsPendingAndCountItOnce() async throws {
        var random = RandomBeacons(generator: SeededGenerator())
        print("\(random.generator)")
        let batches = random.batches(of: random.beacons(4000))
        try await withAnalyticsDatabase { configuration, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            let runners = PostgresPool(configuration, connections: 4, logger: testLogger)
            let rollup = RollupFixture(pool: runners).rollup
            let results = try await withThrowingTaskGroup(of: Rollup.Result.self) { group in
                for _ in 0..<4 { group.addTask { try await rollup.run() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            await runners.shutdown()
            #expect(results.map(\.batches).reduce(0, +) == batches.count)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await pool.count("SELECT count(*) FROM rollup_folded") == Int64(batches.count))
        }
    }

    /// What another runner holds is left to it, and nobody waits for it.
    @Test func whatAnotherRunnerHoldsIsPassedOver() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...3 {
                try await fixture.store([.at("2025-12-01T12:0\(seq):00+09:00")], seq: Int64(seq))
            }
            try await holding(["SELECT 1 FROM rollup_pending WHERE seq <> 2 FOR UPDATE"], on: pool) {
                let folded = try await fixture.rollup.run().batches
                #expect(folded == 1)
                #expect(try await fixture.foldOrder() == [2])
            }
            #expect(try await fixture.rollup.run().batches == 2)
        }
    }

    /// Batches keep coming as fast as they are folded, two for one: it ends all the same.
    @Test func aRunEndsWhereMoreKeepsComing() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...3 { try await fixture.store([.at("2025-12-01T12:00:00+09:00")], seq: Int64(seq)) }
            try await pool.execute(
                """
                CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO analytics_events
                    SELECT received_day, node, seq + offset_, last_seq, received_at, min_time, max_time, beacons,
                        schema_version, crc, payload
                    FROM analytics_events, unnest(ARRAY[1000000, 2000000]) AS offset_
                    WHERE (received_day, node, seq) = (NEW.received_day, NEW.node, NEW.seq);
                    INSERT INTO rollup_pending
                    SELECT NEW.received_day, NEW.node, NEW.seq + offset_, 1, now()
                    FROM unnest(ARRAY[1000000, 2000000]) AS offset_;
                    RETURN NEW;
                END
                $$
                """)
            try await pool.execute(
                "CREATE TRIGGER more AFTER INSERT ON rollup_folded FOR EACH ROW EXECUTE FUNCTION more()")
            #expect(try await fixture.rollup.run().batches == 3)
            #expect(try await pool.count("SELECT count(*) FROM rollup_pending") == 6)
        }
    }

    /// A row that is locked is one that the others pass over.
    @Test(arguments: [(Claim.expectedBeacons, 10), (1000, 60), (200_000, 10)])
    func aClaimLocksAboutWhatItTakes(beacons: Int, locked: Int) async throws {
        try await withAnalyticsDatabase { configuration, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...60 { try await fixture.store([.at("2025-12-01T12:00:00+09:00")], seq: Int64(seq)) }
            try await pool.execute("UPDATE rollup_pending SET beacons = \(beacons)")
            let (taken, free) = try await pool.withConnection { connection in
                try connection.transaction { connection in
                    let claim = try Claim(on: connection)
                    let beside = try PostgresConnection(configuration)
                    let free = try beside.query("SELECT seq FROM rollup_pending FOR UPDATE SKIP LOCKED").count
                    return (claim.batches.map(\.key.seq), free)
                }
            }
            #expect(60 - free == locked)
            #expect(taken == Array(1...Int64(min(60, (Claim.maxBeacons + beacons - 1) / beacons))))
        }
    }

    /// Of small batches as many as may be.
    @Test func aClaimTakesNoMoreBatchesThanTheMost() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for seq in 1...Int64(Claim.maxBatches + 5) {
                try await fixture.store([.at("2025-12-01T12:00:00+09:00")], seq: seq)
            }
            let folded = try await pool.withConnection { try FoldTransaction.run(calendar: .seoul, on: $0).batches }
            #expect(folded == Claim.maxBatches)
            #expect(try await fixture.foldOrder() == Array(1...Int64(Claim.maxBatches)))
        }
    }

    /// Its day would make it wait to be derived again.
    @Test func aMonthIsDerivedOnceItsDaysAre() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-11-30T12:00:00+09:00"), .at("2025-12-01T12:00:00+09:00")])
            try await pool.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket) VALUES
                    ('month', 'artist', 'a', '2025-11-01'), ('month', 'artist', 'a', '2025-12-01'),
                    ('month', 'site', 'all', '2025-12-01'), ('day', 'artist', 'a', '2025-12-31')
                """)
            let taken = try await pool.withConnection { try DeriveTraffic.months(calendar: .seoul, on: $0).taken }
            #expect(taken == 2)
            #expect(try await pool.count("SELECT count(*) FROM rollup_dirty WHERE grain = 'month'") == 1)
            _ = try await fixture.rollup.run()
            #expect(try await pool.count("SELECT count(*) FROM rollup_dirty") == 0)
        }
    }

    /// Each statement of a fold in turn waits for a table, and the runner's connection is ended there.
    @Test(arguments: [
        "analytics_events", "message_ids", "stamped_message_ids", "session_slots", "artist_traffic_hourly",
        "event_traffic_hourly", "site_traffic_hourly", "rollup_dirty", "rollup_folded",
    ])
    func aRunnerThatIsKilledLeavesNothingHalfDone(table: String) async throws {
        try await withHalfFolded { fixture in
            try await killed(fixture, while: "LOCK TABLE \(unescaped: table)")
        }
    }

    @Test func aRunnerThatIsKilledBeforeItAppliesLeavesNothingHalfDone() async throws {
        try await withHalfFolded { fixture in
            try await killed(fixture, while: "SELECT pg_advisory_xact_lock(\(ApplyLock.key))")
        }
    }

    private func killed(_ fixture: RollupFixture, while statement: SQL) async throws {
        let pending = try await fixture.pool.count("SELECT count(*) FROM rollup_pending")
        let before = try await fixture.dump()
        let running = try await holding([statement], on: fixture.pool) {
            let running = Task { try await fixture.rollup.run() }
            try await fixture.pool.terminateWhoWaits()
            await #expect(throws: PostgresError.self) { try await running.value }
            return running
        }
        _ = await running.result
        #expect(try await fixture.pool.count("SELECT count(*) FROM rollup_pending") == pending)
        #expect(try await fixture.dump() == before)
        #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        #expect(try await fixture.rollup.run().batches == Int(pending))
        #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
    }

    /// Half of the batches are folded, the others pending.
    private func withHalfFolded(_ body: (RollupFixture) async throws -> Void) async throws {
        var random = RandomBeacons(generator: SeededGenerator(seed: 11))
        let batches = random.batches(of: random.beacons(800))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() {
                try await fixture.store(batch, seq: Int64(number + 1))
                if number == batches.count / 2 { _ = try await fixture.rollup.run() }
            }
            try await body(fixture)
        }
    }
}
