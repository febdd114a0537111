import Core
import Storage
import Testing

@testable import Query

@Suite struct RevenueAnswerTests {
    @Test func theAnswerHasTheContractsShape() async throws {
        try await Lab.with { lab in
            try await lab.name(artist: "iu", "아이유")
            try await lab.revenue(
                .day, "2025-12-01", gross: 300, refunds: 100, orders: 2, tickets: 3, refundedTickets: 1)
            try await lab.revenue(.day, "2025-12-01", artist: "bts", event: "e2", gross: 150, tickets: 1)
            try await lab.revenue(.day, "2025-12-02", artist: "bts", event: "e2", gross: 525, orders: 2, tickets: 2)
            let answer = try await lab.revenue("2025-12-01", "2025-12-03")
            #expect(
                answer.json == #"{"period":"daily","currency":"KRW","data":["#
                    + #"{"date":"2025-12-01","revenue":350,"ticketsSold":3,"refunds":100,"avgTicketPrice":117,"#
                    + #""topArtist":{"id":"iu","name":"아이유","revenue":200}},"#
                    + #"{"date":"2025-12-02","revenue":525,"ticketsSold":2,"refunds":0,"avgTicketPrice":263,"#
                    + #""topArtist":{"id":"bts","name":null,"revenue":525}},"#
                    + #"{"date":"2025-12-03","revenue":0,"ticketsSold":0,"refunds":0,"avgTicketPrice":null,"#
                    + #""topArtist":null}],"#
                    + #""summary":{"totalRevenue":875,"avgRevenue":292,"growthRate":-100.0},"#
                    + #""asOf":"2025-12-05T10:30:00.000Z","complete":true}"#)
        }
    }

