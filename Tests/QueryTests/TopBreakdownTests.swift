import Core
import Ingest
import Platform
import Rollup
import Storage
import TestSupport
import Testing

@testable import Query

/// Rankings by page, referrer, country and device from breakdowns and raw beacons together, against a plain count.
@Suite struct TopBreakdownTests {
    private static let first = Day("2025-09-20")!
    private static let last = Day("2025-12-05")!
    private static let period = Period(startDate: first, endDate: last)

    private func rollup(_ lab: Lab) -> Rollup {
        Rollup(
            postgres: lab.pool, redis: nil, calendar: .seoul, clock: { Lab.now }, metrics: RollupMetrics(Metrics()),
            logger: testLogger)
    }

    /// A batch a day.
    private func store(_ beacons: [Beacon], from seq: Int64 = 1, in lab: Lab) async throws {
        let days = Dictionary(grouping: beacons) { floorDiv($0.receivedAt, 86_400_000) }
        for (number, day) in days.keys.sorted().enumerated() {
            var builder = BeaconBatchBuilder()
            for beacon in days[day]! { builder.append(beacon) }
            let batch = BatchStore.Batch(
                node: "test", firstSeq: seq + Int64(number), lastSeq: seq + Int64(number),
                receivedAt: days[day]!.map(\.receivedAt).min()!, encoding: builder.finish())
            try await lab.execute("SELECT ensure_events_partition(\(batch.receivedDay))")
            #expect(try await lab.pool.withConnection { try BatchStore.storeImported(batch, on: $0) })
        }
    }

    /// More paths a day than a breakdown keeps of an artist, few countries; some of no artist.
    private func beacons(_ count: Int, paths: Int, _ random: inout SeededGenerator) -> [Beacon] {
        let start = ReportingCalendar.seoul.start(of: Self.first)
        let days = Self.last - Self.first + 1
        return (0..<count).map { _ in
            // Few days with much: so they have remainders.
            let day = Int.random(in: 0..<days, using: &random) / 8 * 8
            let instant = start + Int64(day) * 86_400_000 + Int64.random(in: 0..<70_000_000, using: &random)
            var beacon = Beacon(receivedAt: instant, timestamp: instant)
            beacon[.eventType] = ["page_view", "page_view", "click"].randomElement(using: &random)!
            beacon[.artistId] = ["iu", "iu", "bts", nil].randomElement(using: &random)!
            beacon[.visitorId] = Bool.random(using: &random) ? "v\(Int.random(in: 0..<100, using: &random))" : nil
            let path = min(Int.random(in: 0..<paths, using: &random), Int.random(in: 0..<paths, using: &random))
            beacon[.path] = path == 0 ? nil : "/\(path)"
            beacon[.country] = ["KR", "KR", "JP", nil].randomElement(using: &random)!
            return beacon
        }
    }

    private func counts(_ beacons: [Beacon], _ question: TopQuestion) -> [String?: Int64] {
        let ours = beacons.filter { question.artistID == nil || $0[.artistId] == question.artistID }
        func key(_ beacon: Beacon) -> String? { beacon[question.dimension == .path ? .path : .country] }
        guard question.metric == .uniqueVisitors else {
            return Dictionary(grouping: ours.filter { $0[.eventType] == "page_view" }, by: key).mapValues {
                Int64($0.count)
            }
        }
        return Dictionary(grouping: ours.filter { $0[.visitorId] != nil }, by: key).mapValues {
            Int64(Set($0.map { $0[.visitorId] }).count)
        }
    }

