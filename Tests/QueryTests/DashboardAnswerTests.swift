import Core
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct DashboardAnswerTests {
    @Test func anEmptyDatabaseHasADashboard() async throws {
        try await Lab.with { lab in
            let answer = try await lab.engine.dashboard()
            func compared(_ name: String) -> String { #""\#(name)":{"value":0,"previous":0,"change":null}"# }
            func totals(_ start: String, _ end: String) -> String {
                #"{"period":{"start":"\#(start)","end":"\#(end)"},"#
                    + ["pageViews", "uniqueVisitors", "avgSessionDuration", "sessions"].map(compared).joined(
                        separator: ",")
                    + #","currency":"KRW","# + compared("revenue") + "," + compared("ticketsSold")
                    + #","otherCurrencies":[]}"#
            }
            #expect(
                answer.json == #"{"today":"# + totals("2025-12-05", "2025-12-05") + #","last30Days":"#
                    + totals("2025-11-06", "2025-12-05")
                    + #","topArtists":[],"topEvents":[],"visitorsLast5Minutes":null,"#
                    + #""funnel":{"views":0,"seatViews":0,"reservations":0,"payments":0},"#
                    + #""freshness":{"asOf":"2025-12-05T10:30:00.000Z","pendingBatches":0,"oldestPending":null},"#
                    + #""asOf":"2025-12-05T10:30:00.000Z","complete":false}"#)
        }
    }

    @Test func totalsAreComparedWithThePeriodBefore() async throws {
        try await Lab.with { lab in
            for (day, views, visitors) in [
                ("2025-12-05", 30, 0..<4), ("2025-12-04", 20, 2..<6), ("2025-11-06", 100, 8..<9),
                ("2025-11-05", 60, 0..<2), ("2025-10-07", 40, 1..<4), ("2025-10-06", 9_999_999, 0..<100),
            ] as [(String, Int64, Range<Int>)] {
                try await lab.traffic(
                    .site, .day, day, views: views, seats: 2, sessions: 1, ms: 4000, visitors: visitors)
            }
            let answer = try await lab.engine.dashboard()
            #expect(answer.today.compared(\.pageViews) == .init(value: 30, previous: 20))
            #expect(answer.today.compared(\.pageViews).change == 500)
            #expect(answer.today.compared(\.uniqueVisitors) == .init(value: 4, previous: 4))
            #expect(answer.lastDays.compared(\.pageViews) == .init(value: 150, previous: 100))
            #expect(answer.lastDays.compared(\.uniqueVisitors) == .init(value: 7, previous: 4))
            #expect(answer.lastDays.compared(\.avgSessionDuration) == .init(value: 4, previous: 4))
            #expect(answer.funnel.views == 150)
            #expect(answer.funnel.seatViews == 6)
        }
    }

    @Test func currenciesStandApart() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.day, "2025-12-05", gross: 500, orders: 2, tickets: 4)
            try await lab.revenue(.day, "2025-12-04", gross: 400)
            try await lab.revenue(.day, "2025-11-05", gross: 300)
            try await lab.revenue(.day, "2025-12-04", currency: "USD", gross: 7)
            // How the rollup comes to know a currency.
            try await lab.revenue(.hour, "2025-12-05T00:00:00Z", gross: 500)
            try await lab.revenue(.hour, "2025-12-04T00:00:00Z", currency: "USD", gross: 7)
            // One that is in the ledger alone so far.
            try await lab.ledger("m1", "2025-12-04T20:00:00Z", currency: "EUR", amount: 9, tickets: 1)
            try await lab.dirty(.hour, "revenue", "", "2025-12-04T20:00:00Z")
            let answer = try await lab.engine.dashboard()
            #expect(answer.today.otherCurrencies == ["EUR", "USD"])
            #expect(answer.today.compared(\.revenue, in: "KRW") == .init(value: 500, previous: 400))
            #expect(answer.today.compared(\.revenue, in: "EUR") == .init(value: 9, previous: 0))
            #expect(answer.today.compared(\.revenue, in: "USD") == .init(value: 0, previous: 7))
            #expect(answer.lastDays.compared(\.revenue, in: "KRW") == .init(value: 900, previous: 300))
            #expect(answer.json.contains(#""otherCurrencies":[{"currency":"EUR","revenue":{"value":9,"#))
        }
    }

    @Test func theFunnelEndsInReservationsAndPayments() async throws {
        try await Lab.with { lab in
            for (id, confirmed) in [
                ("r1", "2025-11-05T15:00:00Z"), ("r2", "2025-12-05T14:59:59Z"), ("early", "2025-11-05T14:59:59Z"),
                ("late", "2025-12-05T15:00:00Z"),
            ] {
                try await lab.execute(
                    """
                    INSERT INTO reservation_states (reservation_id, event_id, artist_id, confirmed_at)
                    VALUES (\(id), 'e', 'a', \(PostgresTimestamp(ms: Instant.parse(confirmed)!)))
                    """)
            }
            try await lab.execute("INSERT INTO reservation_states VALUES ('held', 'e', 'a', NULL, NULL)")
            try await lab.revenue(.hour, "2025-12-01T00:00:00Z", gross: 1, orders: 3)
            try await lab.revenue(.day, "2025-12-01", gross: 1, orders: 3)
            try await lab.revenue(.day, "2025-11-05", gross: 1, orders: 100)
            let answer = try await lab.engine.dashboard()
            #expect(answer.funnel.reservations == 2)
            #expect(answer.funnel.payments == 3)
        }
    }

    @Test func theBestArtistsAndEventsOfThirtyDaysAreNamed() async throws {
        try await Lab.with { lab in
            for number in 0..<12 {
                try await lab.traffic(.artist("a\(number)"), .day, "2025-12-01", views: Int64(100 + number))
            }
            try await lab.traffic(.artist("a0"), .day, "2025-11-05", views: 1000)
            try await lab.traffic(.event("e1"), .day, "2025-11-06", views: 5)
            try await lab.name(event: "e1", "콘서트")
            let answer = try await lab.engine.dashboard()
            #expect(answer.topArtists.map(\.key) == (2..<12).reversed().map { "a\($0)" })
            #expect(answer.json.contains(#""topEvents":[{"rank":1,"id":"e1","name":"콘서트","pageViews":5}]"#))
        }
    }

    @Test func visitorsOfTheLastFiveMinutesAreUnited() async throws {
        try await withRedis { redis in
            try await Lab.with(redis: redis.configuration) { lab in
                #expect(try await lab.engine.dashboard().visitorsLast5Minutes == 0)
                // It is 10:30:00 UTC.
                for (minute, visitors) in [
                    ("202512051030", ["a", "b"]), ("202512051026", ["b", "c"]), ("202512051025", ["old"]),
                    ("202512051031", ["new"]),
                ] {
                    try await redis.pool.withConnection { connection in
                        _ = try connection.command(
                            ["PFADD", RedisArgument("{visitors}:\(minute)")] + visitors.map { RedisArgument($0) })
                    }
                }
                #expect(try await lab.engine.dashboard().visitorsLast5Minutes == 3)
            }
        }
    }

    @Test func backlogsAreReported() async throws {
        try await Lab.with { lab in
            try await lab.pending(1, receivedAt: "2025-12-05T10:29:58Z")
            try await lab.pending(2, receivedAt: "2025-12-05T10:29:57Z")
            let freshness = try await lab.engine.dashboard().freshness
            #expect(freshness.pendingBatches == 2)
            #expect(freshness.oldestPending == Instant.parse("2025-12-05T10:29:57Z"))
            #expect(freshness.asOf == freshness.oldestPending)
        }
    }

    @Test func theSheetNamesEveryNumber() async throws {
        try await Lab.with { lab in
            try await lab.traffic(.site, .day, "2025-12-05", views: 1234)
            let text = AnswerFormat.table.render(try await lab.engine.dashboard())
            #expect(text.contains("today         page views             1,234       0       -\n"))
        }
    }
}
