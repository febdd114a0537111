import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Money: refunds in the bucket of the refund, currencies apart, and no message lost to a run that derives its hour.
@Suite struct RevenueTests {
    @Test func refundsCountWhereTheyAreCompletedAndCurrenciesAreNeverSummed() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.pay("m1", at: "2025-11-30T23:59:59+09:00", 100_000, tickets: 1)
            try await fixture.pay("m2", at: "2025-12-01T00:00:00+09:00", 50_000, tickets: 2)
            try await fixture.pay("m3", at: "2025-12-01T00:30:00+09:00", 50_000, tickets: 3)
            try await fixture.pay("m4", at: "2025-12-01T00:45:00+09:00", 1234, "USD", tickets: 1)
            try await fixture.refund("m5", at: "2025-12-31T23:59:59.999+09:00", 50_000, tickets: 2)
            try await fixture.refund("m6", at: "2026-01-01T00:00:00+09:00", 20_000, tickets: 1)
            _ = try await fixture.rollup.run()
            #expect(
                try await fixture.money("hourly") == [
                    "2025-11-30 14:00:00+00 KRW 100000 0 1 1 0", "2025-11-30 15:00:00+00 KRW 100000 0 2 5 0",
                    "2025-11-30 15:00:00+00 USD 1234 0 1 1 0", "2025-12-31 14:00:00+00 KRW 0 50000 0 0 2",
                    "2025-12-31 15:00:00+00 KRW 0 20000 0 0 1",
                ])
            #expect(
                try await fixture.money("daily") == [
                    "2025-11-30 KRW 100000 0 1 1 0", "2025-12-01 KRW 100000 0 2 5 0", "2025-12-01 USD 1234 0 1 1 0",
                    "2025-12-31 KRW 0 50000 0 0 2", "2026-01-01 KRW 0 20000 0 0 1",
                ])
            #expect(
                try await fixture.money("monthly") == [
                    "2025-11-01 KRW 100000 0 1 1 0", "2025-12-01 KRW 100000 50000 2 5 2",
                    "2025-12-01 USD 1234 0 1 1 0", "2026-01-01 KRW 0 20000 0 0 1",
                ])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// The run has taken the hour's mark and is about to read the ledger when the message comes.
    @Test func aMessageThatComesWhileItsHourIsDerivedIsNotLost() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.pay("m1", at: "2025-12-01T12:10:00+09:00", 1000, tickets: 1)
            let (deriving, paying) = try await holding(["LOCK TABLE revenue_hourly"], on: pool) {
                let deriving = Task { try await fixture.rollup.deriveAll() }
                try await pool.untilWaiting(1)
                let paying = Task { try await fixture.pay("m2", at: "2025-12-01T12:20:00+09:00", 500, tickets: 1) }
                // The message waits for the mark that the run has taken.
                try await pool.untilWaiting(2)
                return (deriving, paying)
            }
            _ = try await (deriving.value, paying.value)
            #expect(try await pool.count("SELECT count(*) FROM revenue_ledger") == 2)
            _ = try await fixture.rollup.deriveAll()
            #expect(try await fixture.money("daily") == ["2025-12-01 KRW 1500 0 2 2 0"])
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// The message is stored and not committed when the run comes by: it leaves the hour to the next run.
    @Test func anUncommittedMessageKeepsItsHourDirty() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.pay("m1", at: "2025-12-01T12:10:00+09:00", 1000, tickets: 1)
            try await holding(
                [
                    """
                    INSERT INTO revenue_ledger VALUES
                        ('m2', 'payment', '2025-12-01T12:20:00+09:00', 'artist_1', 'event_1', 'KRW', 'p2', 1, 1, 500)
                    """,
                    "UPDATE rollup_dirty SET marked_at = now()",
                ], on: pool
            ) {
                let derived = try await fixture.rollup.deriveAll()
                #expect(derived == 0)
            }
            #expect(try await fixture.money("daily").isEmpty)
            _ = try await fixture.rollup.deriveAll()
            #expect(try await fixture.money("daily") == ["2025-12-01 KRW 1500 0 2 2 0"])
        }
    }

    @Test func moreHoursThanOneTransactionTakesAreAllDerived() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            let count = DeriveRevenue.maxHours + 20
            try await pool.withConnection { connection in
                try connection.transaction { connection in
                    for number in 0..<count {
                        let message = Message(
                            id: "m\(number)", occurredAt: 1_764_514_800_000 + Int64(number) * 3_600_000,
                            body: .paymentCompleted(
                                PaymentCompleted(
                                    paymentId: "p", eventId: "e", artistId: "a", amount: 1, currency: "KRW",
                                    tickets: 1)))
                        _ = try MessageEffects.store([message], on: connection)
                    }
                }
            }
            _ = try await fixture.rollup.deriveAll()
            #expect(try await pool.count("SELECT sum(gross)::bigint FROM revenue_daily") == Int64(count))
            #expect(try await pool.count("SELECT count(*) FROM rollup_dirty") == 0)
        }
    }

    /// Under the lock that folding waits for.
    @Test func derivingReadsNoTableWhole() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await pool.execute(
                """
                INSERT INTO revenue_ledger
                SELECT n::text, 'payment', '2024-12-01T00:00Z'::timestamptz + n * interval '20 minutes', 'a' || n % 10, 'e', 'KRW',
                    'p', 1, 1, 1
                FROM generate_series(1, 26000) n
                """)
            _ = try await fixture.rollup.rebuild(nil)
            try await pool.execute(
                "INSERT INTO rollup_dirty (grain, family, entity, bucket) SELECT DISTINCT 'hour', 'revenue', '', "
                    + "date_trunc('hour', occurred_at) FROM revenue_ledger ON CONFLICT DO NOTHING")
            _ = try await fixture.rollup.deriveAll()
            for table in ["ledger", "hourly", "daily", "monthly"] {
                try await pool.execute("ANALYZE revenue_\(unescaped: table)")
            }
            let tables = "'revenue_ledger', 'revenue_hourly', 'revenue_daily'"
            @Sendable func scans(_ connection: PostgresConnection) throws -> [String] {
                _ = try connection.query("SELECT pg_stat_force_next_flush()")
                return try connection.query(
                    """
                    SELECT relname || ' ' || seq_scan FROM pg_stat_user_tables WHERE relname IN (\(unescaped: tables))
                    ORDER BY 1
                    """
                ).map { try $0.get(0) }
            }
            let (before, after) = try await pool.withConnection { connection in
                let before = try scans(connection)
                // More often than a plan is made for its values.
                for hour in 0..<8 {
                    try connection.execute(
                        """
                        INSERT INTO rollup_dirty (grain, family, entity, bucket)
                        VALUES ('hour', 'revenue', '', '2025-06-01T00:00Z'::timestamptz + \(hour) * interval '1 hour')
                        """)
                    #expect(try DeriveRevenue.hours(calendar: .seoul, on: connection) == 1)
                    #expect(try DeriveTraffic.days(calendar: .seoul, on: connection).derived > 0)
                    #expect(try DeriveTraffic.months(calendar: .seoul, on: connection).derived > 0)
                }
                return (before, try scans(connection))
            }
            #expect(before == after)
        }
    }
}

