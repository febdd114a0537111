import Core
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct FunnelAnswerTests {
    private func reservation(_ id: String, _ event: String, _ confirmed: String, in lab: Lab) async throws {
        try await lab.execute(
            """
            INSERT INTO reservation_states (reservation_id, event_id, artist_id, confirmed_at)
            VALUES (\(id), \(event), 'iu', \(PostgresTimestamp(ms: Instant.parse(confirmed)!)))
            """)
    }

    @Test func everyStepIsInItsBucket() async throws {
        try await Lab.with { lab in
            try await lab.name(event: "e1", "콘서트")
            try await lab.traffic(.event("e1"), .day, "2025-12-01", views: 200, seats: 50)
            try await lab.traffic(.event("e1"), .day, "2025-12-02", views: 100, seats: 20)
            try await lab.traffic(.event("e2"), .day, "2025-12-02", views: 9, seats: 9)
            // The last instant of the 1st in Seoul, and the first of the 2nd.
            try await reservation("r1", "e1", "2025-12-01T14:59:59.999Z", in: lab)
            try await reservation("r2", "e1", "2025-12-01T15:00:00Z", in: lab)
            try await reservation("r3", "e1", "2025-12-02T15:00:00Z", in: lab)
            try await reservation("other", "e2", "2025-12-01T15:00:00Z", in: lab)
            // Payments are counted in whatever currency, those of another event are not.
            try await lab.revenue(.hour, "2025-12-01T00:00:00Z", gross: 1)
            try await lab.revenue(.hour, "2025-12-01T00:00:00Z", currency: "USD", gross: 1)
            try await lab.revenue(.day, "2025-12-01", gross: 10, refunds: 10, orders: 3)
            try await lab.revenue(.day, "2025-12-01", currency: "USD", gross: 10, orders: 4)
            try await lab.revenue(.day, "2025-12-01", event: "e2", gross: 10, orders: 99)
            try await lab.execute(
                """
                INSERT INTO event_booking_daily
                VALUES ('e1', '2025-12-01', \(Lab.sketch(0..<1).bytes), \(Lab.sketch(0..<0).bytes), 0, 6)
                """)
            let answer = try await lab.engine.funnel(
                FunnelQuestion(
                    eventID: "e1", period: Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-02")!)))
            #expect(
                answer.json
                    == #"{"eventId":"e1","eventName":"콘서트","period":{"start":"2025-12-01","end":"2025-12-02"},"#
                    + #""granularity":"daily","funnel":["#
                    + #"{"date":"2025-12-01","views":200,"seatViews":50,"reservations":1,"payments":7,"#
                    + #""viewers":0,"seatViewers":0,"reservers":1,"payers":0,"reservationsWithoutVisitor":0,"#
                    + #""paymentsWithoutVisitor":6},"#
                    + #"{"date":"2025-12-02","views":100,"seatViews":20,"reservations":1,"payments":0,"#
                    + #""viewers":0,"seatViewers":0,"reservers":0,"payers":0,"reservationsWithoutVisitor":0,"#
                    + #""paymentsWithoutVisitor":0}],"#
                    + #""total":{"views":300,"seatViews":70,"reservations":2,"payments":7,"#
                    + #""viewers":0,"seatViewers":0,"reservers":1,"payers":0,"reservationsWithoutVisitor":0,"#
                    + #""paymentsWithoutVisitor":6,"conversion":2.3,"visitorConversion":null},"#
                    + #""asOf":"2025-12-05T10:30:00.000Z","complete":true}"#)
            let table = AnswerFormat.table.render(answer)
            #expect(table.contains("2.3 payments for 100 views"))
            #expect(
                table.contains(
                    "0 of 2 reservations and 6 of 7 payments don't say whose they are: they are in no number of visitors"
                ))
        }
    }

    @Test func anEventWithoutAnythingHasAFunnel() async throws {
        try await Lab.with { lab in
            let answer = try await lab.engine.funnel(
                FunnelQuestion(eventID: "none", period: Period(granularity: .monthly)))
            #expect(answer.total == FunnelNumbers())
            #expect(answer.rows.count == 12)
            #expect(answer.json.contains(#""conversion":null"#))
            #expect(!answer.complete)
        }
    }

    /// Months, days of the hour and weeks say the same of whole months.
    @Test(arguments: [Granularity.daily, .weekly, .monthly])
    func sumsAgreeAtEveryGranularity(_ granularity: Granularity) async throws {
        try await Lab.with { lab in
            for (grain, at) in [(Grain.month, "2025-11-01"), (.day, "2025-11-20")] {
                try await lab.traffic(.event("e1"), grain, at, views: 12, seats: 5)
                try await lab.revenue(grain, at, gross: 1, orders: 3)
            }
            try await lab.revenue(.hour, "2025-11-20T00:00:00Z", gross: 1, orders: 3)
            try await reservation("r1", "e1", "2025-11-20T00:00:00Z", in: lab)
            let answer = try await lab.engine.funnel(
                FunnelQuestion(
                    eventID: "e1",
                    period: Period(
                        startDate: Day("2025-11-01")!, endDate: Day("2025-11-30")!, granularity: granularity)))
            #expect(answer.total == FunnelNumbers(views: 12, seatViews: 5, reservations: 1, payments: 3))
        }
    }
}
