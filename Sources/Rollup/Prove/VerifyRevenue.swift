import Core
import Storage

/// Compares the revenue ledger with its hours, hours with days and days with months.
enum VerifyRevenue {
    static func compare(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let days = range ?? Day(daysSince1970: -700_000)...Day(daysSince1970: 1_000_000)
        let lower = PostgresTimestamp(ms: calendar.start(of: days.lowerBound))
        let upper = PostgresTimestamp(ms: calendar.start(of: days.upperBound + 1))
        try add(
            "revenue_hourly",
            """
            SELECT date_trunc('hour', l.occurred_at) AS bucket, l.currency, l.artist_id, l.event_id,
                \(unescaped: DeriveRevenue.ledgerSums)
            FROM revenue_ledger l WHERE l.occurred_at >= \(lower) AND l.occurred_at < \(upper)
            GROUP BY 1, 2, 3, 4
            """,
            """
            SELECT hour AS bucket, currency, artist_id, event_id, gross, refunds, orders, tickets, refunded_tickets
            FROM revenue_hourly WHERE hour >= \(lower) AND hour < \(upper)
            """,
            except: "SELECT bucket FROM rollup_dirty WHERE grain = 'hour' AND family = 'revenue'",
            into: &report, on: connection)
        let zone = calendar.identifier
        try add(
            "revenue_daily",
            """
            SELECT (hour AT TIME ZONE \(zone))::date::timestamptz AS bucket, currency, artist_id, event_id,
                \(unescaped: sums)
            FROM revenue_hourly WHERE hour >= \(lower) AND hour < \(upper) GROUP BY 1, 2, 3, 4
            """,
            """
            SELECT day::timestamptz AS bucket, currency, artist_id, event_id, gross, refunds, orders, tickets,
                refunded_tickets
            FROM revenue_daily WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)
            """,
            except: """
                SELECT bucket FROM rollup_dirty WHERE grain = 'day' AND family = 'revenue' UNION ALL
                SELECT (bucket AT TIME ZONE \(zone))::date::timestamptz FROM rollup_dirty
                WHERE grain = 'hour' AND family = 'revenue'
                """,
            into: &report, on: connection)
        let firstMonth = days.lowerBound.firstOfMonth
        let lastMonth = days.upperBound.firstOfNextMonth
        try add(
            "revenue_monthly",
            """
            SELECT date_trunc('month', day)::date::timestamptz AS bucket, currency, artist_id, event_id,
                \(unescaped: sums)
            FROM revenue_daily WHERE day >= \(firstMonth) AND day < \(lastMonth) GROUP BY 1, 2, 3, 4
            """,
            """
            SELECT month::timestamptz AS bucket, currency, artist_id, event_id, gross, refunds, orders, tickets,
                refunded_tickets
            FROM revenue_monthly WHERE month >= \(firstMonth) AND month < \(lastMonth)
            """,
            except: """
                SELECT date_trunc('month', bucket) FROM rollup_dirty WHERE family = 'revenue' AND grain <> 'hour'
                """,
            into: &report, on: connection)
    }

    private static let sums = """
        sum(gross)::bigint, sum(refunds)::bigint, sum(orders)::bigint, sum(tickets)::bigint,
        sum(refunded_tickets)::bigint
        """

    private static func add(
        _ table: String, _ wanted: SQL, _ stored: SQL, except dirty: SQL, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let rows = try connection.query(
            """
            WITH wanted AS (\(sql: wanted)), stored AS (\(sql: stored)), differing AS (
                (TABLE wanted EXCEPT TABLE stored) UNION (TABLE stored EXCEPT TABLE wanted))
            SELECT DISTINCT bucket, currency, artist_id, event_id FROM differing
            WHERE bucket NOT IN (\(sql: dirty)) ORDER BY 1, 2, 3, 4 LIMIT \(Verify.maxFindings)
            """)
        for row in rows {
            let bucket = try row.get(0, as: PostgresTimestamp.self).ms
            let entity = try (1...3).map { try row.get($0, as: String.self) }.joined(separator: " ")
            report.add(table, entity, Instant.iso8601(bucket), "differs from what it is derived from")
        }
    }
}
