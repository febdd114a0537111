/// A calendar day, independent of any time zone. Proleptic Gregorian.
package struct Day: Hashable, Comparable, Sendable {
    /// 0 is 1970-01-01.
    package var daysSince1970: Int

    package init(daysSince1970: Int) {
        self.daysSince1970 = daysSince1970
    }

    /// Nil where there is no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        self.init(daysSince1970: Self.days(year: year, month: month, day: day))
        guard civil == (year, month, day) else { return nil }
    }

    /// `2025-12-01`, nothing else.
    package init?(_ text: some StringProtocol) {
        let utf8 = Array(text.utf8)
        guard utf8.count == 10, utf8[4] == 0x2d, utf8[7] == 0x2d else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in utf8[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else { return nil }
        self.init(year: year, month: month, day: day)
    }

    package static func < (left: Day, right: Day) -> Bool { left.daysSince1970 < right.daysSince1970 }

    package static func + (day: Day, days: Int) -> Day { Day(daysSince1970: day.daysSince1970 + days) }
    package static func - (day: Day, days: Int) -> Day { Day(daysSince1970: day.daysSince1970 - days) }
    package static func - (left: Day, right: Day) -> Int { left.daysSince1970 - right.daysSince1970 }

    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    package var civil: (year: Int, month: Int, day: Int) {
        let z = daysSince1970 + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted + (shifted < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// 1 is Monday, 7 is Sunday.
    package var isoWeekday: Int {
        let offset = (daysSince1970 + 3) % 7
        return (offset < 0 ? offset + 7 : offset) + 1
    }

    package var firstOfMonth: Day {
        let (year, month, _) = civil
        return Day(daysSince1970: Self.days(year: year, month: month, day: 1))
    }

    package var firstOfNextMonth: Day {
        let (year, month, _) = civil
        return Day(
            daysSince1970: Self.days(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1))
    }

    /// The Monday of this day's ISO week.
    package var mondayOfWeek: Day { self - (isoWeekday - 1) }

    /// ISO 8601 week: the year that holds the week's Thursday, and the week's number in it.
    package var isoWeek: (year: Int, week: Int) {
        let thursday = mondayOfWeek + 3
        let year = thursday.civil.year
        return (year, (thursday.daysSince1970 - Self.days(year: year, month: 1, day: 1)) / 7 + 1)
    }
}

extension Day: CustomStringConvertible {
    /// `2025-12-01`
    package var description: String {
        let (year, month, day) = civil
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// `20251201`, as in the Redis counters' names.
    package var compact: String {
        let (year, month, day) = civil
        return "\(padded(year, 4))\(padded(month, 2))\(padded(day, 2))"
    }

    /// `2025-12`
    package var yearMonth: String {
        let (year, month, _) = civil
        return "\(padded(year, 4))-\(padded(month, 2))"
    }

    /// `2025-W49`
    package var yearWeek: String {
        let (year, week) = isoWeek
        return "\(padded(year, 4))-W\(padded(week, 2))"
    }
}

package func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
