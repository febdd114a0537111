import Core
import Storage

/// Derives revenue hours from the ledger, days from hours and months from days, whole buckets at a time.
enum DeriveRevenue {
    static let family = "revenue"
    static let maxHours = 500

    /// Derives up to `maxHours` dirty hours, and marks their days; returns how many there were.
    static func hours(calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Int {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let hours = try DirtyLedger.takeHours(of: family, limit: maxHours, on: connection)
            guard !hours.isEmpty else { return 0 }
            try connection.execute("DELETE FROM revenue_hourly WHERE hour = ANY(\(hours))")
            try connection.execute(
                """
                INSERT INTO revenue_hourly
                    (hour, currency, artist_id, event_id, gross, refunds, orders, tickets, refunded_tickets)
                SELECT k.hour, l.currency, l.artist_id, l.event_id, \(unescaped: ledgerSums)
                FROM unnest(\(hours)) AS k (hour)
                JOIN revenue_ledger l ON l.occurred_at >= k.hour AND l.occurred_at < k.hour + interval '1 hour'
                GROUP BY k.hour, l.currency, l.artist_id, l.event_id
                """)
            let days = Set(hours.map { calendar.day(of: $0.ms) })
            try DirtyLedger.mark(
                days.map { .init(family: family, entity: "", bucket: $0) }, .day, on: connection)
            return hours.count
        }
    }

    /// How ledger rows add up: refunds are their negative amounts.
    static let ledgerSums = """
        coalesce(sum(l.amount) FILTER (WHERE l.kind = 'payment'), 0)::bigint,
        coalesce(-sum(l.amount) FILTER (WHERE l.kind = 'refund'), 0)::bigint,
        sum(l.orders)::bigint,
        coalesce(sum(l.tickets) FILTER (WHERE l.kind = 'payment'), 0)::bigint,
        coalesce(-sum(l.tickets) FILTER (WHERE l.kind = 'refund'), 0)::bigint
        """

    static func days(_ days: [Day], calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        guard !days.isEmpty else { return }
        let ranges = days.map { calendar.range(of: $0) }
        try connection.execute("DELETE FROM revenue_daily WHERE day = ANY(\(days))")
        try connection.execute(
            """
            INSERT INTO revenue_daily
                (day, currency, artist_id, event_id, gross, refunds, orders, tickets, refunded_tickets)
            SELECT k.day, t.currency, t.artist_id, t.event_id, \(unescaped: partSums)
            FROM unnest(\(days), \(ranges.map { PostgresTimestamp(ms: $0.lowerBound) }),
                \(ranges.map { PostgresTimestamp(ms: $0.upperBound) })) AS k (day, lower, upper)
            JOIN revenue_hourly t ON t.hour >= k.lower AND t.hour < k.upper
            GROUP BY k.day, t.currency, t.artist_id, t.event_id
            """)
    }

    static func months(_ months: [Day], on connection: PostgresConnection) throws {
        guard !months.isEmpty else { return }
        try connection.execute("DELETE FROM revenue_monthly WHERE month = ANY(\(months))")
        try connection.execute(
            """
            INSERT INTO revenue_monthly
                (month, currency, artist_id, event_id, gross, refunds, orders, tickets, refunded_tickets)
            SELECT k.month, t.currency, t.artist_id, t.event_id, \(unescaped: partSums)
            FROM unnest(\(months), \(months.map(\.firstOfNextMonth))) AS k (month, upper)
            JOIN revenue_daily t ON t.day >= k.month AND t.day < k.upper
            GROUP BY k.month, t.currency, t.artist_id, t.event_id
            """)
    }

    private static let partSums = """
        sum(t.gross)::bigint, sum(t.refunds)::bigint, sum(t.orders)::bigint, sum(t.tickets)::bigint,
        sum(t.refunded_tickets)::bigint
        """
}
