package import Foundation

/// Turns instants (milliseconds since 1970) into the hours and days of one time zone, and back.
///
/// Hours are the grain of the rollups, so the zone's offset must be whole hours from 2000 on.
package struct ReportingCalendar: Sendable, Equatable {
    package enum InvalidTimeZone: Error, Equatable {
        case unknown(String)
        /// Its offset is not always whole hours: hourly rollups can't be cut into its days.
        case fractionalOffset(String)
    }

    package static let hourMs: Int64 = 3_600_000

    package let timeZone: TimeZone
    package var identifier: String { timeZone.identifier }

    package init(identifier: String) throws(InvalidTimeZone) {
        guard let zone = TimeZone(identifier: identifier) else { throw .unknown(identifier) }
        // Every quarter from 2000 to 2040: where a zone has changed to or from a fractional offset, it shows.
        for quarter in 0..<160 {
            let date = Date(timeIntervalSince1970: 946_684_800 + Double(quarter) * 7_889_400)
            guard zone.secondsFromGMT(for: date) % 3600 == 0 else { throw .fractionalOffset(identifier) }
        }
        timeZone = zone
    }

    /// Asia/Seoul: no daylight saving since 1988.
    package static let seoul = try! ReportingCalendar(identifier: "Asia/Seoul")

    package func offsetMs(at instant: Int64) -> Int64 {
        Int64(timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant) / 1000))) * 1000
    }

    package static func startOfHour(_ instant: Int64) -> Int64 {
        floorDiv(instant, hourMs) * hourMs
    }

    /// An hour is of the day in which it begins.
    package func day(of instant: Int64) -> Day {
        let hour = Self.startOfHour(instant)
        return Day(daysSince1970: Int(floorDiv(hour + offsetMs(at: hour), 86_400_000)))
    }

    /// The first hour of the day, or where the zone left the day out, of the next one.
    package func start(of day: Day) -> Int64 {
        let midnight = Int64(day.daysSince1970) * 86_400_000
        // Near it: where the clocks change, midnight may be missing or come twice.
        var hour = Self.startOfHour(midnight - offsetMs(at: midnight))
        while self.day(of: hour - Self.hourMs) >= day { hour -= Self.hourMs }
        while self.day(of: hour) < day { hour += Self.hourMs }
        return hour
    }

    /// The half-open range of instants that make up the day: 24 hours, more or fewer where the clocks change, none
    /// where the zone left the day out.
    package func range(of day: Day) -> Range<Int64> {
        start(of: day)..<start(of: day + 1)
    }

    /// `2025-12-01T13:00+09:00`
    package func hourLabel(_ instant: Int64) -> String {
        let offset = offsetMs(at: instant)
        let local = instant + offset
        let day = Day(daysSince1970: Int(floorDiv(local, 86_400_000)))
        let minutes = Int((local - Int64(day.daysSince1970) * 86_400_000) / 60_000)
        let offsetMinutes = Int(abs(offset) / 60_000)
        return "\(day)T\(padded(minutes / 60, 2)):\(padded(minutes % 60, 2))"
            + (offset < 0 ? "-" : "+") + "\(padded(offsetMinutes / 60, 2)):\(padded(offsetMinutes % 60, 2))"
    }
}

package func floorDiv(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
}

/// Days of many instants: remembers the hour it looked up last, within which the day can't change.
package struct DayLookup {
    private let calendar: ReportingCalendar
    private var hour = Int64.min
    private var day = Day(daysSince1970: 0)

    package init(_ calendar: ReportingCalendar) {
        self.calendar = calendar
    }

    package mutating func day(of instant: Int64) -> Day {
        let hour = ReportingCalendar.startOfHour(instant)
        if hour != self.hour {
            self.hour = hour
            day = calendar.day(of: instant)
        }
        return day
    }
}