    private func check(_ lab: Lab, _ question: TopQuestion, _ beacons: [Beacon], isExact: Bool?) async throws {
        var question = question
        question.limit = 1000
        let answer = try await lab.engine.top(question)
        let coverage = try #require(answer.coverage)
        let counts = counts(beacons, question)
        let context: Comment = "\(question.dimension) \(question.metric) \(question.artistID ?? "site")"
        if let isExact { #expect(coverage.isExact == isExact, context) }
        for row in answer.rows {
            let count = counts[row.key] ?? 0
            #expect(row.value <= count, context)
            if coverage.isExact { #expect(row.value == count, context) }
            if question.metric == .pageViews { #expect(count <= row.atMost ?? -1, context) }
        }
        #expect(answer.rows.map(\.value) == answer.rows.map(\.value).sorted(by: >), context)
        // Where raw beacons were gone when more came, nobody knows what they say.
        #expect(coverage.isExact ? coverage.missing == counts[nil] ?? 0 : coverage.missing <= counts[nil] ?? 0, context)
        if question.metric == .pageViews {
            #expect(coverage.total == counts.values.reduce(0, +), context)
            // The row without a value is `missing`.
            let shown = answer.rows.filter { $0.key != nil }.reduce(0) { $0 + $1.value }
            #expect(shown + coverage.remainder + coverage.missing == coverage.total, context)
        } else {
            let ours = beacons.filter { question.artistID == nil || $0[.artistId] == question.artistID }
            #expect(coverage.total == Int64(Set(ours.compactMap { $0[.visitorId] }).count), context)
        }
    }

    private func checkAll(_ lab: Lab, _ beacons: [Beacon], period: Period = period, isExact: Bool?) async throws {
        for dimension in [TopQuestion.Dimension.path, .country] {
            for metric in [TopQuestion.Metric.pageViews, .uniqueVisitors] {
                for artist in [nil, "iu", "nobody"] {
                    try await check(
                        lab, TopQuestion(by: dimension, metric: metric, artistID: artist, period: period), beacons,
                        isExact: isExact)
                }
            }
        }
    }

    /// While raw beacons are there, days with a remainder are counted from them, as long as they are few.
    @Test func longRangesAreExactWhereFewDaysHaveToBeScanned() async throws {
        var random = SeededGenerator()
        print("\(random)")
        let beacons = beacons(1500, paths: 300, &random)
        try await Lab.with { lab in
            try await store(beacons, in: lab)
            _ = try await rollup(lab).run()
            try await checkAll(lab, beacons, isExact: true)
            let answer = try await lab.engine.top(TopQuestion(by: .path, artistID: "iu", period: Self.period))
            #expect(answer.explanation.lines.contains { $0.hasPrefix("analytics_events: 2025-09-20, 2025-09-28,") })
            // Of countries no day has so many.
            let countries = try await lab.engine.top(TopQuestion(by: .country, artistID: "iu", period: Self.period))
            #expect(!countries.explanation.lines.contains { $0.hasPrefix("analytics_events") })
        }
    }

    /// Lower and upper bounds hold the true count, and all adds up, also where beacons came when others were gone.
    @Test func boundsHoldTheTruthWhenRawIsGone() async throws {
        var random = SeededGenerator()
        print("\(random)")
        var beacons = beacons(1500, paths: 60, &random)
        // The last day is whole: beacons of the future have not come.
        beacons = beacons.filter { ReportingCalendar.seoul.day(of: $0.timestamp) < Self.last }
        let stored = beacons
        // As late as can be: they are in hours and days, and in no breakdown.
        var late = stored[0..<30].map { beacon in
            var beacon = beacon
            beacon.receivedAt = Lab.now
            return beacon
        }
        late.shuffle(using: &random)
        let tardy = late
        try await Lab.with { lab in
            try await store(stored, in: lab)
            _ = try await rollup(lab).run()
            #expect(try await !rollup(lab).partitions(keepDays: 7).dropped.isEmpty)
            try await checkAll(lab, stored, isExact: nil)
            let answer = try await lab.engine.top(TopQuestion(by: .path, artistID: "iu", period: Self.period))
            #expect(answer.coverage!.remainder > 0)
            #expect(AnswerFormat.table.render(answer).contains("each number is a lower bound"))
            #expect(answer.json.contains(#""exact":false,"total":"#))
            // The site keeps 200, and no day has so many.
            try await check(lab, TopQuestion(by: .path, period: Self.period), stored, isExact: true)
            // Also of a short range.
            let short = Period(startDate: Self.first, endDate: Self.first + 1)
            let (start, end) = (
                ReportingCalendar.seoul.start(of: Self.first), ReportingCalendar.seoul.start(of: Self.first + 2)
            )
            try await checkAll(
                lab, stored.filter { $0.timestamp >= start && $0.timestamp < end }, period: short, isExact: nil)

            try await store(tardy, from: 1000, in: lab)
            _ = try await rollup(lab).run()
            try await check(lab, TopQuestion(by: .country, period: Self.period), stored + tardy, isExact: false)
            try await check(
                lab, TopQuestion(by: .path, artistID: "iu", period: Self.period), stored + tardy, isExact: false)
        }
    }

    /// Days that wait to be derived are counted from raw beacons; where they are many, the answer says how far it reaches.
    @Test func staleDaysAreScanned() async throws {
        var random = SeededGenerator()
        print("\(random)")
        let beacons = beacons(600, paths: 20, &random)
        try await Lab.with { lab in
            try await store(beacons, in: lab)
            _ = try await rollup(lab).run()
            try await lab.execute(
                "UPDATE traffic_breakdown_daily SET page_views = 7, beacons = 9 WHERE day = \(Self.first + 8)")
            try await lab.execute("INSERT INTO detail_dirty (day) VALUES (\(Self.first + 8))")
            try await checkAll(lab, beacons, isExact: true)
            try await lab.execute(
                """
                INSERT INTO detail_dirty (day) SELECT \(Self.first + 9) + n FROM generate_series(0, 40) n
                """)
            let answer = try await lab.engine.top(TopQuestion(by: .path, period: Self.period))
            #expect(answer.freshness.asOf == ReportingCalendar.seoul.start(of: Self.first + 8))
        }
    }

    /// What is too long to be stored counts as its beginning, whether it is stored or counted from raw beacons.
    @Test func longTextsAreOneValueEverywhere() async throws {
        var random = SeededGenerator()
        print("\(random)")
        let beginning = "/" + String(repeating: "a", count: BreakdownValue.maxBytes - 1)
        var beacons = beacons(60, paths: 3, &random)
        for index in beacons.indices { beacons[index][.path] = beginning + "?\(index)" }
        let stored = beacons
        try await Lab.with { lab in
            try await store(stored, in: lab)
            _ = try await rollup(lab).run()
            try await lab.execute("INSERT INTO detail_dirty (day) VALUES (\(Self.first + 8))")
            let answer = try await lab.engine.top(TopQuestion(by: .path, period: Self.period))
            #expect(answer.explanation.lines.contains { $0.hasPrefix("analytics_events: 2025-09-28") })
            #expect(answer.coverage!.isExact)
            #expect(answer.rows.map(\.key) == [beginning])
            #expect(answer.rows.first?.value == Int64(stored.count { $0[.eventType] == "page_view" }))
        }
    }

    @Test func rawBeaconsThatAreGoneAreNotCountedForAnotherZone() async throws {
        try await Lab.with { lab in
            try await lab.execute("INSERT INTO dropped_event_days (day) VALUES ('2025-12-01')")
            let question = { (day: String) in
                TopQuestion(
                    by: .path, period: Period(startDate: Day(day)!, endDate: Day(day)!, timeZone: "Europe/Berlin"))
            }
            _ = try await lab.engine.top(question("2025-12-03"))
            await #expect(
                throws: InvalidParameter(
                    field: "startDate",
                    detail: "raw beacons are kept from 2025-12-03 on: ask for earlier days in Asia/Seoul")
            ) { _ = try await lab.engine.top(question("2025-12-02")) }
        }
    }

    // MARK: Plans

    private func plan(
        stale: [String] = [], cut: [String] = [], firstRaw: String? = nil, maxScanDays: Int = 2
    ) -> BreakdownPlan {
        BreakdownPlan(
            Day("2025-12-01")!...Day("2025-12-05")!, stale: Set(stale.map { Day($0)! }), cut: Set(cut.map { Day($0)! }),
            firstRaw: firstRaw.map { Day($0)! }, maxScanDays: maxScanDays)
    }

    private func text(_ ranges: [ClosedRange<Day>]) -> [String] {
        ranges.map { "\($0.lowerBound.description.suffix(2))-\($0.upperBound.description.suffix(2))" }
    }

    @Test func plansReadEachDayOnce() {
        #expect(text(plan().stored) == ["01-05"])
        let both = plan(stale: ["2025-12-05"], cut: ["2025-12-02", "2025-12-05"])
        #expect(text(both.stored) == ["01-01", "03-04"])
        #expect(text(both.scanned) == ["02-02", "05-05"])
        // Cut days are scanned all or not at all.
        let many = plan(stale: ["2025-12-05"], cut: ["2025-12-01", "2025-12-02"])
        #expect(text(many.scanned) == ["05-05"])
        #expect(many.firstStale == nil)
        // The latest of those that wait.
        let waiting = plan(stale: ["2025-12-01", "2025-12-03", "2025-12-05"])
        #expect(text(waiting.scanned) == ["03-03", "05-05"])
        #expect(waiting.firstStale == Day("2025-12-01")!)
        let gone = plan(stale: ["2025-12-01"], cut: ["2025-12-02", "2025-12-03"], firstRaw: "2025-12-03")
        #expect(text(gone.scanned) == ["03-03"])
        #expect(gone.firstStale == nil)
        let none = plan(stale: ["2025-12-04"], cut: ["2025-12-02"], maxScanDays: 0)
        #expect(none.scanned.isEmpty)
        #expect(none.firstStale == Day("2025-12-04")!)
    }
}
