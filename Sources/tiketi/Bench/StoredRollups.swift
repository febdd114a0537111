import Core
import Storage

/// Rollup tables filled with plausible rows.
struct StoredRollups {
    static let months = 13
    /// Days for which hours are there too, as far back as questions reach them.
    static let hourDays = 31
    static let eventsPerArtist = 2

    let seed: UInt64
    let artists: Int

    /// Returns the last and the first day, and how many rows there are.
    func store(_ stage: BenchStage) async throws -> (today: Day, first: Day, rows: Int) {
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
                // Some insert millions of rows.
                try connection.withStatementTimeout(.zero) {
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
                    try connection.execute("VACUUM ANALYZE")
                    return rows
                }
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
