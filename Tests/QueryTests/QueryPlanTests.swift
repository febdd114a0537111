import Core
import Storage
import TestSupport
import Testing

@testable import Query

/// Every named statement finds its rows by an index, on tables large enough for a choice.
@Suite struct QueryPlanTests {
    private static let calendar = ReportingCalendar.seoul

    private func plan(
        _ start: String, _ end: String, _ granularity: Granularity = .daily, zone: String? = nil
    ) throws -> PeriodPlan {
        try PeriodPlan(
            Period(startDate: Day(start)!, endDate: Day(end)!, granularity: granularity, timeZone: zone),
            PeriodPlanTests.context)
    }

    /// 400 days to 2025-12-05 of 200 artists and events, 40 days of hours, and what belongs to it.
    private func fill(_ lab: Lab) async throws {
        let sketch = VisitorSketch().bytes
        for family in TrafficFamily.allCases {
            let ids: SQL =
                family == .site
                ? "(VALUES ('all')) AS ids(id)" : "(SELECT 'id' || n AS id FROM generate_series(1, 200) n) AS ids"
            // The site has one row a bucket: give it company, so that its tables have a size.
            let also: SQL = family == .site ? " UNION ALL SELECT 'x' || n FROM generate_series(1, 60) n" : ""
            for (grain, buckets) in [
                (.month, "generate_series(DATE '2023-01-01', DATE '2025-12-01', INTERVAL '1 month')"),
                (.day, "generate_series(DATE '2024-11-01', DATE '2025-12-05', INTERVAL '1 day')"),
                (.hour, "generate_series(TIMESTAMPTZ '2025-10-27Z', TIMESTAMPTZ '2025-12-05Z', INTERVAL '1 hour')"),
            ] as [(Grain, String)] {
                try await lab.execute(
                    """
                    INSERT INTO \(unescaped: family.table(grain))
                    SELECT id, at, 1, 1, 2, 1, 1000, \(sketch)
                    FROM (SELECT id FROM \(sql: ids)\(sql: also)) AS ids, \(unescaped: buckets) AS at
                    """)
            }
        }
        for (table, buckets) in [
            ("revenue_monthly", "generate_series(DATE '2015-01-01', DATE '2025-12-01', INTERVAL '1 month')"),
            ("revenue_daily", "generate_series(DATE '2024-11-01', DATE '2025-12-05', INTERVAL '1 day')"),
            (
                "revenue_hourly",
                "generate_series(TIMESTAMPTZ '2025-10-27Z', TIMESTAMPTZ '2025-12-05Z', INTERVAL '1 hour')"
            ),
        ] {
            try await lab.execute(
                """
                INSERT INTO \(unescaped: table)
                SELECT at, currency, 'id' || n, 'e' || n, 10, 0, 1, 1, 0
                FROM \(unescaped: buckets) AS at, generate_series(1, 50) n, (VALUES ('KRW'), ('USD')) AS c(currency)
                """)
        }
        try await lab.execute(
            """
            INSERT INTO revenue_ledger
            SELECT 'm' || n, 'payment', TIMESTAMPTZ '2025-12-05Z' - n * INTERVAL '1 minute', 'id' || n % 50, 'e', 'KRW', 'p', 1, 1, 1
            FROM generate_series(1, 100000) n
            """)
        try await lab.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            SELECT 'day', family, 'id' || n, at
            FROM generate_series(1, 200) n, (VALUES ('artist', DATE '2025-12-03'), ('site', DATE '2025-08-01')) f(family, first),
                generate_series(first, DATE '2025-12-05', INTERVAL '1 day') AS at
            """)
        try await lab.execute(
            """
            INSERT INTO pruned_days
            SELECT day, day AT TIME ZONE 'Asia/Seoul', (day + INTERVAL '1 day') AT TIME ZONE 'Asia/Seoul'
            FROM generate_series(TIMESTAMP '2015-01-01', TIMESTAMP '2023-10-31', INTERVAL '1 day') AS day
            """)
        try await lab.execute(
            """
            INSERT INTO reservation_states (reservation_id, event_id, artist_id, confirmed_at, canceled_at)
            SELECT 'r' || n, 'e', 'a', TIMESTAMPTZ '2025-12-05Z' - n * INTERVAL '10 minutes', NULL
            FROM generate_series(1, 50000) n
            """)
        try await lab.execute(
            "INSERT INTO artist_names SELECT 'id' || n, 'name', now() FROM generate_series(1, 20000) n")
        try await lab.execute(
            "INSERT INTO event_names SELECT 'id' || n, 'name', NULL, NULL, now() FROM generate_series(1, 20000) n")
        try await lab.execute(
            """
            INSERT INTO rollup_pending
            SELECT DATE '2025-12-05', 'n', n, 1, TIMESTAMPTZ '2025-12-05Z' + n * INTERVAL '1 ms' FROM generate_series(1, 20000) n
            """)
        for (table, id) in [("event_funnel_daily", "id"), ("event_booking_daily", "id")] {
            try await lab.execute(
                """
                INSERT INTO \(unescaped: table)
                SELECT \(id) || n, at, \(sketch), \(sketch)\(unescaped: table == "event_booking_daily" ? ", 0, 0" : "")
                FROM generate_series(1, 200) n, generate_series(DATE '2024-11-01', DATE '2025-12-05', INTERVAL '1 day') AS at
                """)
        }
        try await lab.execute(
            """
            INSERT INTO traffic_breakdown_daily
            SELECT CASE n WHEN 0 THEN '' ELSE 'id' || n END, at, dimension, CASE v WHEN 10 THEN 'remainder' ELSE 'value' END,
                CASE v WHEN 10 THEN '' ELSE 'v' || v END, 1, 1, \(sketch)
            FROM generate_series(0, 120) n, generate_series(DATE '2025-10-20', DATE '2025-12-05', INTERVAL '1 day') AS at,
                (VALUES ('path'), ('country')) AS d (dimension), generate_series(1, 10) AS v
            """)
        try await lab.execute(
            "INSERT INTO detail_dirty (day) SELECT DATE '2000-01-01' + n FROM generate_series(1, 9000) n")
        try await lab.execute(
            "INSERT INTO dropped_event_days (day) SELECT DATE '2000-01-01' + n FROM generate_series(1, 9000) n")
        for day in 0..<4 { try await lab.execute("SELECT ensure_events_partition(\(Day("2025-12-02")! + day))") }
        try await lab.execute(
            """
            INSERT INTO analytics_events (received_day, node, seq, last_seq, received_at, min_time, max_time, beacons,
                schema_version, crc, payload)
            SELECT at::date, 'n', n, n, at, at, at + INTERVAL '1 minute', 1, 1, 0, ''
            FROM generate_series(DATE '2025-12-02', DATE '2025-12-05', INTERVAL '1 day') AS at, generate_series(1, 5000) n
            """)
        try await lab.execute(
            """
            INSERT INTO rollup_folded (received_day, node, seq, fold_seq)
            SELECT at::date, 'n', n, (at::date - DATE '2025-12-02') * 5000 + n
            FROM generate_series(DATE '2025-12-02', DATE '2025-12-05', INTERVAL '1 day') AS at, generate_series(1, 5000) n
            """)
        try await lab.execute("ANALYZE")
    }

    private static let behind = DetailQueries.Behind(
        days: Day("2025-12-05")!...Day("2025-12-05")!, firstFold: 19_990,
        markedAt: PostgresTimestamp(ms: Instant.parse("2025-12-05T10:20:00Z")!))

    private func statements() throws -> [(name: String, sql: SQL, indexes: [String])] {
        let daily = try plan("2025-11-06", "2025-12-05")
        let today = Self.calendar.range(of: Day("2025-12-05")!)
        let monthly = try plan("2025-01-15", "2025-12-05", .monthly)
        let hourly = try plan("2025-12-01", "2025-12-03", zone: "UTC")
        var dirtyMonths = DirtyBuckets()
        dirtyMonths = DirtyBuckets(
            months: [Day("2025-03-01")!], days: [Day("2025-12-04")!, Day("2025-12-05")!],
            hours: [Instant.parse("2025-12-04T20:00:00Z")!], Self.calendar)
        var statements: [(String, SQL, [String])] = []
        for family in TrafficFamily.allCases {
            let id = family == .site ? "all" : "id7"
            statements += [
                (
                    "traffic \(family) by days",
                    TrafficQueries.rows(family, id, Cover(daily, dirty: DirtyBuckets())),
                    ["\(family)_traffic_daily_pkey"]
                ),
                (
                    "traffic \(family) by months, days and hours",
                    TrafficQueries.rows(family, id, Cover(monthly, dirty: dirtyMonths)),
                    ["\(family)_traffic_monthly_pkey", "\(family)_traffic_daily_pkey", "\(family)_traffic_hourly_pkey"]
                ),
                (
                    "traffic \(family) by hours", TrafficQueries.rows(family, id, Cover(hourly, dirty: DirtyBuckets())),
                    ["\(family)_traffic_hourly_pkey"]
                ),
            ]
        }
        statements += [
            ("dirty of one", DirtyQueries.buckets(family: "artist", entity: "id7", of: daily), ["rollup_dirty_pkey"]),
            ("dirty of all", DirtyQueries.buckets(family: "artist", of: daily), ["rollup_dirty_pkey"]),
            ("hours kept", DirtyQueries.hoursKept(daily), ["pruned_days_pkey"]),
            ("dirty of revenue", DirtyQueries.buckets(family: "revenue", entity: "", of: daily), ["rollup_dirty_pkey"]),
            ("names", NameQueries.names(.artist, ["id1", "id2"]), ["artist_names_pkey"]),
            ("titles", NameQueries.names(.event, ["id1", "id2"]), ["event_names_pkey"]),
            ("frontier", FreshnessQueries.frontier, ["rollup_pending_received_at"]),
            (
                "reservations of one",
                FunnelQueries.reservations(
                    daily.buckets.enumerated().map { (Int32($0.offset), $0.element.instants) }, eventID: "e"),
                ["reservation_states_confirmed_at"]
            ),
            (
                "bookings", BookingQueries.latest(before: PeriodPlanTests.context.now, limit: 10),
                ["revenue_ledger_occurred_at", "artist_names_pkey", "event_names_pkey"]
            ),
            ("viewers", FunnelQueries.viewers(daily.days, eventID: "id7"), ["event_funnel_daily_pkey"]),
            (
                "bookers", FunnelQueries.bookers(daily.days, except: [Day("2025-12-05")!], eventID: "id7"),
                ["event_booking_daily_pkey"]
            ),
            (
                "bookings", FunnelQueries.bookings([(0, daily.end - 86_400_000..<daily.end)], eventID: "e"),
                ["reservation_states_confirmed_at", "revenue_ledger_occurred_at"]
            ),
            ("stale details", DetailQueries.marks(daily.days), ["detail_dirty_pkey"]),
            (
                "folded since", DetailQueries.batchesSince(Self.behind, today),
                ["rollup_folded_fold_seq", "rollup_folded_compacted_at", "_pkey"]
            ),
            (
                "beacons folded since", DetailQueries.addedSince(Self.behind, today),
                ["rollup_folded_fold_seq", "rollup_folded_compacted_at", "_pkey"]
            ),
            ("last dropped", BreakdownQueries.lastDropped, ["dropped_event_days_pkey"]),
            (
                "cut days", BreakdownQueries.cutDays("id7", .path, .pageViews, daily.days),
                ["traffic_breakdown_daily_pkey"]
            ),
            (
                "page views by value", BreakdownQueries.pageViews("id7", .path, [daily.days]),
                ["traffic_breakdown_daily_pkey"]
            ),
            (
                "page views by value of the site", BreakdownQueries.pageViews(nil, .path, [daily.days]),
                ["traffic_breakdown_daily_pkey"]
            ),
            (
                "visitors by value", BreakdownQueries.sketches(nil, .path, [daily.days]),
                ["traffic_breakdown_daily_pkey"]
            ),
            ("reservations", FunnelQueries.reservations(daily.start..<daily.end), ["reservation_states_confirmed_at"]),
        ]
        var parts = RevenueQueries.Parts()
        for (index, bucket) in monthly.buckets.enumerated() {
            parts.append(
                Cover(bucket, from: .calendarTables, isMonthly: true, tailDay: nil, dirty: dirtyMonths, Self.calendar),
                to: index)
        }
        let namesIndex = ["artist_names_pkey"]
        let revenueIndexes = ["revenue_monthly", "revenue_daily", "revenue_hourly", "revenue_ledger_occurred_at"]
        statements += [
            ("revenue", RevenueQueries.buckets(parts, currency: "KRW", artistID: nil), revenueIndexes + namesIndex),
            (
                "revenue of one", RevenueQueries.buckets(parts, currency: "KRW", artistID: "id7"),
                revenueIndexes + namesIndex
            ),
            ("revenue in all currencies", RevenueQueries.totals(parts, currencies: ["KRW", "USD"]), revenueIndexes),
            ("currencies", RevenueQueries.currencies, ["revenue_hourly_pkey"]),
            ("top by revenue", RevenueQueries.top(parts, by: .event, currency: "KRW", limit: 10), revenueIndexes),
        ]
        for family in [TrafficFamily.artist, .event] {
            let prefix = "\(family)_traffic_"
            let top = TopPlan(try plan("2025-10-15", "2025-12-05"), dirty: dirtyMonths)
            statements += [
                (
                    "top \(family) by days",
                    TopQueries.ranked(
                        family, .pageViews, TopPlan(daily, dirty: DirtyBuckets()), limit: 10, Self.calendar),
                    [prefix + "daily_day"]
                ),
                (
                    "top \(family)", TopQueries.ranked(family, .sessions, top, limit: 10, Self.calendar),
                    [prefix + "monthly_month", prefix + "daily_day", prefix + "hourly_pkey"]
                ),
                (
                    "sketches \(family)", TopQueries.sketches(family, top, Self.calendar),
                    [prefix + "monthly_month", prefix + "daily_day", prefix + "hourly_pkey"]
                ),
                (
                    "top \(family) by hours",
                    TopQueries.ranked(
                        family, .pageViews, TopPlan(hourly, dirty: DirtyBuckets()), limit: 10, Self.calendar),
                    [prefix + "hourly_hour"]
                ),
            ]
        }
        return statements
    }

    @Test func statementsUseTheirIndexes() async throws {
        try await Lab.with { lab in
            try await fill(lab)
            let statements = try statements()
            try await lab.pool.withConnection { connection in
                for (name, sql, indexes) in statements {
                    let plan = try connection.query("EXPLAIN \(sql: sql)").map { try $0.get(0, as: String.self) }
                        .joined(separator: "\n")
                    for index in indexes { #expect(plan.contains(index), "\(name): \(index)\n\(plan)") }
                    // Tables of few rows: which spools there are, and the batches that an operator must look at.
                    for line in plan.split(separator: "\n") where line.contains("Seq Scan on") {
                        #expect(line.contains(/spool_positions|damaged_batches/), "\(name)\n\(plan)")
                    }
                }
            }
        }
    }

    /// As they run: prepared, and planned without their values from the sixth time on.
    @Test func statementsThatRunOftenReadNoTableAsAWhole() async throws {
        try await Lab.with { lab in
            try await fill(lab)
            let statements = try statements()
            try await lab.pool.withConnection { connection in
                func scanned() throws -> [String: Int64] {
                    _ = try connection.query("SELECT pg_stat_force_next_flush()")
                    _ = try connection.query("SELECT pg_stat_clear_snapshot()")
                    var rows: [String: Int64] = [:]
                    for row in try connection.query("SELECT relname::text, seq_tup_read FROM pg_stat_user_tables") {
                        rows[try row.get(0)] = try row.get(1)
                    }
                    rows["spool_positions"] = nil
                    return rows
                }
                var before = try scanned()
                for (name, sql, _) in statements {
                    for _ in 0..<8 { _ = try connection.query(sql) }
                    let after = try scanned()
                    for (table, count) in after where count != before[table] {
                        Issue.record("\(name) read \(count - before[table, default: 0]) rows of \(table) in sequence")
                    }
                    before = after
                }
            }
        }
    }

    @Test func scansSkipPartitionsOfReceiptBeforeTheRange() async throws {
        try await Lab.with { lab in
            for offset in 0..<6 {
                try await lab.execute("SELECT ensure_events_partition(\(Day("2025-12-01")! + offset))")
            }
            let start = Instant.parse("2025-12-04T00:00:00Z")!
            let batches = BatchQueries.folded(start..<start + 3_600_000)
            let plan = try await lab.pool.withConnection { connection in
                try connection.query("EXPLAIN \(sql: batches)").map { try $0.get(0, as: String.self) }.joined(
                    separator: "\n")
            }
            for day in ["20251203", "20251204", "20251205", "20251206"] {
                #expect(plan.contains("analytics_events_\(day)"), "\(plan)")
            }
            let page = BatchQueries.page(
                start..<start + 3_600_000, after: .init(day: Day("2025-12-05")!, node: "n", seq: 1, lastSeq: 1),
                through: 1, limit: 9)
            let pagePlan = try await lab.pool.withConnection { connection in
                try connection.query("EXPLAIN \(sql: page)").map { try $0.get(0, as: String.self) }.joined(
                    separator: "\n")
            }
            #expect(pagePlan.contains("analytics_events_20251205"), "\(pagePlan)")
            #expect(!pagePlan.contains("analytics_events_20251204"), "\(pagePlan)")
            let wanted = BatchQueries.payloads(
                (1...9).map { .init(day: Day("2025-12-05")!, node: "n", seq: $0, lastSeq: $0) })
            let wantedPlan = try await lab.pool.withConnection { connection in
                try connection.query("EXPLAIN \(sql: wanted)").map { try $0.get(0, as: String.self) }.joined(
                    separator: "\n")
            }
            #expect(wantedPlan.contains("analytics_events_20251205"), "\(wantedPlan)")
            for day in ["20251204", "20251206"] {
                #expect(!wantedPlan.contains("analytics_events_\(day)"), "\(wantedPlan)")
            }
            for day in ["20251201", "20251202"] {
                #expect(!plan.contains("analytics_events_\(day)"), "\(plan)")
            }
        }
    }

    /// A page's batches are found one by one, however many there are beside them.
    @Test func wantedBatchesAreFoundByTheirKeys() async throws {
        try await Lab.with { lab in
            let day = Day("2025-12-04")!
            for offset in 0..<2 { try await lab.execute("SELECT ensure_events_partition(\(day + offset))") }
            try await lab.execute(
                """
                INSERT INTO analytics_events
                    (received_day, node, seq, last_seq, received_at, min_time, max_time, beacons, schema_version, crc, payload)
                SELECT day, 'n', n, n, now(), now(), now(), 1, 1, 0, repeat('x', 200)::bytea
                FROM unnest(\([day, day + 1])) AS day, generate_series(1, 5000) n
                """)
            try await lab.execute(
                "INSERT INTO rollup_folded SELECT received_day, node, seq, 1 FROM analytics_events")
            try await lab.execute("ANALYZE")
            let wanted = (0..<20).map { number in
                BatchQueries.Position(
                    day: day + number / 10, node: "n", seq: Int64(number * 9 + 1), lastSeq: Int64(number * 9 + 1))
            }
            let plan = try await lab.pool.withConnection { connection in
                try connection.query("EXPLAIN \(sql: BatchQueries.payloads(wanted))").map {
                    try $0.get(0, as: String.self)
                }.joined(separator: "\n")
            }
            #expect(plan.contains("_pkey"), "\(plan)")
            #expect(!plan.contains("Seq Scan"), "\(plan)")
        }
    }
}
