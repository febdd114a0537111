import Core
import NIOCore
import Platform
import Storage

/// The real `tiketi serve query` over thirteen months of rollups.
struct QueryBench {
    static let connections = 64
    static let months = 13
    /// Days for which hours are there too, as far back as questions reach them.
    static let hourDays = 31
    static let eventsPerArtist = 2

    let seed: UInt64
    let artists: Int
    let seconds: Int

    func run(_ progress: (String) -> Void) async throws -> [BenchReport] {
        try await BenchStage.with { stage in
            progress("loading \(Self.months) months of rollups")
            let (today, first, rows) = try await load(stage)
            progress("asking")
            let token = try await DevEnvironment.token(Settings(environment: stage.settings)) ?? ""
            let period = "startDate=\(first)&endDate=\(today)&granularity"
            let dashboard = [Self.request("/api/analytics/dashboard", token)]
            let monthly = traffic("\(period)=monthly", token)
            let daily = traffic("\(period)=daily", token)
            let mixed = monthly.flatMap { [$0, dashboard[0]] }
            return try await stage.serving("query") { process, port in
                var report = BenchReport(
                    name: "query",
                    conditions:
                        "\(artists) artists × \(Self.months) months (\(grouped(rows)) rows of rollups), \(Self.connections) connections, a signed token each, nothing pending; the dashboard is found once a second for all; \(seconds) s"
                )
                for (what, requests) in [
                    ("dashboard and monthly traffic in turn", mixed), ("dashboard", dashboard),
                    ("artist traffic, 13 months monthly", monthly), ("artist traffic, 13 months daily", daily),
                ] {
                    let load = try await HTTPLoad(
                        port: port, connections: Self.connections, measured: .seconds(seconds), requests: requests
                    ).run()
                    guard load.refused == 0 else {
                        throw BenchProcess.Failed(description: "\(process.name) refused \(load.refused) requests")
                    }
                    report.figures += [
                        Figure(what, load.perSecond, "req/s", better: .higher, peers: Peers.requests),
                        Figure("  p50", load.latencies.milliseconds(0.5), "ms", better: .lower),
                        Figure(
                            "  p99", load.latencies.milliseconds(0.99), "ms", better: .lower, peers: Peers.requestP99),
                    ]
                }
                return [report]
            }
        }
    }

    private static func request(_ path: String, _ token: String) -> ByteBuffer {
        HTTPLoad.request("GET", path, headers: [("Authorization", "Bearer \(token)")])
    }

    private func traffic(_ query: String, _ token: String) -> [ByteBuffer] {
        (0..<artists).map { Self.request("/api/analytics/artist/artist-\(padded($0, 4))/traffic?\(query)", token) }
    }

    /// Fills the rollup tables with plausible rows.
    private func load(_ stage: BenchStage) async throws -> (today: Day, first: Day, rows: Int) {
        let calendar = try stage.calendar()
        let today = calendar.day(of: ProcessSettings.clock())
        // The first of the month twelve months ago.
        let first = Day("\(String("\(today - 365)".prefix(7)))-01")!
        let hours = PostgresTimestamp(ms: calendar.start(of: today - Self.hourDays))
        let now = PostgresTimestamp(ms: ReportingCalendar.startOfHour(ProcessSettings.clock()))
        var random = SplitMix64(seed: seed)
        let small = (0..<64).map { _ in Self.sketch(of: 6, &random) }
        let medium = (0..<64).map { _ in Self.sketch(of: 80, &random) }
        let large = (0..<16).map { _ in Self.sketch(of: 3000, &random) }
        let artists = artists
        let rows = try await stage.withPool { pool in
            try await pool.withConnection { connection in
                var rows = 0
                let families: [(name: String, count: Int)] = [
                    ("artist", artists), ("event", artists * Self.eventsPerArtist), ("site", 1),
                ]
                for (family, count) in families {
                    let entity: SQL =
                        family == "site"
                        ? "'all'" : "\(family) || '-' || lpad(e::text, \(Int32(family == "artist" ? 4 : 5)), '0')"
                    let isSite = family == "site"
                    for (grain, every, sketches) in [
                        ("hourly", "1 hour", isSite ? large : small), ("daily", "1 day", isSite ? large : medium),
                        ("monthly", "1 month", large),
                    ] {
                        let bucket: SQL =
                            grain == "hourly"
                            ? "generate_series(\(hours), \(now), '1 hour')"
                            : "generate_series(\(first)::timestamp, \(today)::timestamp, '\(unescaped: every)')"
                        let column: SQL = grain == "hourly" ? "b" : "b::date"
                        rows += try connection.execute(
                            """
                            INSERT INTO \(unescaped: "\(family)_traffic_\(grain)")
                            SELECT \(sql: entity), \(sql: column), 40 + e % 60, 4 + e % 6, 60 + e % 60, 20 + e % 30,
                                60000 * (20 + e % 30), (\(sketches)::bytea[])[1 + (e * 7 + row_number() OVER ()) % \(Int64(sketches.count))]
                            FROM generate_series(0, \(Int32(count - 1))) AS e, \(sql: bucket) AS b
                            """)
                    }
                }
                for (grain, every) in [("daily", "1 day"), ("monthly", "1 month")] {
                    rows += try connection.execute(
                        """
                        INSERT INTO \(unescaped: "revenue_\(grain)")
                        SELECT b::date, 'KRW', 'artist-' || lpad(e::text, 4, '0'), 'event-' || lpad(e::text, 5, '0'),
                            1100000, 110000, 10, 11, 1
                        FROM generate_series(0, \(Int32(artists - 1))) AS e,
                            generate_series(\(first)::timestamp, \(today)::timestamp, '\(unescaped: every)') AS b
                        """)
                }
                try connection.withStatementTimeout(.zero) { _ = try connection.execute("VACUUM ANALYZE") }
                return rows
            }
        }
        return (today, first, rows)
    }

    private static func sketch(of visitors: Int, _ random: inout SplitMix64) -> [UInt8] {
        var sketch = VisitorSketch()
        for _ in 0..<visitors { sketch.add(hash: random.next()) }
        return sketch.bytes
    }
}
