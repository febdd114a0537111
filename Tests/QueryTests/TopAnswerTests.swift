import Core
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct TopAnswerTests {
    private func top(
        _ lab: Lab, by dimension: TopQuestion.Dimension, _ metric: TopQuestion.Metric = .pageViews, limit: Int = 10,
        _ start: String = "2025-10-15", _ end: String = "2025-12-05", timeZone: String? = nil, currency: String = "KRW"
    ) async throws -> [TopAnswer.Row] {
        try await lab.engine.top(
            TopQuestion(
                by: dimension, metric: metric, limit: limit, currency: currency,
                period: Period(startDate: Day(start)!, endDate: Day(end)!, timeZone: timeZone))
        ).rows
    }

    private func row(_ key: String?, _ value: Int64, name: String? = nil) -> TopAnswer.Row {
        TopAnswer.Row(key: key, name: name, value: value)
    }

    /// Composed and decomposed, which are one `String` and two ids.
    @Test func idsInOtherBytesAreOtherIds() async throws {
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        try await Lab.with { lab in
            try await lab.name(artist: composed, "one")
            try await lab.name(artist: decomposed, "two")
            try await lab.traffic(.artist(composed), .day, "2025-12-01", views: 1, visitors: 0..<1)
            try await lab.traffic(.artist(decomposed), .day, "2025-12-01", views: 2, visitors: 0..<2)
            for metric in [TopQuestion.Metric.pageViews, .uniqueVisitors] {
                let rows = try await top(lab, by: .artist, metric)
                #expect(rows.map(\.value) == [2, 1])
                #expect(rows.map(\.name) == ["two", "one"])
                #expect(rows.map { Array($0.key!.utf8) } == [Array(decomposed.utf8), Array(composed.utf8)])
            }
        }
    }

    @Test func theAnswerListsTheBestFirst() async throws {
        try await Lab.with { lab in
            try await lab.name(artist: "iu", "아이유")
            try await lab.traffic(.artist("iu"), .day, "2025-12-01", views: 10, sessions: 1)
            try await lab.traffic(.artist("iu"), .day, "2025-12-02", views: 10, sessions: 1)
            try await lab.traffic(.artist("bts"), .day, "2025-12-02", views: 15, sessions: 9)
            try await lab.traffic(.artist("idle"), .day, "2025-12-02", views: 0)
            let answer = try await lab.engine.top(
                TopQuestion(by: .artist, period: Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-05")!)))
            #expect(
                answer.json
                    == #"{"by":"artist","metric":"pageViews","period":{"start":"2025-12-01","end":"2025-12-05"},"#
                    + #""items":[{"rank":1,"id":"iu","name":"아이유","pageViews":20},"#
                    + #"{"rank":2,"id":"bts","name":null,"pageViews":15}],"#
                    + #""asOf":"2025-12-05T10:30:00.000Z","complete":false}"#)
            #expect(try await top(lab, by: .artist, .sessions) == [row("bts", 9), row("iu", 2, name: "아이유")])
        }
    }

    @Test func wholeCleanMonthsComeFromMonthsTheRestFromDaysAndHours() async throws {
        try await Lab.with { lab in
            let (iu, bts) = (TrafficSubject.event("iu"), TrafficSubject.event("bts"))
            try await lab.traffic(iu, .month, "2025-11-01", views: 1000)
            try await lab.traffic(bts, .month, "2025-11-01", views: 2000)
            // Not read where the month is.
            try await lab.traffic(iu, .day, "2025-11-03", views: 9_999_999)
            try await lab.traffic(iu, .day, "2025-10-14", views: 9_999_999)
            try await lab.traffic(iu, .day, "2025-10-15", views: 1)
            // Stale for iu alone.
            try await lab.traffic(iu, .day, "2025-12-01", views: 9_999_999)
            try await lab.traffic(bts, .day, "2025-12-01", views: 20)
            try await lab.traffic(iu, .hour, "2025-11-30T15:00:00Z", views: 3)
            try await lab.traffic(bts, .hour, "2025-11-30T15:00:00Z", views: 9_999_999)
            try await lab.dirty(.day, "event", "iu", "2025-12-01")
            try await lab.name(event: "iu", "콘서트")
            #expect(try await top(lab, by: .event) == [row("bts", 2020), row("iu", 1004, name: "콘서트")])
            // A stale day makes its month stale.
            try await lab.dirty(.day, "event", "bts", "2025-11-03")
            #expect(try await top(lab, by: .event) == [row("iu", 10_000_003, name: "콘서트"), row("bts", 20)])
        }
    }

    @Test func equalValuesAreOrderedByID() async throws {
        try await Lab.with { lab in
            for id in ["c", "a", "B", "d"] {
                try await lab.traffic(.artist(id), .day, "2025-12-01", views: 5, visitors: 0..<2)
            }
            #expect(try await top(lab, by: .artist, limit: 3).map(\.key) == ["B", "a", "c"])
            #expect(try await top(lab, by: .artist, .uniqueVisitors, limit: 3).map(\.key) == ["B", "a", "c"])
        }
    }

    @Test func visitorsAreMergedOverDays() async throws {
        try await Lab.with { lab in
            try await lab.traffic(.artist("iu"), .day, "2025-12-01", views: 1, visitors: 0..<5)
            try await lab.traffic(.artist("iu"), .day, "2025-12-02", views: 1, visitors: 0..<5)
            try await lab.traffic(.artist("bts"), .day, "2025-12-01", views: 1, visitors: 0..<3)
            try await lab.traffic(.artist("bts"), .day, "2025-12-02", views: 1, visitors: 3..<6)
            try await lab.traffic(.artist("none"), .day, "2025-12-02", views: 1)
            #expect(try await top(lab, by: .artist, .uniqueVisitors) == [row("bts", 6), row("iu", 5)])
        }
    }

    @Test func otherZonesAreRankedFromHours() async throws {
        try await Lab.with { lab in
            try await lab.traffic(.artist("iu"), .day, "2025-12-01", views: 9_999_999)
            try await lab.traffic(.artist("iu"), .hour, "2025-12-01T00:00:00Z", views: 2)
            try await lab.traffic(.artist("iu"), .hour, "2025-11-30T23:00:00Z", views: 9_999_999)
            #expect(
                try await top(lab, by: .artist, .pageViews, limit: 5, "2025-12-01", "2025-12-01", timeZone: "UTC") == [
                    row("iu", 2)
                ])
        }
    }

    @Test func revenueIsRankedInOneCurrency() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.month, "2025-11-01", artist: "iu", event: "e1", gross: 100)
            try await lab.revenue(.month, "2025-11-01", artist: "iu", event: "e2", gross: 50)
            try await lab.revenue(.day, "2025-12-01", artist: "bts", event: "e3", gross: 300, refunds: 180)
            try await lab.revenue(.day, "2025-12-01", artist: "usd", event: "e4", currency: "USD", gross: 9999)
            #expect(try await top(lab, by: .artist, .revenue) == [row("iu", 150), row("bts", 120)])
            #expect(try await top(lab, by: .event, .revenue) == [row("e3", 120), row("e1", 100), row("e2", 50)])
            #expect(try await top(lab, by: .artist, .revenue, currency: "USD") == [row("usd", 9999)])
        }
    }

    @Test func theBestOfManyAreKeptInOrder() {
        var random = SeededGenerator()
        let values = (0..<500).map { ($0, Int64.random(in: 0..<50, using: &random)) }
        var list = TopList<Int>(maxCount: 20)
        for (key, value) in values.shuffled(using: &random) { list.add(key, value) }
        let expected = values.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(20)
        #expect(list.items.map(\.key) == expected.map(\.0), "\(random)")
        #expect(list.items.map(\.value) == expected.map(\.1), "\(random)")
    }
}