extension RollupFixture {
    func pay(_ id: String, at: String, _ amount: Int64, _ currency: String = "KRW", tickets: Int64) async throws {
        try await store(
            Message(
                id: id, occurredAt: Instant.parse(at)!,
                body: .paymentCompleted(
                    PaymentCompleted(
                        paymentId: id, eventId: "event_1", artistId: "artist_1", amount: amount, currency: currency,
                        tickets: tickets))))
    }

    func refund(_ id: String, at: String, _ amount: Int64, tickets: Int64) async throws {
        try await store(
            Message(
                id: id, occurredAt: Instant.parse(at)!,
                body: .paymentRefunded(
                    PaymentRefunded(
                        refundId: id, paymentId: "p", eventId: "event_1", artistId: "artist_1", amount: amount,
                        currency: "KRW", tickets: tickets))))
    }

    private func store(_ message: Message) async throws {
        try await pool.withConnection { connection in
            _ = try connection.transaction { try MessageEffects.store([message], on: $0) }
        }
    }

    /// `bucket currency gross refunds orders tickets refunded_tickets`, a line for each row.
    func money(_ grain: String) async throws -> [String] {
        let bucket = ["hourly": "hour", "daily": "day", "monthly": "month"][grain]!
        return try await pool.withConnection { connection in
            try connection.query(
                """
                SELECT concat_ws(' ', \(unescaped: bucket), currency, gross, refunds, orders, tickets, refunded_tickets)
                FROM revenue_\(unescaped: grain) ORDER BY \(unescaped: bucket), currency
                """
            ).map { try $0.get(0) }
        }
    }
}
