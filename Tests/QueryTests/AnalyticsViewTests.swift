import Core
import Storage
import TestSupport
import Testing

@testable import Query

/// The views for people with psql, Grafana or Metabase say what the API says.
@Suite struct AnalyticsViewTests {
    private let iu = TrafficSubject.artist("iu")

    @Test(arguments: [0, 1, 2, 127, 128, 129, 300, 2000, 8192, 20_000, 60_000])
    func visitorCountIsThatOfTheAPI(visitors: Int) async throws {
        let sketch = Lab.sketch(0..<visitors)
        try await withAnalyticsDatabase { _, pool in
            let count = try await pool.withConnection {
                try $0.query("SELECT visitor_count(\(sketch.bytes))")[0].get(0, as: Int64.self)
            }
            #expect(count == Int64(sketch.value))
        }
    }

    /// Registers that only a set far beyond all beacons can fill.
    @Test func fullSketchesHaveTheSameUpperLimit() async throws {
        var sketch = VisitorSketch()
        for register in 0..<UInt64(8192) { sketch.add(hash: register | 1 << 62) }
        for number in 0..<UInt64(200) { sketch.add(hash: number << 40 | number) }
        let bytes = sketch.bytes
        let value = Int64(sketch.value)
        try await withAnalyticsDatabase { _, pool in
            let count = try await pool.withConnection {
                try $0.query("SELECT visitor_count(\(bytes))")[0].get(0, as: Int64.self)
            }
            #expect(count == value)
        }
    }

    @Test(arguments: [false, true])
    func viewsSayWhatTheAPISays(withExtension: Bool) async throws {
        try await Lab.with { lab in
            try await lab.name(artist: "iu", "아이유")
            try await lab.name(event: "e1", "콘서트")
            if withExtension {
                try await lab.execute("CREATE EXTENSION hll")
                try await lab.execute("SELECT create_analytics_views()")
            }
            for (day, visitors) in [("2025-12-01", 0..<3000), ("2025-12-02", 0..<7), ("2025-12-03", 0..<0)] {
                try await lab.traffic(iu, .day, day, views: 10, seats: 2, sessions: 3, ms: 7499, visitors: visitors)
                try await lab.traffic(.site, .day, day, views: 20, sessions: 6, ms: 9501, visitors: visitors)
            }
            try await lab.traffic(iu, .hour, "2025-12-01T03:00:00Z", views: 4, visitors: 0..<1)
            try await lab.revenue(
                .day, "2025-12-01", gross: 330_000, refunds: 110_000, orders: 3, tickets: 4, refundedTickets: 1)
            let artist = try await lab.traffic(iu, "2025-12-01", "2025-12-03")
            let site = try await lab.traffic(.site, "2025-12-01", "2025-12-03")
            let money = try await lab.revenue("2025-12-01", "2025-12-01")
            try await lab.pool.withConnection { connection in
                let columns: SQL = "page_views, unique_visitors, avg_session_seconds, sessions"
                func numbers(_ rows: PostgresRows, from column: Int) throws -> [[Int64]] {
                    try rows.map { row in try (column..<column + 4).map { try row.get($0, as: Int64.self) } }
                }
                let days = try connection.query(
                    """
                    SELECT artist_name, \(sql: columns) FROM artist_traffic
                    WHERE granularity = 'day' AND artist_id = 'iu' ORDER BY bucket
                    """)
                #expect(try days[0].get(0, as: String.self) == "아이유")
                #expect(try numbers(days, from: 1) == artist.traffic.map { Self.numbers($0.numbers) })
                let dates = try connection.query(
                    "SELECT day FROM artist_traffic WHERE granularity = 'day' ORDER BY bucket")
                #expect(try dates[0].get(0, as: Day.self) == Day("2025-12-01"))
                let hours = try connection.query("SELECT day FROM artist_traffic WHERE granularity = 'hour'")
                #expect(try hours[0].get(0, as: Day?.self) == nil)
                let stats = try connection.query("SELECT day, \(sql: columns) FROM daily_stats ORDER BY day")
                #expect(try stats[0].get(0, as: Day.self) == Day("2025-12-01"))
                #expect(try numbers(stats, from: 1) == site.traffic.map { Self.numbers($0.numbers) })
                let revenue = try connection.query(
                    """
                    SELECT revenue, tickets_sold, refunds, avg_ticket_price, event_title FROM revenue_stats
                    WHERE granularity = 'day'
                    """)[0]
                let expected = money.data[0].numbers
                #expect(try revenue.get(0, as: Int64.self) == expected.revenue)
                #expect(try revenue.get(1, as: Int64.self) == expected.ticketsSold)
                #expect(try revenue.get(2, as: Int64.self) == expected.refunds)
                #expect(try revenue.get(3, as: Int64?.self) == expected.avgTicketPrice)
                #expect(try revenue.get(4, as: String.self) == "콘서트")
                let type = try connection.query("SELECT pg_typeof(uniques)::text FROM artist_traffic LIMIT 1")[0]
                #expect(try type.get(0, as: String.self) == (withExtension ? "hll" : "bytea"))
                if withExtension {
                    let union = try connection.query(
                        "SELECT hll_cardinality(hll_union_agg(uniques)) FROM artist_traffic WHERE granularity = 'day'")[
                            0]
                    #expect(Int64(try union.get(0, as: Double.self).rounded()) == artist.total.uniqueVisitors)
                }
            }
        }
    }

