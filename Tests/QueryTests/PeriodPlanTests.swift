import Core
import Platform
import Testing

@testable import Query

@Suite struct PeriodPlanTests {
    /// 2025-12-05 19:30 in Seoul.
    static let context = PlanContext(now: Instant.parse("2025-12-05T10:30:00Z")!, reporting: .seoul)

    private func plan(
        _ start: String?, _ end: String?, _ granularity: Granularity = .daily, timeZone: String? = nil
    ) throws -> PeriodPlan {
        try PeriodPlan(
            Period(
                startDate: start.map { Day($0)! }, endDate: end.map { Day($0)! }, granularity: granularity,
                timeZone: timeZone), Self.context)
    }

    private func rejection(_ body: () throws -> PeriodPlan) -> InvalidParameter? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? InvalidParameter
        }
    }

    @Test func withoutDatesThirtyDaysEndToday() throws {
        let daily = try plan(nil, nil)
        #expect(daily.days == Day("2025-11-06")!...Day("2025-12-05")!)
        #expect(daily.buckets.count == 30)
        #expect(try plan(nil, nil, .weekly).days == daily.days)
    }

    @Test func withoutDatesMonthlyAnswersSpanTwelveMonths() throws {
        let monthly = try plan(nil, nil, .monthly)
        #expect(monthly.days == Day("2025-01-01")!...Day("2025-12-05")!)
        #expect(monthly.buckets.map(\.label).first == "2025-01")
        #expect(monthly.buckets.map(\.label).last == "2025-12")
        #expect(monthly.buckets.map(\.isWhole) == Array(repeating: true, count: 11) + [false])
    }

    @Test func anEndAloneIsReachedFromThirtyDaysBefore() throws {
        #expect(try plan(nil, "2025-03-02").days == Day("2025-02-01")!...Day("2025-03-02")!)
    }

    @Test func todayIsThatOfTheZoneAskedFor() throws {
        #expect(try plan(nil, nil, timeZone: "Pacific/Honolulu").days.upperBound == Day("2025-12-05"))
        #expect(try plan(nil, nil, timeZone: "Pacific/Auckland").days.upperBound == Day("2025-12-05"))
        let late = PlanContext(now: Instant.parse("2025-12-05T15:00:00Z")!, reporting: .seoul)
        #expect(try PeriodPlan(Period(), late).days.upperBound == Day("2025-12-06"))
        #expect(try PeriodPlan(Period(timeZone: "UTC"), late).days.upperBound == Day("2025-12-05"))
    }

    @Test func daysAreThoseOfTheReportingZone() throws {
        let bucket = try plan("2025-12-01", "2025-12-01").buckets[0]
        #expect(bucket.instants.lowerBound == Instant.parse("2025-11-30T15:00:00Z"))
        #expect(bucket.instants.upperBound == Instant.parse("2025-12-01T15:00:00Z"))
    }

    @Test func weeksBelongToTheYearOfTheirThursday() throws {
        let weeks = try plan("2024-12-23", "2026-01-04", .weekly).buckets
        #expect(weeks.first?.label == "2024-W52")
        #expect(weeks[1].label == "2025-W01")
        #expect(weeks[1].days == Day("2024-12-30")!...Day("2025-01-05")!)
        #expect(weeks.last?.label == "2026-W01")
        #expect(weeks.last?.days == Day("2025-12-29")!...Day("2026-01-04")!)
        #expect(!weeks.contains { !$0.isWhole })
        // 2020 had 53 weeks.
        #expect(try plan("2020-12-31", "2021-01-04", .weekly).buckets.map(\.label) == ["2020-W53", "2021-W01"])
    }

    @Test func weeksAndMonthsAtTheEdgesCountOnlyDaysInside() throws {
        let weeks = try plan("2025-12-03", "2025-12-09", .weekly).buckets
        #expect(weeks.map(\.label) == ["2025-W49", "2025-W50"])
        #expect(
            weeks.map(\.days) == [Day("2025-12-03")!...Day("2025-12-07")!, Day("2025-12-08")!...Day("2025-12-09")!])
        #expect(weeks.map(\.isWhole) == [false, false])
        let months = try plan("2025-01-31", "2025-03-01", .monthly).buckets
        #expect(months.map(\.label) == ["2025-01", "2025-02", "2025-03"])
        #expect(months.map { $0.days.dayCount } == [1, 28, 1])
        #expect(months.map(\.isWhole) == [false, true, false])
    }

    @Test(arguments: Granularity.allCases)
    func bucketsTileTheRange(_ granularity: Granularity) throws {
        for zone in ["Asia/Seoul", "Europe/Berlin", "America/New_York", "Africa/Casablanca"] {
            let plan = try plan("2025-10-20", "2025-11-05", granularity, timeZone: zone)
            #expect(plan.buckets.first?.instants.lowerBound == plan.calendar.start(of: plan.days.lowerBound))
            #expect(plan.end == plan.calendar.start(of: plan.days.upperBound + 1))
            for (left, right) in zip(plan.buckets, plan.buckets.dropFirst()) {
                #expect(left.instants.upperBound == right.instants.lowerBound)
            }
            #expect(Set(plan.buckets.map(\.label)).count == plan.buckets.count)
        }
    }

    /// Samoa went from 2011-12-29 to 2011-12-31.
    @Test func aDayThatAZoneLeftOutIsEmpty() throws {
        let days = try plan("2011-12-29", "2011-12-31", timeZone: "Pacific/Apia").buckets
        #expect(days.map(\.label) == ["2011-12-29", "2011-12-30", "2011-12-31"])
        #expect(days.map { ($0.instants.upperBound - $0.instants.lowerBound) / 3_600_000 } == [24, 0, 24])
        let hours = try plan("2011-12-29", "2011-12-31", .hourly, timeZone: "Pacific/Apia")
        #expect(hours.buckets.count == 48)
        #expect(Array(hours.buckets.map(\.label)[23...24]) == ["2011-12-29T23:00-10:00", "2011-12-31T00:00+14:00"])
        for granularity in Granularity.allCases {
            #expect(
                rejection { try plan("2011-12-30", "2011-12-30", granularity, timeZone: "Pacific/Apia") }?.detail
                    == "Pacific/Apia left out 2011-12-30: ask for other days")
        }
    }

    @Test func clockChangesMakeDaysOf23And25Hours() throws {
        let autumn = try plan("2025-11-02", "2025-11-02", .hourly, timeZone: "America/New_York").buckets.map(\.label)
        #expect(autumn.count == 25)
        #expect(Array(autumn[1...2]) == ["2025-11-02T01:00-04:00", "2025-11-02T01:00-05:00"])
        let spring = try plan("2025-03-09", "2025-03-09", .hourly, timeZone: "America/New_York").buckets.map(\.label)
        #expect(spring.count == 23)
        #expect(Array(spring[1...2]) == ["2025-03-09T01:00-05:00", "2025-03-09T03:00-04:00"])
    }

    @Test func onlyCalendarTablesOfTheReportingZoneAreUsed() throws {
        #expect(try plan("2025-12-01", "2025-12-05").source == .calendarTables)
        #expect(try plan("2025-12-01", "2025-12-05", .hourly).source == .hours)
        #expect(try plan("2025-12-01", "2025-12-05", timeZone: "UTC").source == .hours)
        #expect(try plan("2025-12-01", "2025-12-05", timeZone: "Asia/Seoul").source == .calendarTables)
    }

    @Test func theTailIsReadOnlyForTodayInTheReportingZone() throws {
        #expect(try plan("2025-12-01", "2025-12-05").tailDay == Day("2025-12-05"))
        #expect(try plan("2025-12-01", "2025-12-09").tailDay == Day("2025-12-05"))
        #expect(try plan("2025-12-01", "2025-12-04").tailDay == nil)
        #expect(try plan("2025-12-01", "2025-12-05", timeZone: "UTC").tailDay == nil)
    }

    @Test(arguments: [(Granularity.hourly, 31), (.daily, 1100), (.weekly, 1100), (.monthly, 3700)])
    func rangesAreBounded(_ granularity: Granularity, _ maxDays: Int) throws {
        let end = Day("2025-12-05")!
        #expect(try plan((end - (maxDays - 1)).description, end.description, granularity).days.dayCount == maxDays)
        #expect(
            rejection { try plan((end - maxDays).description, end.description, granularity) }
                == InvalidParameter(
                    field: "startDate",
                    detail: "startDate to endDate may span at most \(maxDays) days for \(granularity.rawValue) "
                        + "answers; these are \(maxDays + 1)"))
    }

    @Test func rangesOutsideTheReportingZoneAreBoundedBecauseEachHourIsARow() throws {
        #expect(try plan("2024-11-01", "2025-12-05", timeZone: "UTC").days.dayCount == 400)
        #expect(
            rejection { try plan("2024-10-31", "2025-12-05", .monthly, timeZone: "UTC") }?.detail
                == "startDate to endDate may span at most 400 days for monthly answers outside Asia/Seoul; these are 401"
        )
    }

    @Test func wrongQuestionsNameTheirField() {
        #expect(
            rejection { try plan("2025-12-02", "2025-12-01") }
                == InvalidParameter(field: "startDate", detail: "startDate must not be after endDate"))
        #expect(
            rejection { try plan("2025-12-06", nil) }
                == InvalidParameter(
                    field: "startDate",
                    detail: "startDate must not be after endDate, which is 2025-12-05 unless given"))
        #expect(rejection { try plan(nil, nil, timeZone: "Mars/Olympus") }?.field == "timezone")
        #expect(
            rejection { try plan(nil, nil, timeZone: "Asia/Kolkata") }?.detail
                == "timezone must be one whose offset is whole hours: traffic is kept by the hour")
    }
}
