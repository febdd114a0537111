import Core
import TestSupport
import Testing

@testable import Query

@Suite struct CoverTests {
    private func plan(_ start: String, _ end: String, _ granularity: Granularity, zone: String? = nil) throws
        -> PeriodPlan
    {
        try PeriodPlan(
            Period(startDate: Day(start), endDate: Day(end), granularity: granularity, timeZone: zone),
            PeriodPlanTests.context)
    }

    private func dirty(months: [String] = [], days: [String] = [], hours: [String] = []) -> DirtyBuckets {
        DirtyBuckets(
            months: Set(months.map { Day($0)! }), days: Set(days.map { Day($0)! }),
            hours: Set(hours.map { Instant.parse($0)! }), .seoul)
    }

    private func days(_ first: String, _ last: String) -> ClosedRange<Day> { Day(first)!...Day(last)! }

    private func instants(_ first: String, _ end: String) -> Range<Int64> {
        ReportingCalendar.seoul.start(of: Day(first)!)..<ReportingCalendar.seoul.start(of: Day(end)!)
    }

    @Test func cleanDaysAreReadInOneStretch() throws {
        let cover = Cover(try plan("2025-11-03", "2025-12-04", .daily), dirty: dirty())
        #expect(cover.days == [days("2025-11-03", "2025-12-04")])
        #expect(cover.months.isEmpty && cover.hours.isEmpty && cover.sources.isEmpty)
    }

    @Test func dirtyDaysAreReadFromTheirHours() throws {
        let cover = Cover(
            try plan("2025-11-01", "2025-11-30", .weekly),
            dirty: dirty(days: ["2025-11-10", "2025-11-11", "2025-11-30", "2025-12-01"]))
        #expect(cover.days == [days("2025-11-01", "2025-11-09"), days("2025-11-12", "2025-11-29")])
        #expect(cover.hours == [instants("2025-11-10", "2025-11-12"), instants("2025-11-30", "2025-12-01")])
    }

    @Test func wholeCleanMonthsAreReadFromMonthsForMonthlyAnswersOnly() throws {
        let monthly = Cover(try plan("2025-01-15", "2025-11-30", .monthly), dirty: dirty(days: ["2025-05-05"]))
        #expect(
            monthly.months == [days("2025-02-01", "2025-04-01"), days("2025-06-01", "2025-11-01")])
        #expect(
            monthly.days == [
                days("2025-01-15", "2025-01-31"), days("2025-05-01", "2025-05-04"), days("2025-05-06", "2025-05-31"),
            ])
        #expect(monthly.hours == [instants("2025-05-05", "2025-05-06")])
        #expect(Cover(try plan("2025-02-01", "2025-02-28", .daily), dirty: dirty()).months.isEmpty)
        #expect(Cover(try plan("2025-02-01", "2025-02-28", .weekly), dirty: dirty()).months.isEmpty)
    }

    @Test func aDirtyMonthIsReadFromItsDays() throws {
        let cover = Cover(try plan("2025-02-01", "2025-02-28", .monthly), dirty: dirty(months: ["2025-02-01"]))
        #expect(cover.months.isEmpty)
        #expect(cover.days == [days("2025-02-01", "2025-02-28")])
    }

    @Test func theMonthOfTheTailIsReadByDaysSoThatTodayStandsAlone() throws {
        let cover = Cover(try plan("2025-11-01", "2025-12-31", .monthly), dirty: dirty())
        #expect(cover.months == [days("2025-11-01", "2025-11-01")])
        #expect(cover.days == [days("2025-12-01", "2025-12-31")])
    }

    @Test func otherZonesAreReadFromHoursAlone() throws {
        let plan = try plan("2025-03-29", "2025-03-31", .daily, zone: "Europe/Berlin")
        let cover = Cover(plan, dirty: dirty(days: ["2025-03-30"]))
        #expect(cover.days.isEmpty && cover.months.isEmpty)
        #expect(cover.hours == [plan.start..<plan.end])
        #expect((plan.end - plan.start) / ReportingCalendar.hourMs == 71)
    }

    @Test func dirtyHoursAreReadFromTheirSourcesAndMakeTheirDayAndMonthDirty() throws {
        let stale = dirty(hours: ["2025-11-09T15:00:00Z", "2025-11-09T16:00:00Z", "2025-11-10T14:00:00Z"])
        #expect(stale.days == [Day("2025-11-10")!])
        #expect(stale.months == [Day("2025-11-01")!])
        let cover = Cover(try plan("2025-11-01", "2025-11-30", .monthly), dirty: stale)
        let day = instants("2025-11-10", "2025-11-11")
        let hour = ReportingCalendar.hourMs
        #expect(cover.sources == [day.lowerBound..<day.lowerBound + 2 * hour, day.upperBound - hour..<day.upperBound])
        #expect(cover.hours == [day.lowerBound + 2 * hour..<day.upperBound - hour])
        #expect(cover.days == [days("2025-11-01", "2025-11-09"), days("2025-11-11", "2025-11-30")])
    }

    /// Random dirt: whatever is read, each instant of the range is read exactly once.
    @Test func everyInstantIsCoveredOnce() throws {
        var random = SeededGenerator()
        for _ in 0..<300 {
            let first = Day("2024-01-01")! + Int.random(in: 0..<700, using: &random)
            let granularity = Granularity.allCases.randomElement(using: &random)!
            let length = Int.random(in: 1...min(granularity.maxDays, 200), using: &random)
            let zone = ["Asia/Seoul", "Europe/London"].randomElement(using: &random)!
            let plan = try plan(first.description, (first + (length - 1)).description, granularity, zone: zone)
            let stale = DirtyBuckets(
                months: Set((0..<2).map { _ in (first + Int.random(in: 0..<length, using: &random)).firstOfMonth }),
                days: Set((0..<3).map { _ in first + Int.random(in: 0..<length, using: &random) }),
                hours: Set(
                    (0..<2).map { _ in plan.start + Int64.random(in: 0..<Int64(length * 23), using: &random) * 3_600_000
                    }),
                plan.calendar)
            let cover = Cover(plan, dirty: stale)
            let calendar = plan.calendar
            var ranges = cover.hours + cover.sources
            ranges += cover.days.map { calendar.start(of: $0.lowerBound)..<calendar.start(of: $0.upperBound + 1) }
            ranges += cover.months.map {
                calendar.start(of: $0.lowerBound)..<calendar.start(of: $0.upperBound.firstOfNextMonth)
            }
            ranges.sort { $0.lowerBound < $1.lowerBound }
            #expect(ranges.first?.lowerBound == plan.start, "\(random)")
            #expect(ranges.last?.upperBound == plan.end, "\(random)")
            for (left, right) in zip(ranges, ranges.dropFirst()) {
                #expect(left.upperBound == right.lowerBound, "\(random)")
            }
        }
    }
}
