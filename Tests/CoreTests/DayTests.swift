import Core
import Foundation
import Testing

@Suite struct DayTests {
    /// Two whole cycles of leap years.
    static let days = Day(year: 1600, month: 1, day: 1)!...Day(year: 2400, month: 12, day: 31)!

    /// Days are proleptic Gregorian; Foundation's Gregorian calendar is Julian before 1582-10-15, ISO 8601's is not.
    private static let foundation: Calendar = {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        return calendar
    }()

    @Test func daysAreThoseOfFoundation() throws {
        var day = Self.days.lowerBound
        #expect(Self.days.upperBound - day == 292_559)
        var wrong: [String] = []
        while day <= Self.days.upperBound {
            let date = Date(timeIntervalSince1970: Double(day.daysSince1970) * 86_400)
            let parts = Self.foundation.dateComponents(
                [.year, .month, .day, .weekday, .yearForWeekOfYear, .weekOfYear], from: date)
            let (year, month, number) = (parts.year!, parts.month!, parts.day!)
            if day.civil != (year, month, number) || day.isoWeekday != (parts.weekday! + 5) % 7 + 1
                || day.isoWeek != (parts.yearForWeekOfYear!, parts.weekOfYear!)
                || Day(year: year, month: month, day: number) != day
            {
                wrong.append("\(day)")
            }
            day = day + 1
        }
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
    }

    /// Each derived from its neighbours, without any arithmetic of civil dates.
    @Test func monthsAndWeeksBeginWhereTheyShould() {
        var day = Self.days.lowerBound
        var (first, monday) = (day, day - 5)
        var wrong: [Day] = []
        while day <= Self.days.upperBound {
            if day.civil.day == 1 { first = day }
            if day - monday == 7 { monday = day }
            if day.firstOfMonth != first || day.mondayOfWeek != monday
                || (day + 1).civil.day == 1 && day.firstOfNextMonth != day + 1
                || day.firstOfNextMonth.firstOfMonth != day.firstOfNextMonth
                || !(28...31).contains(day.firstOfNextMonth - first)
            {
                wrong.append(day)
            }
            day = day + 1
        }
        // 1600-01-01 was a Saturday.
        #expect(Self.days.lowerBound.isoWeekday == 6)
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5))")
    }

    @Test(arguments: [
        (1600, true), (1700, false), (1900, false), (1996, true), (2000, true), (2023, false), (2024, true),
        (2100, false), (2400, true),
    ])
    func leapYears(year: Int, isLeap: Bool) {
        #expect((Day(year: year, month: 2, day: 29) != nil) == isLeap)
        #expect(Day(year: year + 1, month: 1, day: 1)! - Day(year: year, month: 1, day: 1)! == (isLeap ? 366 : 365))
        #expect(
            Day(year: year, month: 2, day: 1)!.firstOfNextMonth - Day(year: year, month: 2, day: 1)!
                == (isLeap ? 29 : 28))
    }

    /// ISO weeks around new year, by the standard's own examples and others.
    @Test(arguments: [
        ("2005-01-01", "2004-W53"), ("2005-01-02", "2004-W53"), ("2005-12-31", "2005-W52"),
        ("2006-01-01", "2005-W52"), ("2006-01-02", "2006-W01"), ("2007-01-01", "2007-W01"),
        ("2007-12-30", "2007-W52"), ("2007-12-31", "2008-W01"), ("2008-01-01", "2008-W01"),
        ("2008-12-28", "2008-W52"), ("2008-12-29", "2009-W01"), ("2009-12-31", "2009-W53"),
        ("2010-01-03", "2009-W53"), ("2010-01-04", "2010-W01"), ("2020-12-31", "2020-W53"),
        ("2021-01-03", "2020-W53"), ("2024-12-29", "2024-W52"), ("2024-12-30", "2025-W01"),
        ("2026-12-31", "2026-W53"), ("2027-01-03", "2026-W53"), ("2025-12-01", "2025-W49"),
    ])
    func isoWeeks(day: String, week: String) {
        #expect(Day(day)?.yearWeek == week)
    }

    @Test func textsAreOfOneForm() {
        let day = Day("2025-12-01")!
        #expect(day.daysSince1970 == 20_423)
        #expect("\(day)" == "2025-12-01" && day.compact == "20251201" && day.yearMonth == "2025-12")
        #expect(Day("1970-01-01")?.daysSince1970 == 0)
        #expect(Day("0001-01-01").map { "\($0) \($0.compact) \($0.yearMonth)" } == "0001-01-01 00010101 0001-01")
        #expect(Day("9999-12-31").map { "\($0)" } == "9999-12-31")
        for text in [
            "", "2025", "2025-12", "2025-12-1", "2025-1-01", "25-12-01", "2025-12-011", "02025-12-01", "2025/12/01",
            "20251201", "2025-12-01 ", " 2025-12-1", "2025-12-01T", "2025-13-01", "2025-00-01", "2025-12-00",
            "2025-12-32",
            "2025-04-31", "2025-02-29", "1900-02-29", "0000-01-01", "-001-01-01", "+025-12-01", "2025-+1-01",
            "2025-12-0x", "２０２５-12-01", "2025-W49-1", "2025\u{2d}12\u{2010}01",
        ] {
            #expect(Day(text) == nil, "\(text)")
        }
    }

    @Test func numbersBeyondTheCalendarAreNoDay() {
        for (year, month, day) in [
            (0, 1, 1), (-1, 1, 1), (10_000, 1, 1), (2025, 0, 1), (2025, 13, 1), (2025, 1, 0), (2025, 1, 32),
            (2025, 2, 30), (2025, 6, 31), (.min, 1, 1), (.max, 1, 1), (2025, .max, 1), (2025, 1, .min),
        ] {
            #expect(Day(year: year, month: month, day: day) == nil, "\(year)-\(month)-\(day)")
        }
    }

    @Test func daysAreCountedAndCompared() {
        let day = Day("2024-02-28")!
        #expect("\(day + 1)" == "2024-02-29" && "\(day + 2)" == "2024-03-01" && "\(day - 59)" == "2023-12-31")
        #expect(Day("2025-02-28")! - day == 366)
        #expect(day < day + 1 && !(day < day))
    }
}
