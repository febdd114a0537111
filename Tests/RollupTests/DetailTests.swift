import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Breakdowns and funnels by day, against a model that counts one beacon after the other.
@Suite struct DetailTests {
    private struct Model {
        struct List: Hashable {
            var artist: String
            var dimension: Dimension
        }

        var values: [List: [String?: [Beacon]]] = [:]
        var funnels: [String: (viewers: VisitorSketch, seats: VisitorSketch)] = [:]

        mutating func add(_ beacon: Beacon) {
            for artist in [beacon[.artistId], Breakdown.siteEntity.string].compactMap({ $0 }) {
                for dimension in Dimension.allCases {
                    let value = dimension.value(beacon[dimension.column])
                    values[List(artist: artist, dimension: dimension), default: [:]][value, default: []].append(beacon)
                }
            }
            let type = beacon[.eventType]
            guard let event = beacon[.eventId], type == "page_view" || type == "seat_view",
                let visitor = Self.visitor(beacon)
            else { return }
            funnels[event, default: (VisitorSketch(), VisitorSketch())].viewers.add(hash: visitor)
            if type == "seat_view" { funnels[event]!.seats.add(hash: visitor) }
        }

        static func visitor(_ beacon: Beacon) -> UInt64? {
            (beacon[.visitorId] ?? beacon[.sessionId] ?? beacon[.clientHash]).map { Murmur3.hash64($0) }
        }

        func rows(maxValues: Int, maxSiteValues: Int) -> [BreakdownRows.Key: BreakdownRows.Row] {
            var rows: [BreakdownRows.Key: BreakdownRows.Row] = [:]
            for (list, values) in values {
                let chosen = values.compactMap { value, beacons in
                    value.map {
                        Breakdown.Chosen(
                            value: Murmur3.hash64($0),
                            pageViews: Int64(beacons.count { $0[.eventType] == "page_view" }),
                            beacons: Int64(beacons.count))
                    }
                }.sorted(by: Breakdown.Chosen.isBetter).prefix(list.artist.isEmpty ? maxSiteValues : maxValues).map(
                    \.value)
                for (value, beacons) in values {
                    let kind =
                        value == nil ? "missing" : chosen.contains(Murmur3.hash64(value!)) ? "value" : "remainder"
                    let key = BreakdownRows.Key(
                        artist: ExactText(list.artist), dimension: list.dimension.name, kind: kind,
                        value: ExactText(kind == "value" ? value! : ""))
                    for beacon in beacons {
                        rows[key, default: .init()].beacons += 1
                        rows[key]!.pageViews += beacon[.eventType] == "page_view" ? 1 : 0
                        if let visitor = Self.visitor(beacon) { rows[key]!.visitors.add(hash: visitor) }
                    }
                }
            }
            return rows
        }
    }

    private static let day = Day("2025-12-01")!

    /// Two days around midnight in Seoul, with few and many values, with repeats, and with beacons of nobody.
    private func beacons(_ count: Int, _ random: inout SeededGenerator) -> [Beacon] {
        let start = ReportingCalendar.seoul.start(of: Self.day) - 3_600_000
        return (0..<count).map { number in
            let instant = start + Int64.random(in: 0..<26 * 3_600_000, using: &random)
            var beacon = Beacon.at(Instant.iso8601(instant), message: "m\(number)")
            beacon[.artistId] = ["a", "b", "c", nil].randomElement(using: &random)!
            beacon[.eventId] = ["e", "f", nil].randomElement(using: &random)!
            beacon[.eventType] = ["page_view", "page_view", "seat_view", "click"].randomElement(using: &random)!
            beacon[.visitorId] = Bool.random(using: &random) ? "v\(Int.random(in: 0..<300, using: &random))" : nil
            beacon[.sessionId] = Int.random(in: 0..<3, using: &random) == 0 ? "s\(number % 50)" : nil
            let page = Int.random(in: 0..<40, using: &random)
            beacon[.path] = page == 0 ? nil : "/\(min(page, Int.random(in: 1..<40, using: &random)))"
            beacon[.referrer] = [nil, "https://naver.com/x", "https://Naver.com", "nonsense"].randomElement(
                using: &random)!
            beacon[.country] = ["KR", "KR", "JP", nil].randomElement(using: &random)!
            beacon[.userAgent] = [nil, "iPhone Mobile", "Windows NT"].randomElement(using: &random)!
            return beacon
        }
    }

