import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// A wrong row planted in any table, rollup or ledger, is found and named: wrong numbers, missing, surplus, undecodable.
@Suite struct VerifyTests {
    @Test(arguments: [
        "artist_traffic_hourly", "event_traffic_hourly", "site_traffic_hourly", "artist_traffic_daily",
        "event_traffic_daily", "site_traffic_daily", "artist_traffic_monthly", "event_traffic_monthly",
        "site_traffic_monthly",
    ])
    func aWrongCountIsNamed(table: String) async throws {
        try await withRolledUp { fixture in
            try await fixture.pool.execute(
                """
                UPDATE \(unescaped: table) SET page_views = page_views + 1
                WHERE ctid = (SELECT min(ctid) FROM \(unescaped: table))
                """)
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == table && $0.difference.contains("page_views") }, "\(findings)")
        }
    }

    @Test(arguments: ["artist_traffic_hourly", "site_traffic_daily", "event_traffic_monthly"])
    func aWrongSketchIsNamed(table: String) async throws {
        try await withRolledUp { fixture in
            let empty = VisitorSketch().bytes
            try await fixture.pool.execute("UPDATE \(unescaped: table) SET visitors = \(empty)")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == table && $0.difference.contains("visitors") }, "\(findings)")
        }
    }

    @Test(arguments: ["artist_traffic_hourly", "event_traffic_daily", "site_traffic_monthly"])
    func aMissingAndASurplusRowAreNamed(table: String) async throws {
        try await withRolledUp { fixture in
            try await fixture.pool.execute("DELETE FROM \(unescaped: table)")
            #expect(try await fixture.rollup.verify(nil).findings.contains { $0.table == table })
        }
        try await withRolledUp { fixture in
            let column = table.hasPrefix("artist") ? "artist_id" : table.hasPrefix("event") ? "event_id" : "site_id"
            try await fixture.pool.execute(
                "UPDATE \(unescaped: table) SET \(unescaped: column) = \(unescaped: column) || 'x'")
            #expect(
                try await fixture.rollup.verify(nil).findings.contains { $0.table == table && $0.entity.hasSuffix("x") }
            )
        }
    }

    @Test(arguments: ["revenue_hourly", "revenue_daily", "revenue_monthly"])
    func wrongMoneyIsNamed(table: String) async throws {
        try await withRolledUp { fixture in
            try await fixture.pool.execute("UPDATE \(unescaped: table) SET gross = gross + 1")
            #expect(try await fixture.rollup.verify(nil).findings.contains { $0.table == table })
        }
    }

    @Test func aRepeatRecordedWronglyIsNamed() async throws {
        try await withRolledUp { fixture in
            try await fixture.pool.execute("UPDATE rollup_folded SET duplicates = '{0}' WHERE seq = 1")
            #expect(try await fixture.rollup.verify(nil).findings.contains { $0.table == "rollup_folded" })
        }
    }

    @Test(arguments: [
        ("message_ids", "DELETE FROM message_ids WHERE ctid = (SELECT min(ctid) FROM message_ids)"),
        ("message_ids", "UPDATE message_ids SET minute = minute + 1000000"),
        ("session_slots", "UPDATE session_slots SET slot = slot + 1000000"),
        ("session_slots", "DELETE FROM session_slots WHERE ctid = (SELECT min(ctid) FROM session_slots)"),
        ("session_slots", "UPDATE session_slots SET pieces = '\\x00'"),
        ("session_slots", "INSERT INTO session_slots SELECT slot + 2000000, run, pieces FROM session_slots"),
        ("stamped_message_ids", "UPDATE stamped_message_ids SET received_at = received_at + interval '1 ms'"),
        ("analytics_events", "DELETE FROM rollup_folded WHERE seq = 1"),
        ("analytics_events", "DELETE FROM analytics_events WHERE seq = 1"),
        ("analytics_events", "UPDATE analytics_events SET payload = '\\x00' WHERE seq = 1"),
        ("rollup_pending", "INSERT INTO rollup_pending VALUES ('2025-12-01', 'node', 99, 1, now())"),
    ])
    func aWrongLedgerIsNamed(table: String, damage: String) async throws {
        try await withRolledUp { fixture in
            try await fixture.pool.execute("\(unescaped: damage)")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(findings.contains { $0.table == table }, "\(findings)")
        }
    }

    @Test(arguments: ["artist", "event", "site"], ["hourly", "daily", "monthly"])
    func bytesThatCanNotBeDecodedAreNamedAndRebuilt(family: String, grain: String) async throws {
        try await withRolledUp { fixture in
            let before = try await fixture.dump()
            let table = "\(family)_traffic_\(grain)"
            try await fixture.pool.execute(
                """
                UPDATE \(unescaped: table) SET visitors = '\\x00'
                WHERE ctid = (SELECT min(ctid) FROM \(unescaped: table))
                """)
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(
                findings.count { $0.table == table && $0.difference.contains("can't be decoded") } == 1, "\(findings)")
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.dump() == before)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Of a day in the middle: the ledgers reach beyond it on both sides.
    @Test func someDaysOfTheLedgersAreCompared() async throws {
        try await withRolledUp { fixture in
            for day in ["2025-11-30", "2025-12-01", "2025-12-02", "2025-12-03", "2025-12-04", "2025-12-05"] {
                let day = Day(day)!
                #expect(try await fixture.rollup.verify(day...day).findings.isEmpty, "\(day)")
            }
            let start = ReportingCalendar.seoul.start(of: Day("2025-12-02")!)
            try await fixture.pool.execute("DELETE FROM session_slots WHERE slot >= \(start / SessionPiece.gapMs)")
            try await fixture.pool.execute("DELETE FROM message_ids WHERE minute >= \(start / 60_000)")
            let before = Day("2025-12-01")!
            #expect(try await fixture.rollup.verify(before...before).findings.isEmpty)
            let tables = Set(try await fixture.rollup.verify((before + 1)...(before + 1)).findings.map(\.table))
            #expect(tables == ["session_slots", "message_ids"])
        }
    }

    @Test func moreThanTheMostFindingsAreCut() async throws {
        try await withRolledUp { fixture in
            try await fixture.pool.execute(
                """
                INSERT INTO session_slots SELECT n, 1, '' FROM generate_series(1, \(Verify.maxFindings + 1)) n
                """)
            #expect(try await fixture.rollup.verify(nil).findings.count == Verify.maxFindings)
        }
    }

    @Test func whatIsMendedIsSilentAgain() async throws {
        try await withRolledUp { fixture in
            let before = try await fixture.dump()
            for table in RollupFixture.tables {
                let column =
                    table.hasPrefix("revenue")
                    ? "gross" : table == "event_booking_daily" ? "payments_without_visitor" : "beacons"
                try await fixture.pool.execute(
                    "UPDATE \(unescaped: table) SET \(unescaped: column) = \(unescaped: column) + 7")
            }
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty == false)
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.dump() == before)
        }
    }

    private func withRolledUp(_ body: (RollupFixture) async throws -> Void) async throws {
        var random = RandomBeacons(generator: SeededGenerator(seed: 7))
        let batches = random.batches(of: random.beacons(600))
        let start = random.start
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for (number, batch) in batches.enumerated() { try await fixture.store(batch, seq: Int64(number + 1)) }
            try await pool.withConnection { connection in
                for number in 0..<20 {
                    let message = Message(
                        id: "payment-\(number)", occurredAt: start + Int64(number) * 3_600_000,
                        body: .paymentCompleted(
                            PaymentCompleted(
                                paymentId: "p\(number)", eventId: "event_1", artistId: "artist_1", amount: 1000,
                                currency: number % 2 == 0 ? "KRW" : "USD", tickets: 2)))
                    _ = try MessageEffects.store([message], on: connection)
                }
            }
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            try await body(fixture)
        }
    }
}
