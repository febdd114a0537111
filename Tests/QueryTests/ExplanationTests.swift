import Core
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct ExplanationTests {
    @Test func trafficNamesItsTables() async throws {
        try await Lab.with { lab in
            try await lab.dirty(.day, "artist", "iu", "2025-12-03")
            let answer = try await lab.traffic(.artist("iu"), "2025-09-15", "2025-12-05", .monthly)
            #expect(
                answer.explanation.lines == [
                    "artist_traffic_monthly: 2025-10 to 2025-11",
                    "artist_traffic_daily: 2025-09-15 to 2025-09-30, 2025-12-01 to 2025-12-02, 2025-12-04 to 2025-12-05",
                    "artist_traffic_hourly: 2025-12-02T15:00:00.000Z until 2025-12-03T15:00:00.000Z",
                ])
        }
    }

    @Test func moneyNamesItsTablesAndTheLedger() async throws {
        try await Lab.with { lab in
            try await lab.dirty(.hour, "revenue", "", "2025-12-04T20:00:00Z")
            let answer = try await lab.revenue("2025-11-01", "2025-12-05", .monthly)
            #expect(
                answer.explanation.lines == [
                    "revenue_monthly: 2025-11", "revenue_daily: 2025-12-01 to 2025-12-04",
                    "revenue_hourly: 2025-12-04T15:00:00.000Z until 2025-12-04T20:00:00.000Z, "
                        + "2025-12-04T21:00:00.000Z until 2025-12-05T15:00:00.000Z",
                    "revenue_ledger: 2025-12-04T20:00:00.000Z until 2025-12-04T21:00:00.000Z",
                    "growth since revenue_monthly: 2025-10",
                ])
        }
    }

    @Test func rankingsNameTheirTables() async throws {
        try await Lab.with { lab in
            try await lab.dirty(.day, "artist", "iu", "2025-12-03")
            let period = Period(startDate: Day("2025-10-15")!, endDate: Day("2025-12-05")!)
            for metric in [TopQuestion.Metric.pageViews, .sessions, .uniqueVisitors] {
                let top = try await lab.engine.top(TopQuestion(by: .artist, metric: metric, period: period))
                #expect(
                    top.explanation.lines == [
                        "artist_traffic_monthly: 2025-11",
                        "artist_traffic_daily: 2025-10-15 to 2025-10-31, 2025-12-01 to 2025-12-05",
                        "artist_traffic_hourly, where a day waits to be derived: 2025-12-03",
                    ])
            }
            let money = try await lab.engine.top(TopQuestion(by: .event, metric: .revenue, period: period))
            #expect(
                money.explanation.lines == [
                    "revenue_monthly: 2025-11", "revenue_daily: 2025-10-15 to 2025-10-31, 2025-12-01 to 2025-12-05",
                ])
            var abroad = period
            (abroad.startDate, abroad.timeZone) = (Day("2025-12-05")!, "UTC")
            let hours = try await lab.engine.top(TopQuestion(by: .event, period: abroad))
            #expect(
                hours.explanation.lines == [
                    "event_traffic_hourly: 2025-12-05T00:00:00.000Z until 2025-12-06T00:00:00.000Z"
                ])
        }
    }

    @Test func theDashboardNamesAllItsTables() async throws {
        try await Lab.with { lab in
            let dashboard = try await lab.engine.dashboard()
            #expect(
                dashboard.explanation.lines == [
                    "site_traffic_daily: 2025-10-07 to 2025-12-05", "revenue_daily: 2025-10-07 to 2025-12-05",
                    "artist_traffic_daily: 2025-11-06 to 2025-11-30, 2025-12-01 to 2025-12-05",
                    "event_traffic_daily: 2025-11-06 to 2025-11-30, 2025-12-01 to 2025-12-05",
                    "reservation_states: 2025-11-06 to 2025-12-05",
                ])
        }
    }

    @Test func whatRedisAddedIsSaid() async throws {
        try await withRedis { redis in
            try await Lab.with(redis: redis.configuration) { lab in
                try await lab.pending(1, receivedAt: "2025-12-05T10:29:58Z")
                try await redis.pool.withConnection {
                    _ = try $0.command(["SET", "artist:iu:views:20251205", "1234"])
                }
                let answer = try await lab.traffic(.artist("iu"), "2025-12-05", "2025-12-05")
                #expect(
                    answer.explanation.lines == [
                        "artist_traffic_daily: 2025-12-05",
                        "Redis: 1,234 page views of 2025-12-05 that are not folded yet",
                    ])
                #expect(!answer.json.contains("Redis"))
            }
        }
    }
}