    private func store(_ beacons: [Beacon], in fixture: RollupFixture) async throws {
        for (number, start) in stride(from: 0, to: beacons.count, by: 150).enumerated() {
            try await fixture.store(Array(beacons[start..<min(start + 150, beacons.count)]), seq: Int64(number + 1))
        }
    }

    @Test(arguments: [
        (4000, 500_000, 20, 8000), (4000, 500_000, 3, 8000), (4000, 7, 3, 1), (2, 40, 2, 30), (1, 500_000, 20, 8000),
    ])
    func rowsAreThoseOfTheModelInHoweverManyParts(
        maxEntities: Int, maxGroups: Int, maxValues: Int, maxRows: Int
    ) async throws {
        var random = SeededGenerator()
        print("\(random)")
        let beacons = beacons(900, &random)
        // A retry, received later.
        let repeats = beacons.prefix(20)
        var model = Model()
        for beacon in beacons where ReportingCalendar.seoul.day(of: beacon.timestamp) == Self.day { model.add(beacon) }
        let expected = model
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await store(beacons + repeats, in: fixture)
            _ = try await fixture.rollup.run()
            try await pool.withConnection { connection in
                var rows: [BreakdownRows.Key: BreakdownRows.Row] = [:]
                var funnels: [ExactText: DayDetails.Funnel] = [:]
                let details = try connection.transaction { connection in
                    try DayDetails(
                        Self.day, calendar: .seoul,
                        bounds: .init(
                            maxEntities: maxEntities, maxGroups: maxGroups, maxValues: maxValues,
                            maxSiteValues: maxValues + 2, maxRows: maxRows),
                        on: connection,
                        eachRows: { rows.merge($0) { _, _ in preconditionFailure("an artist came twice") } },
                        eachFunnels: { some in
                            #expect(some.count <= maxEntities)
                            funnels.merge(some) { _, _ in preconditionFailure("an event came twice") }
                        })
                }
                #expect(rows == expected.rows(maxValues: maxValues, maxSiteValues: maxValues + 2))
                let ofSite = rows.filter { $0.key.artist == Breakdown.siteEntity && $0.key.dimension == "type" }
                #expect(details.beacons == ofSite.values.reduce(0) { $0 + $1.beacons })
                #expect(funnels.count == 2)
                for (event, funnel) in funnels {
                    #expect(funnel.viewers == expected.funnels[event.string]!.viewers)
                    #expect(funnel.seatViewers == expected.funnels[event.string]!.seats)
                }
            }
        }
    }

    /// Batches that don't fit between the server and us: it is still sending when there turns out to be too much at once.
    @Test(arguments: [(1, 500_000), (4000, 7)])
    func aDayOfLargeBatchesIsCountedInPartsInOneTransaction(maxEntities: Int, maxGroups: Int) async throws {
        var random = SeededGenerator()
        print("\(random)")
        var beacons = beacons(600, &random)
        for index in beacons.indices {
            beacons[index][.metadata] = (0..<800).map { _ in "\(UInt64.random(in: 0 ... .max, using: &random))" }
                .joined()
        }
        let ofDay = beacons.count { ReportingCalendar.seoul.day(of: $0.timestamp) == Self.day }
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await store(beacons, in: fixture)
            _ = try await fixture.rollup.run()
            let counted = try await pool.withConnection { connection in
                try connection.transaction { connection in
                    try DayDetails(
                        Self.day, calendar: .seoul, bounds: .init(maxEntities: maxEntities, maxGroups: maxGroups),
                        on: connection, eachRows: { _ in }, eachFunnels: { _ in }
                    ).beacons
                }
            }
            #expect(counted == Int64(ofDay))
        }
    }

    /// Every dimension's rows add up to the artist's day, or the site's.
    @Test func sumsAreThoseOfTheDay() async throws {
        var random = SeededGenerator()
        print("\(random)")
        let beacons = beacons(1500, &random)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await store(beacons, in: fixture)
            _ = try await fixture.rollup.run()
            let differing = try await pool.count(
                """
                SELECT count(*) FROM (
                    SELECT artist_id, day, dimension, sum(page_views) AS page_views, sum(beacons) AS beacons
                    FROM traffic_breakdown_daily GROUP BY 1, 2, 3
                ) b FULL JOIN (
                    SELECT artist_id, day, page_views, beacons FROM artist_traffic_daily
                    UNION ALL SELECT '', day, page_views, beacons FROM site_traffic_daily
                ) a USING (artist_id, day)
                WHERE (a.page_views, a.beacons) IS DISTINCT FROM (b.page_views, b.beacons)
                """)
            #expect(differing == 0)
            #expect(try await pool.count("SELECT count(*) FROM traffic_breakdown_daily WHERE kind = 'remainder'") > 0)
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
        }
    }

    private static let damages = [
        (
            "traffic_breakdown_daily",
            "UPDATE traffic_breakdown_daily SET page_views = page_views + 1 WHERE kind = 'remainder'"
        ),
        ("traffic_breakdown_daily", "UPDATE traffic_breakdown_daily SET visitors = '\\x1f'"),
        ("traffic_breakdown_daily", "UPDATE traffic_breakdown_daily SET value = value || 'x' WHERE kind = 'value'"),
        ("traffic_breakdown_daily", "UPDATE traffic_breakdown_daily SET artist_id = artist_id || 'x'"),
        ("traffic_breakdown_daily", "DELETE FROM traffic_breakdown_daily WHERE dimension = 'device'"),
        ("traffic_breakdown_daily", "UPDATE traffic_breakdown_daily SET beacons = beacons - 1 WHERE artist_id = ''"),
        ("traffic_breakdown_daily", "DELETE FROM traffic_breakdown_daily WHERE artist_id = ''"),
        ("event_funnel_daily", "UPDATE event_funnel_daily SET seat_viewers = viewers"),
        ("event_funnel_daily", "DELETE FROM event_funnel_daily WHERE event_id = 'e'"),
        ("event_funnel_daily", "UPDATE event_funnel_daily SET event_id = event_id || 'x'"),
    ]

    @Test(arguments: damages.map(\.1))
    func whatIsWrongIsNamedAndRebuilt(damage: String) async throws {
        var random = SeededGenerator(seed: 3)
        let beacons = beacons(1200, &random)
        let table = Self.damages.first { $0.1 == damage }!.0
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await store(beacons, in: fixture)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            try await pool.execute("\(unescaped: damage)")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(!findings.isEmpty && findings.allSatisfy { $0.table == table }, "\(findings.prefix(3))")
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
        }
    }

    /// Later beacons mark the day again; one that is folded while it is derived keeps its mark.
    @Test func aDayThatChangesIsDerivedAgain() async throws {
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00", message: "1")])
            let views: SQL =
                "SELECT sum(page_views)::bigint FROM traffic_breakdown_daily WHERE artist_id <> '' AND dimension = 'type'"
            #expect(try await pool.count(views) == 1)
            try await fixture.foldOneByOne([.at("2025-12-01T13:00:00+09:00", message: "2")], from: 2)
            #expect(try await pool.count(views) == 2)
            try await pool.withConnection { connection in
                try DeriveDetails.mark([Self.day], on: connection)
                try DeriveDetails.mark([Self.day], on: connection)
                #expect(try DeriveDetails.due(olderThanMs: 3_600_000, on: connection) == [])
                #expect(try DeriveDetails.due(olderThanMs: 0, on: connection) == [Self.day])
                #expect(try DeriveDetails.run(Self.day, calendar: .seoul, on: connection))
                #expect(try DeriveDetails.due(olderThanMs: 0, on: connection) == [])
            }
        }
    }

    @Test func oneRunnerDerivesAtATime() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            let fixture = RollupFixture(pool: pool)
            try await fixture.foldOneByOne([.at("2025-12-01T12:00:00+09:00", message: "1")])
            let other = PostgresPool(configuration, connections: 1, logger: testLogger)
            try await pool.withConnection { try DeriveDetails.mark([Self.day], on: $0) }
            _ = try await other.withConnection { try $0.execute("SELECT pg_advisory_lock(\(DeriveDetails.lock))") }
            #expect(try await pool.withConnection { try !DeriveDetails.run(Self.day, calendar: .seoul, on: $0) })
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 1)
            _ = try await other.withConnection { try $0.execute("SELECT pg_advisory_unlock(\(DeriveDetails.lock))") }
            #expect(try await pool.withConnection { try DeriveDetails.run(Self.day, calendar: .seoul, on: $0) })
            #expect(try await pool.count("SELECT count(*) FROM detail_dirty") == 0)
            await other.shutdown()
        }
    }
}
