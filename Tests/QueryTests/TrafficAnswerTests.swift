import Core
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct TrafficAnswerTests {
    private let iu = TrafficSubject.artist("iu")

    @Test func theAnswerHasTheContractsShape() async throws {
        try await Lab.with { lab in
            try await lab.name(artist: "iu", "아이유")
            try await lab.traffic(iu, .day, "2025-12-01", views: 10, sessions: 3, ms: 7500, visitors: 0..<4)
            try await lab.traffic(iu, .day, "2025-12-03", views: 5, sessions: 1, ms: 0, visitors: 2..<6)
            let answer = try await lab.traffic(iu, "2025-12-01", "2025-12-03")
            #expect(
                answer.json == #"{"artistId":"iu","artistName":"아이유","period":{"start":"2025-12-01","#
                    + #""end":"2025-12-03"},"granularity":"daily","traffic":["#
                    + #"{"date":"2025-12-01","pageViews":10,"uniqueVisitors":4,"avgSessionDuration":3,"sessions":3},"#
                    + #"{"date":"2025-12-02","pageViews":0,"uniqueVisitors":0,"avgSessionDuration":0,"sessions":0},"#
                    + #"{"date":"2025-12-03","pageViews":5,"uniqueVisitors":4,"avgSessionDuration":0,"sessions":1}],"#
                    + #""total":{"pageViews":15,"uniqueVisitors":6,"avgSessionDuration":2,"sessions":4},"#
                    + #""asOf":"2025-12-05T10:30:00.000Z","complete":true}"#)
        }
    }

    @Test func unknownArtistsHaveZerosAndNoName() async throws {
        try await Lab.with { lab in
            let answer = try await lab.traffic(.artist("nobody"), "2025-12-01", "2025-12-02")
            #expect(answer.name == nil)
            #expect(answer.json.hasPrefix(#"{"artistId":"nobody","artistName":null,"#))
            #expect(answer.traffic.map(\.numbers) == [TrafficNumbers(), TrafficNumbers()])
        }
    }

    @Test func eventsAndTheSiteAnswerAlike() async throws {
        try await Lab.with { lab in
            try await lab.name(event: "e1", "콘서트")
            try await lab.traffic(.event("e1"), .day, "2025-12-01", views: 7)
            try await lab.traffic(.site, .day, "2025-12-01", views: 9)
            let event = try await lab.traffic(.event("e1"), "2025-12-01", "2025-12-01")
            #expect(event.json.hasPrefix(#"{"eventId":"e1","eventName":"콘서트","period""#))
            #expect(event.total.pageViews == 7)
            let site = try await lab.traffic(.site, "2025-12-01", "2025-12-01")
            #expect(site.json.hasPrefix(#"{"period""#))
            #expect(site.total.pageViews == 9)
        }
    }

    @Test func weeksMergeVisitorsAndSpanYears() async throws {
        try await Lab.with { lab in
            for (day, visitors) in [
                ("2024-12-29", 0..<2), ("2024-12-30", 0..<3), ("2025-01-01", 1..<5), ("2025-01-06", 9..<10),
            ] {
                try await lab.traffic(iu, .day, day, views: 1, sessions: 1, ms: 1000, visitors: visitors)
            }
            let answer = try await lab.traffic(iu, "2024-12-29", "2025-01-06", .weekly)
            #expect(answer.traffic.map(\.label) == ["2024-W52", "2025-W01", "2025-W02"])
            #expect(answer.traffic.map(\.numbers.pageViews) == [1, 2, 1])
            #expect(answer.traffic.map(\.numbers.uniqueVisitors) == [2, 5, 1])
            #expect(answer.total.uniqueVisitors == 6)
        }
    }

    @Test func wholeMonthsComeFromMonthsAndEdgesFromDays() async throws {
        try await Lab.with { lab in
            // The tables disagree on purpose, to show which one is read.
            for month in ["2025-09-01", "2025-10-01", "2025-11-01"] {
                try await lab.traffic(iu, .month, month, views: 1000, visitors: 0..<3)
            }
            try await lab.traffic(iu, .day, "2025-09-15", views: 1, visitors: 7..<8)
            try await lab.traffic(iu, .day, "2025-09-14", views: 2)
            try await lab.traffic(iu, .day, "2025-10-10", views: 4)
            try await lab.traffic(iu, .day, "2025-11-30", views: 8)
            let answer = try await lab.traffic(iu, "2025-09-15", "2025-11-29", .monthly)
            #expect(answer.traffic.map(\.label) == ["2025-09", "2025-10", "2025-11"])
            #expect(answer.traffic.map(\.numbers.pageViews) == [1, 1000, 0])
            #expect(answer.traffic.map(\.numbers.uniqueVisitors) == [1, 3, 0])
            #expect(answer.total.uniqueVisitors == 4)
        }
    }

    @Test func dirtyDaysAreAnsweredFromTheirHours() async throws {
        try await Lab.with { lab in
            try await lab.traffic(iu, .day, "2025-12-01", views: 1)
            try await lab.traffic(iu, .day, "2025-12-02", views: 1)
            // 2025-12-02 in Seoul.
            try await lab.traffic(iu, .hour, "2025-12-01T15:00:00Z", views: 30, visitors: 0..<2)
            try await lab.traffic(iu, .hour, "2025-12-02T14:00:00Z", views: 12, visitors: 1..<3)
            // The hours before and after it.
            try await lab.traffic(iu, .hour, "2025-12-01T14:00:00Z", views: 500)
            try await lab.traffic(iu, .hour, "2025-12-02T15:00:00Z", views: 500)
            try await lab.dirty(.day, "artist", "iu", "2025-12-02")
            // Of somebody else.
            try await lab.dirty(.day, "artist", "bts", "2025-12-01")
            try await lab.dirty(.day, "event", "iu", "2025-12-01")
            let answer = try await lab.traffic(iu, "2025-12-01", "2025-12-02")
            #expect(answer.traffic.map(\.numbers.pageViews) == [1, 42])
            #expect(answer.traffic[1].numbers.uniqueVisitors == 3)
        }
    }

    @Test func dirtyMonthsAreAnsweredFromDaysAndTheirDirtyDaysFromHours() async throws {
        try await Lab.with { lab in
            try await lab.traffic(iu, .month, "2025-10-01", views: 9000)
            try await lab.traffic(iu, .month, "2025-11-01", views: 9000)
            try await lab.traffic(iu, .day, "2025-10-05", views: 1)
            try await lab.traffic(iu, .day, "2025-11-05", views: 2)
            try await lab.traffic(iu, .day, "2025-11-06", views: 9000)
            try await lab.traffic(iu, .hour, "2025-11-06T00:00:00Z", views: 4)
            try await lab.dirty(.month, "artist", "iu", "2025-10-01")
            // A month is as stale as its days, marked or not.
            try await lab.dirty(.day, "artist", "iu", "2025-11-06")
            let answer = try await lab.traffic(iu, "2025-10-01", "2025-11-30", .monthly)
            #expect(answer.traffic.map(\.numbers.pageViews) == [1, 6])
        }
    }

    @Test func hoursCarryTheirOffset() async throws {
        try await Lab.with { lab in
            try await lab.traffic(iu, .hour, "2025-11-30T15:00:00Z", views: 3)
            try await lab.traffic(iu, .hour, "2025-12-01T14:00:00Z", views: 4)
            let answer = try await lab.traffic(iu, "2025-12-01", "2025-12-01", .hourly)
            #expect(answer.traffic.count == 24)
            #expect(answer.traffic.first?.label == "2025-12-01T00:00+09:00")
            #expect(answer.traffic.first?.numbers.pageViews == 3)
            #expect(answer.traffic.last?.label == "2025-12-01T23:00+09:00")
            #expect(answer.traffic.last?.numbers.pageViews == 4)
            #expect(answer.total.pageViews == 7)
        }
    }

    @Test func otherZonesCutDaysFromHours() async throws {
        try await Lab.with { lab in
            try await lab.traffic(iu, .day, "2025-12-01", views: 9000)
            try await lab.traffic(iu, .hour, "2025-12-01T04:00:00Z", views: 1)
            try await lab.traffic(iu, .hour, "2025-12-01T05:00:00Z", views: 2)
            try await lab.traffic(iu, .hour, "2025-12-02T04:00:00Z", views: 4)
            try await lab.traffic(iu, .hour, "2025-12-02T05:00:00Z", views: 8)
            let answer = try await lab.traffic(iu, "2025-11-30", "2025-12-02", timeZone: "America/New_York")
            #expect(answer.traffic.map(\.numbers.pageViews) == [1, 6, 8])
            #expect(answer.timeZone == "America/New_York")
        }
    }

    /// The last day before the one that Samoa left out, the one that it left out, and the next one.
    @Test func aDayThatAZoneLeftOutHoldsNothing() async throws {
        try await Lab.with { lab in
            try await lab.traffic(iu, .hour, "2011-12-30T09:00:00Z", views: 1)
            try await lab.traffic(iu, .hour, "2011-12-30T10:00:00Z", views: 2)
            let daily = try await lab.traffic(iu, "2011-12-29", "2011-12-31", timeZone: "Pacific/Apia")
            #expect(daily.traffic.map(\.numbers.pageViews) == [1, 0, 2])
            let revenue = try await lab.revenue("2011-12-29", "2011-12-31", timeZone: "Pacific/Apia")
            #expect(revenue.data.count == 3)
        }
    }

    @Test func sumsAgreeAtEveryGranularity() async throws {
        var random = SeededGenerator()
        try await Lab.with { lab in
            let calendar = ReportingCalendar.seoul
            var days: [Day: Int64] = [:]
            var months: [Day: Int64] = [:]
            for _ in 0..<60 {
                let day = Day("2025-11-01")! + Int.random(in: 0..<34, using: &random)
                let hour = calendar.start(of: day) + Int64.random(in: 0..<24, using: &random) * ReportingCalendar.hourMs
                let views = Int64.random(in: 1...9, using: &random)
                try await lab.execute(
                    """
                    INSERT INTO artist_traffic_hourly
                    VALUES ('iu', \(PostgresTimestamp(ms: hour)), \(views), 0, \(views), 0, 0, \(VisitorSketch().bytes))
                    ON CONFLICT (artist_id, hour) DO UPDATE SET page_views = artist_traffic_hourly.page_views + \(views)
                    """)
                days[day, default: 0] += views
                months[day.firstOfMonth, default: 0] += views
            }
            for (day, views) in days { try await lab.traffic(iu, .day, day.description, views: views) }
            for (month, views) in months { try await lab.traffic(iu, .month, month.description, views: views) }
            for zone in [nil, "UTC"] {
                let start = zone == nil ? "2025-11-05" : nil
                var totals: Set<Int64> = []
                for granularity in Granularity.allCases {
                    totals.insert(
                        try await lab.traffic(
                            iu, start ?? "2025-11-05", "2025-12-03", granularity, timeZone: zone
                        ).total.pageViews)
                }
                #expect(totals.count == 1, "\(random)")
            }
        }
    }

    /// Ids can be made up so that a few thousand fill a sketch, which then says billions.
    @Test func thereAreNoMoreVisitorsThanBeacons() async throws {
        try await Lab.with { lab in
            for day in ["2025-12-01", "2025-12-02"] {
                try await lab.traffic(iu, .day, day, views: 1, visitors: 0..<5000, beacons: 7)
            }
            let answer = try await lab.traffic(iu, "2025-12-01", "2025-12-02")
            #expect(answer.traffic.map(\.numbers.uniqueVisitors) == [7, 7])
            #expect(answer.total.uniqueVisitors == 14)
            let top = try await lab.engine.top(
                TopQuestion(
                    by: .artist, metric: .uniqueVisitors,
                    period: Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-02")!)))
            #expect(top.rows.map(\.value) == [14])
        }
    }

    // MARK: Freshness

    @Test func asOfIsTheEarliestOfNodesAndPendingBatches() async throws {
        try await Lab.with { lab in
            func asOf() async throws -> String {
                Instant.iso8601(try await lab.traffic(iu, "2025-12-01", "2025-12-01").freshness.asOf)
            }
            #expect(try await asOf() == "2025-12-05T10:30:00.000Z")
            try await lab.shipped("drained", through: "infinity")
            #expect(try await asOf() == "2025-12-05T10:30:00.000Z")
            try await lab.shipped("ahead", through: "2025-12-05T11:00:00Z")
            #expect(try await asOf() == "2025-12-05T10:30:00.000Z")
            try await lab.shipped("live", through: "2025-12-05T10:29:59.500Z")
            #expect(try await asOf() == "2025-12-05T10:29:59.500Z")
            try await lab.pending(1, receivedAt: "2025-12-05T10:29:58Z")
            try await lab.pending(2, receivedAt: "2025-12-05T10:29:59Z")
            #expect(try await asOf() == "2025-12-05T10:29:58.000Z")
            try await lab.execute(
                """
                INSERT INTO damaged_batches (received_day, node, seq, beacons, received_at, reason)
                VALUES ('2025-12-05', 'n', 9, 1, '2025-12-05T09:00:00Z', 'checksum')
                """)
            #expect(try await asOf() == "2025-12-05T09:00:00.000Z")
            try await lab.shipped("dead", through: "2025-12-01T15:00:00Z")
            #expect(try await asOf() == "2025-12-01T15:00:00.000Z")
        }
    }

    @Test func answersAreCompleteOnceTheirLastBucketEnded() async throws {
        try await Lab.with { lab in
            #expect(try await lab.traffic(iu, "2025-12-01", "2025-12-04").complete)
            #expect(try await !lab.traffic(iu, "2025-12-01", "2025-12-05").complete)
            // 2025-12-05 begins in Seoul at 15:00 UTC of the day before.
            try await lab.shipped("live", through: "2025-12-04T14:59:59.999Z")
            #expect(try await !lab.traffic(iu, "2025-12-01", "2025-12-04").complete)
            try await lab.execute("UPDATE spool_positions SET shipped_through = '2025-12-04T15:00:00Z'")
            #expect(try await lab.traffic(iu, "2025-12-01", "2025-12-04").complete)
            #expect(try await lab.traffic(iu, "2025-12-01", "2025-12-03", .weekly).complete)
        }
    }

    // MARK: The tail in Redis

    private func withTail(_ body: (Lab, TestRedis) async throws -> Void) async throws {
        try await withRedis { redis in
            try await Lab.with(redis: redis.configuration) { lab in
                // Counters are asked only while something waits to be folded.
                try await lab.pending(1, receivedAt: "2025-12-05T10:00:00Z")
                try await body(lab, redis)
            }
        }
    }

    private func count(_ views: Int, _ key: RedisArgument, in redis: TestRedis) async throws {
        try await redis.pool.withConnection { _ = try $0.command(["SET", key, RedisArgument(views)]) }
    }

    @Test(arguments: Granularity.allCases)
    func todaysViewsAreTheGreaterOfRollupAndRedis(_ granularity: Granularity) async throws {
        try await withTail { lab, redis in
            try await lab.traffic(iu, .day, "2025-12-04", views: 100)
            try await lab.traffic(iu, .day, "2025-12-05", views: 10)
            try await lab.traffic(iu, .month, "2025-12-01", views: 110)
            try await lab.traffic(iu, .hour, "2025-12-04T14:00:00Z", views: 100)
            try await lab.traffic(iu, .hour, "2025-12-04T15:00:00Z", views: 10)
            func views() async throws -> (last: Int64?, total: Int64) {
                let answer = try await lab.traffic(iu, "2025-12-01", "2025-12-05", granularity)
                // In hours, that of now.
                let last = granularity == .hourly ? answer.traffic[4 * 24 + 19] : answer.traffic.last
                return (last?.numbers.pageViews, answer.total.pageViews)
            }
            let before = try await views()
            #expect(before.total == 110)
            try await count(9, "artist:iu:views:20251205", in: redis)
            try await count(5000, "artist:iu:views:20251204", in: redis)
            try await count(5000, "event:iu:views:20251205", in: redis)
            #expect(try await views() == before)
            try await count(17, "artist:iu:views:20251205", in: redis)
            let after = try await views()
            #expect(after.last == before.last! + 7)
            #expect(after.total == 117)
        }
    }

    @Test func todayIsToldApartAlsoWhereTheMonthIsWhole() async throws {
        try await withTail { lab, redis in
            try await lab.traffic(iu, .month, "2025-12-01", views: 110)
            try await lab.traffic(iu, .day, "2025-12-05", views: 10)
            try await lab.traffic(iu, .day, "2025-12-01", views: 100)
            try await count(17, "artist:iu:views:20251205", in: redis)
            #expect(try await lab.traffic(iu, "2025-12-01", "2025-12-31", .monthly).total.pageViews == 117)
        }
    }

    @Test func theTailIsOnlyForTodayInTheReportingZone() async throws {
        try await withTail { lab, redis in
            try await count(17, "artist:iu:views:20251205", in: redis)
            try await count(18, "event:e1:views:20251205", in: redis)
            #expect(try await lab.traffic(iu, "2025-12-01", "2025-12-04").total.pageViews == 0)
            #expect(try await lab.traffic(iu, "2025-12-01", "2025-12-05", timeZone: "UTC").total.pageViews == 0)
            #expect(try await lab.traffic(.event("e1"), "2025-12-01", "2025-12-05").total.pageViews == 18)
        }
    }

    @Test func withNothingPendingACounterThatHasRepeatsIsNotBelieved() async throws {
        try await withTail { lab, redis in
            _ = try await lab.execute("DELETE FROM rollup_pending")
            try await lab.traffic(iu, .day, "2025-12-05", views: 10)
            try await count(17, "artist:iu:views:20251205", in: redis)
            #expect(try await lab.traffic(iu, "2025-12-05", "2025-12-05").total.pageViews == 10)
        }
    }

    @Test func withoutRedisTheRollupsStandAlone() async throws {
        let nowhere = try RedisConfiguration(url: "redis+unix:///nonexistent/redis.sock")
        try await Lab.with(redis: nowhere) { lab in
            try await lab.traffic(iu, .day, "2025-12-05", views: 10)
            #expect(try await lab.traffic(iu, "2025-12-05", "2025-12-05").total.pageViews == 10)
        }
    }

    @Test func aCounterThatIsNoNumberIsPassedOver() async throws {
        try await withTail { lab, redis in
            try await lab.traffic(iu, .day, "2025-12-05", views: 10)
            try await redis.pool.withConnection { _ = try $0.command(["SET", "artist:iu:views:20251205", "many"]) }
            #expect(try await lab.traffic(iu, "2025-12-05", "2025-12-05").total.pageViews == 10)
            try await redis.pool.withConnection {
                _ = try $0.command(["DEL", "artist:iu:views:20251205"])
                _ = try $0.command(["LPUSH", "artist:iu:views:20251205", "1"])
            }
            #expect(try await lab.traffic(iu, "2025-12-05", "2025-12-05").total.pageViews == 10)
        }
    }
}
