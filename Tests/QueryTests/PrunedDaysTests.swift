import Core
import Platform
import Storage
import TestSupport
import Testing

@testable import Query

/// Days whose hours are gone answer by themselves, with what came since on top; questions for their hours are refused.
@Suite struct PrunedDaysTests {
    private func prune(_ days: [String], in lab: Lab) async throws {
        for day in days.map({ Day($0)! }) {
            let range = ReportingCalendar.seoul.range(of: day)
            try await lab.execute(
                """
                INSERT INTO pruned_days (day, starts_at, ends_at)
                VALUES (\(day), \(PostgresTimestamp(ms: range.lowerBound)), \(PostgresTimestamp(ms: range.upperBound)))
                """)
        }
    }

    @Test func whatWaitsIsAddedToTheDay() async throws {
        try await Lab.with { lab in
            try await prune(["2023-10-01", "2023-10-02"], in: lab)
            for day in ["2023-10-01", "2023-10-02", "2023-11-01"] {
                try await lab.traffic(.artist("iu"), .day, day, views: 100, sessions: 10, visitors: 0..<10)
            }
            try await lab.traffic(.artist("iu"), .month, "2023-10-01", views: 200, sessions: 20, visitors: 0..<10)
            try await lab.traffic(.artist("iu"), .hour, "2023-10-02T10:00:00+09:00", views: 3, visitors: 9..<12)
            // Of a day that is only dirty, hours are all there is.
            try await lab.traffic(.artist("iu"), .hour, "2023-11-01T10:00:00+09:00", views: 50, visitors: 0..<5)
            try await lab.dirty(.day, "artist", "iu", "2023-10-02")
            try await lab.dirty(.day, "artist", "iu", "2023-11-01")
            let days = try await lab.traffic(.artist("iu"), "2023-10-01", "2023-10-02")
            #expect(days.traffic.map(\.numbers.pageViews) == [100, 103])
            #expect(days.traffic.map(\.numbers.uniqueVisitors) == [10, 12])
            let months = try await lab.traffic(.artist("iu"), "2023-10-01", "2023-11-30", .monthly)
            #expect(months.traffic.map(\.numbers.pageViews) == [203, 50])
            #expect(months.total.sessions == 20)
            for (metric, value) in [(TopQuestion.Metric.pageViews, 253), (.uniqueVisitors, 12)] {
                let top = try await lab.engine.top(
                    TopQuestion(
                        by: .artist, metric: metric,
                        period: Period(startDate: Day("2023-10-01")!, endDate: Day("2023-11-30")!)))
                #expect(top.rows.map(\.value) == [Int64(value)], "\(metric)")
            }
        }
    }

    @Test func moneyKeepsItsHours() async throws {
        try await Lab.with { lab in
            try await prune(["2023-10-02"], in: lab)
            try await lab.revenue(.day, "2023-10-02", gross: 1000)
            try await lab.revenue(.hour, "2023-10-02T10:00:00+09:00", gross: 3000)
            try await lab.dirty(.day, "revenue", "", "2023-10-02")
            let answer = try await lab.revenue("2023-10-02", "2023-10-02")
            #expect(answer.total.revenue == 3000)
        }
    }

    @Test func questionsForTheirHoursSayWhatIsKept() async throws {
        try await Lab.with { lab in
            try await prune(["2023-10-01", "2023-10-31"], in: lab)
            for (start, end, granularity, zone) in [
                ("2023-10-31", "2023-10-31", Granularity.hourly, nil), ("2023-09-30", "2023-10-01", .hourly, nil),
                // Its midnight is nine hours later: it reaches into the last day.
                ("2023-10-31", "2023-10-31", .daily, "UTC"), ("2023-10-30", "2023-10-30", .daily, "UTC"),
            ] as [(String, String, Granularity, String?)] {
                let refused = await #expect(throws: InvalidParameter.self) {
                    try await lab.traffic(.site, start, end, granularity, timeZone: zone)
                }
                #expect(refused?.field == "startDate")
                #expect(refused?.detail.contains("hours are kept from 2023-11-01 on") == true, "\(refused as Any)")
            }
            await #expect(throws: InvalidParameter.self) {
                try await lab.engine.top(
                    TopQuestion(
                        by: .artist,
                        period: Period(
                            startDate: Day("2023-10-30")!, endDate: Day("2023-10-31")!, timeZone: "Asia/Tokyo")))
            }
            for (start, granularity, zone) in [
                ("2023-11-01", Granularity.hourly, nil), ("2023-11-01", .daily, "UTC"), ("2023-10-31", .daily, nil),
                ("2023-10-15", .hourly, nil),
            ] as [(String, Granularity, String?)] {
                _ = try await lab.traffic(.site, start, start, granularity, timeZone: zone)
            }
        }
    }
}