    @Test func monthlyAnswersNameTheMonthAndItsAverage() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.month, "2025-10-01", gross: 1000)
            try await lab.revenue(.month, "2025-11-01", gross: 1250)
            let answer = try await lab.revenue("2025-10-01", "2025-11-30", .monthly)
            #expect(
                answer.json.hasPrefix(
                    #"{"period":"monthly","currency":"KRW","data":[{"date":"2025-10","month":"2025-10","revenue":1000,"#
                ))
            #expect(
                answer.json.contains(
                    #""summary":{"totalRevenue":2250,"avgRevenue":1125,"avgMonthlyRevenue":1125,"growthRate":25.0}"#))
        }
    }

    @Test func currenciesAreNeverAddedUp() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.day, "2025-12-01", gross: 1000)
            try await lab.revenue(.day, "2025-12-01", currency: "USD", gross: 5)
            #expect(try await lab.revenue("2025-12-01", "2025-12-01").total.revenue == 1000)
            #expect(try await lab.revenue("2025-12-01", "2025-12-01", currency: "USD").total.revenue == 5)
            #expect(try await lab.revenue("2025-12-01", "2025-12-01", currency: "JPY").total.revenue == 0)
        }
    }

    @Test func refundsInALaterMonthMakeItsRevenueNegative() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.month, "2025-10-01", gross: 1000, tickets: 2)
            try await lab.revenue(
                .month, "2025-11-01", gross: 0, refunds: 1000, orders: 0, tickets: 0, refundedTickets: 2)
            let answer = try await lab.revenue("2025-10-01", "2025-11-30", .monthly)
            #expect(answer.data.map(\.numbers.revenue) == [1000, -1000])
            #expect(answer.data.map(\.numbers.ticketsSold) == [2, -2])
            #expect(answer.data[1].numbers.avgTicketPrice == nil)
            #expect(answer.data[1].topArtist == nil)
            #expect(answer.growthRate == -2000)
        }
    }

    /// Not the beacons': payments may wait unread while beacons flow, and the other way round.
    @Test func revenueIsAsFreshAsItsMessages() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.day, "2025-12-03", gross: 100)
            try await lab.revenue(.day, "2025-12-04", gross: 50)
            try await lab.shipped("dead", through: "2025-12-01T00:00:00Z")
            let fresh = try await lab.revenue("2025-12-03", "2025-12-04")
            #expect(Instant.iso8601(fresh.freshness.asOf) == "2025-12-05T10:30:00.000Z")
            #expect(fresh.complete)
            #expect(fresh.growthRate == -500)
            try await lab.execute("INSERT INTO message_progress VALUES ('analytics', '2025-12-04T03:00:00Z')")
            let waiting = try await lab.revenue("2025-12-03", "2025-12-04")
            #expect(Instant.iso8601(waiting.freshness.asOf) == "2025-12-04T03:00:00.000Z")
            #expect(!waiting.complete)
            #expect(waiting.growthRate == nil)
            let asked = Period(startDate: Day("2025-12-03")!, endDate: Day("2025-12-04")!)
            let top = try await lab.engine.top(TopQuestion(by: .artist, metric: .revenue, period: asked))
            #expect(top.freshness.asOf == waiting.freshness.asOf)
            #expect(try await lab.engine.dashboard().freshness.asOf == Instant.parse("2025-12-01T00:00:00Z"))
            try await lab.execute("DELETE FROM spool_positions")
            #expect(try await lab.engine.dashboard().freshness.asOf == waiting.freshness.asOf)
        }
    }

    @Test func artistsAreToldApart() async throws {
        try await Lab.with { lab in
            for (artist, gross) in [("iu", 10), ("bts", 20), ("aespa", 20)] as [(String, Int64)] {
                try await lab.revenue(.day, "2025-12-01", artist: artist, event: artist, gross: gross)
            }
            #expect(try await lab.revenue("2025-12-01", "2025-12-01", artist: "iu").total.revenue == 10)
            let all = try await lab.revenue("2025-12-01", "2025-12-01")
            #expect(all.total.revenue == 50)
            // Of equals the first by id.
            #expect(all.data[0].topArtist?.id == "aespa")
        }
    }

    @Test func anArtistsEventsAreAddedUpBeforeTheTopIsChosen() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.day, "2025-12-01", artist: "bts", event: "e1", gross: 30)
            try await lab.revenue(.day, "2025-12-01", artist: "iu", event: "e2", gross: 20)
            try await lab.revenue(.day, "2025-12-02", artist: "iu", event: "e3", gross: 20)
            let week = try await lab.revenue("2025-12-01", "2025-12-07", .weekly)
            #expect(week.data.map(\.topArtist) == [.init(id: "iu", name: nil, revenue: 40)])
        }
    }

    @Test func dirtyHoursAreAddedUpFromTheLedger() async throws {
        try await Lab.with { lab in
            // What the tables say of 2025-12-02 is stale; its hours are right but for one.
            try await lab.revenue(.month, "2025-12-01", gross: 9_999_999)
            try await lab.revenue(.day, "2025-12-01", gross: 1)
            try await lab.revenue(.day, "2025-12-02", gross: 9_999_999)
            try await lab.revenue(.hour, "2025-12-01T15:00:00Z", gross: 20, tickets: 2)
            try await lab.revenue(.hour, "2025-12-02T03:00:00Z", gross: 9_999_999)
            try await lab.ledger("m1", "2025-12-02T03:00:00Z", amount: 300, tickets: 3)
            try await lab.ledger("m2", "2025-12-02T03:59:59.999Z", amount: -100, tickets: -1)
            try await lab.ledger("m3", "2025-12-02T04:00:00Z", amount: 7_777_777, tickets: 9)
            try await lab.ledger("m4", "2025-12-02T03:10:00Z", currency: "USD", amount: 5, tickets: 1)
            try await lab.dirty(.hour, "revenue", "", "2025-12-02T03:00:00Z")
            let days = try await lab.revenue("2025-12-01", "2025-12-02")
            #expect(days.data.map(\.numbers.revenue) == [1, 220])
            #expect(
                days.data[1].numbers
                    == RevenueNumbers(gross: 320, refunds: 100, orders: 2, tickets: 5, refundedTickets: 1))
            #expect(try await lab.revenue("2025-12-01", "2025-12-31", .monthly).data.map(\.numbers.revenue) == [221])
            #expect(try await lab.revenue("2025-12-02", "2025-12-02", currency: "USD").total.revenue == 5)
            #expect(try await lab.revenue("2025-12-02", "2025-12-02", artist: "bts").total.revenue == 0)
            // In another zone as well: 2025-12-02 in UTC has the dirty hour and none of the others.
            #expect(try await lab.revenue("2025-12-02", "2025-12-02", timeZone: "UTC").total.revenue == 200)
        }
    }

    @Test func dirtyDaysAndMonthsAreAddedUpFromHoursAndDays() async throws {
        try await Lab.with { lab in
            try await lab.revenue(.month, "2025-10-01", gross: 9_999_999)
            try await lab.revenue(.month, "2025-11-01", gross: 9_999_999)
            try await lab.revenue(.day, "2025-10-03", gross: 1)
            try await lab.revenue(.day, "2025-11-03", gross: 9_999_999)
            try await lab.revenue(.hour, "2025-11-03T00:00:00Z", gross: 2)
            try await lab.dirty(.month, "revenue", "", "2025-10-01")
            try await lab.dirty(.day, "revenue", "", "2025-11-03")
            #expect(try await lab.revenue("2025-10-01", "2025-11-30", .monthly).data.map(\.numbers.revenue) == [1, 2])
        }
    }

    // MARK: Growth

    private func growth(_ grosses: [String: Int64], _ start: String, _ end: String, _ granularity: Granularity = .daily)
        async throws -> Int64?
    {
        var result: Int64?
        try await Lab.with { lab in
            for (day, gross) in grosses { try await lab.revenue(.day, day, gross: gross) }
            result = try await lab.revenue(start, end, granularity).growthRate
        }
        return result
    }

    @Test func growthComparesTheLastTwoCompletePeriods() async throws {
        let days: [String: Int64] = ["2025-12-02": 5, "2025-12-03": 300, "2025-12-04": 400, "2025-12-05": 9]
        // Today, 2025-12-05, is not complete.
        #expect(try await growth(days, "2025-12-02", "2025-12-05") == 333)
        #expect(try await growth(days, "2025-12-02", "2025-12-31") == 333)
        #expect(try await growth(days, "2025-12-02", "2025-12-03") == 59000)
    }

    @Test func thePeriodBeforeMayLieBeforeTheRange() async throws {
        let days: [String: Int64] = ["2025-12-03": 200, "2025-12-04": 300]
        #expect(try await growth(days, "2025-12-04", "2025-12-04") == 500)
        #expect(try await growth(days, "2025-12-04", "2025-12-05") == 500)
        #expect(try await growth(days, "2025-12-05", "2025-12-05") == nil)
        try await Lab.with { lab in
            try await lab.revenue(.month, "2025-10-01", gross: 100)
            try await lab.revenue(.month, "2025-11-01", gross: 50)
            try await lab.revenue(.month, "2025-10-01", artist: "bts", event: "e9", gross: 900)
            #expect(try await lab.revenue("2025-11-01", "2025-11-30", .monthly).growthRate == -950)
            // Of the artist in question.
            let iu = try await lab.engine.revenue(
                RevenueQuestion(
                    period: Period(
                        startDate: Day("2025-11-01")!, endDate: Day("2025-12-31")!, granularity: .monthly),
                    artistID: "iu"))
            #expect(iu.growthRate == -500)
            #expect(iu.data.map(\.numbers.revenue) == [50, 0])
            #expect(iu.explanation.lines.last == "growth since revenue_monthly: 2025-10")
        }
    }

    @Test func growthIsNullWithoutAPeriodBefore() async throws {
        // What was before earned nothing, whether or not it lies in the range.
        let days: [String: Int64] = ["2025-12-04": 400]
        #expect(try await growth(days, "2025-12-04", "2025-12-04") == nil)
        #expect(try await growth(days, "2025-12-04", "2025-12-05") == nil)
        #expect(try await growth(days, "2025-12-05", "2025-12-05") == nil)
        #expect(try await growth(days, "2025-12-03", "2025-12-04") == nil)
    }

    @Test func weeksCutByTheRangeAreComparedWhole() async throws {
        let days: [String: Int64] = ["2025-11-12": 10, "2025-11-19": 100, "2025-11-26": 150]
        #expect(try await growth(days, "2025-11-10", "2025-11-30", .weekly) == 500)
        #expect(try await growth(days, "2025-11-18", "2025-11-30", .weekly) == 500)
        #expect(try await growth(days, "2025-11-10", "2025-11-29", .weekly) == 9000)
    }
}
