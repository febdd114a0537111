import Core
import Platform
import Storage
import Testing

@testable import Query

@Suite struct ComparisonTests {
    @Test(arguments: [
        ("2025-12-01", "2025-12-31", EarlierRange.previous, "2025-10-31", "2025-11-30"),
        ("2025-12-05", "2025-12-05", .previous, "2025-12-04", "2025-12-04"),
        ("2025-12-01", "2025-12-31", .year, "2024-12-01", "2024-12-31"),
        ("2024-02-29", "2024-03-01", .year, "2023-02-28", "2023-03-01"),
        ("2025-02-01", "2025-02-28", .year, "2024-02-01", "2024-02-28"),
    ])
    func rangesAreSetBesideEarlierOnes(
        _ start: String, _ end: String, _ earlier: EarlierRange, _ first: String, _ last: String
    ) {
        #expect(earlier.days(before: Day(start)!...Day(end)!) == Day(first)!...Day(last)!)
    }

    @Test func trafficIsSetBesideThatOfTheDaysBefore() async throws {
        try await Lab.with { lab in
            try await lab.traffic(
                .site, .day, "2025-12-02", views: 30, sessions: 2, ms: 20_000, visitors: 0..<3)
            try await lab.traffic(.site, .day, "2025-12-01", views: 20, sessions: 1, ms: 5000, visitors: 0..<4)
            try await lab.traffic(.site, .day, "2025-11-30", views: 20, sessions: 1, ms: 5000, visitors: 2..<6)
            try await lab.traffic(.site, .day, "2025-11-29", views: 99, visitors: 0..<9)
            let period = Period(startDate: Day("2025-12-02")!, endDate: Day("2025-12-03")!)
            let answer = try await lab.engine.traffic(
                TrafficQuestion(subject: .site, period: period, compare: .previous))
            #expect(
                answer.json.contains(
                    #""comparison":{"period":{"start":"2025-11-30","end":"2025-12-01"},"#
                        + #""total":{"pageViews":40,"uniqueVisitors":6,"avgSessionDuration":5,"sessions":2},"#
                        + #""change":{"pageViews":-25.0,"uniqueVisitors":-50.0,"avgSessionDuration":100.0,"sessions":0.0}}"#
                ))
            #expect(
                AnswerFormat.table.render(answer).contains(
                    "before, 2025-11-30 to 2025-12-01: page views 40 (-25.0 %), unique visitors 6 (-50.0 %), "
                        + "avg session 5s (+100.0 %), sessions 2 (0.0 %)"))
            // Nothing of it where nobody asked.
            let plain = try await lab.engine.traffic(TrafficQuestion(subject: .site, period: period))
            #expect(!plain.json.contains("comparison"))
        }
    }

    @Test func moneyIsSetBesideThatOfTheYearBefore() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.day, "2025-12-01", gross: 300, tickets: 3)
            try await lab.revenue(.day, "2024-12-01", gross: 250, refunds: 50, tickets: 2)
            try await lab.revenue(.day, "2024-12-01", currency: "USD", gross: 999)
            let answer = try await lab.engine.revenue(
                RevenueQuestion(
                    period: Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-01")!), compare: .year))
            #expect(
                answer.json.contains(
                    #""comparison":{"period":{"start":"2024-12-01","end":"2024-12-01"},"#
                        + #""total":{"revenue":200,"ticketsSold":2,"refunds":50},"#
                        + #""change":{"revenue":50.0,"ticketsSold":50.0,"refunds":-100.0}}"#))
        }
    }

    /// Nobody takes the process down with a year of his choosing.
    @Test func nothingComesBeforeTheFirstYear() async throws {
        let first = Day("0001-06-01")!
        #expect(EarlierRange.year.days(before: first...first) == nil)
        try await Lab.with { lab in
            let period = Period(startDate: first, endDate: first)
            let invalid = await #expect(throws: InvalidParameter.self) {
                try await lab.engine.traffic(TrafficQuestion(subject: .site, period: period, compare: .year))
            }
            #expect(invalid?.field == "compare")
            await #expect(throws: InvalidParameter.self) {
                try await lab.engine.revenue(RevenueQuestion(period: period, compare: .year))
            }
        }
    }

    /// The longest range has no 29 February, and the one a year before it has.
    @Test func theLongestRangeCanBeComparedToo() async throws {
        try await Lab.with { lab in
            let period = Period(startDate: Day("2024-03-01")!, endDate: Day("2027-03-05")!)
            #expect(period.endDate! - period.startDate! + 1 == Granularity.daily.maxDays)
            try await lab.traffic(.site, .day, "2024-02-29", views: 3)
            let answer = try await lab.engine.traffic(
                TrafficQuestion(subject: .site, period: period, compare: .year))
            #expect(answer.comparison?.days == Day("2023-03-01")!...Day("2026-03-05")!)
            #expect(answer.comparison?.total.pageViews == 3)
        }
    }
}