    @Test(arguments: [
        ("artist_traffic", "artist_traffic", "artist_id = 'id7'", "day"),
        ("artist_traffic", "artist_traffic", "artist_id = 'id7'", "month"),
        ("artist_traffic", "artist_traffic", "true", "day"),
        ("revenue_stats", "revenue", "currency = 'KRW'", "day"),
        ("revenue_stats", "revenue", "true", "month"),
    ])
    func daysAreFoundByAnIndex(_ view: String, _ table: String, _ whose: String, _ granularity: String) async throws {
        try await Lab.with { lab in
            for (suffix, column, step) in [("daily", "day", "1 day"), ("monthly", "month", "1 month")] {
                try await lab.execute(
                    """
                    INSERT INTO \(unescaped: "artist_traffic_\(suffix)")
                    SELECT 'id' || n, at, 1, 1, 2, 1, 1000, \(VisitorSketch().bytes) FROM generate_series(1, 50) n,
                        generate_series(DATE '2015-01-01', DATE '2025-12-01', INTERVAL '\(unescaped: step)') AS at
                    """)
                try await lab.execute(
                    """
                    INSERT INTO \(unescaped: "revenue_\(suffix)")
                    SELECT at, 'KRW', 'id' || n, 'e' || n, 10, 0, 1, 1, 0 FROM generate_series(1, 50) n,
                        generate_series(DATE '2015-01-01', DATE '2025-12-01', INTERVAL '\(unescaped: step)') AS at
                    """)
                for family in ["artist_traffic", "revenue"] {
                    try await lab.execute("ANALYZE \(unescaped: "\(family)_\(suffix)") (\(unescaped: column))")
                }
            }
            let plan = try await lab.pool.withConnection { connection in
                try connection.query(
                    """
                    EXPLAIN SELECT * FROM \(unescaped: view) WHERE granularity = \(granularity)
                    AND \(unescaped: whose) AND day BETWEEN '2025-11-01' AND '2025-12-01'
                    """
                ).map { try $0.get(0, as: String.self) }.joined(separator: "\n")
            }
            let name = "\(table)_\(granularity == "day" ? "daily" : "monthly")"
            #expect(plan.contains(name), "\(plan)")
            #expect(!plan.contains("Seq Scan on \(name) "), "\(plan)")
            #expect(plan.contains(try Regex("Index Cond: .*\(granularity) >= ")), "\(plan)")
            // Nothing of what has another granularity.
            #expect(!plan.contains("hourly"), "\(plan)")
        }
    }

    private static func numbers(_ numbers: TrafficNumbers) -> [Int64] {
        [numbers.pageViews, numbers.uniqueVisitors, numbers.avgSessionDuration, numbers.sessions]
    }
}
