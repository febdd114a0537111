import Core
import Foundation
import TestSupport
import Testing

@Suite struct ReportingCalendarTests {
    // MARK: Days

    /// Where days begin and how many hours they have, by the tz database.
    @Test(arguments: [
        ("Asia/Seoul", "2025-12-01", "2025-11-30T15:00:00.000Z", 24),
        ("Asia/Seoul", "1988-05-08", "1988-05-07T15:00:00.000Z", 23),
        ("Asia/Seoul", "1988-10-09", "1988-10-08T14:00:00.000Z", 25),
        ("UTC", "1969-12-31", "1969-12-31T00:00:00.000Z", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z", 23),
        ("Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00.000Z", 25),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00.000Z", 23),
        ("America/New_York", "2025-11-02", "2025-11-02T04:00:00.000Z", 25),
        // No midnight: 00:00 is 01:00 at once.
        ("America/Sao_Paulo", "2017-10-14", "2017-10-14T03:00:00.000Z", 24),
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00.000Z", 23),
        ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00.000Z", 23),
        ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00:00.000Z", 23),
        ("Asia/Amman", "2021-03-26", "2021-03-25T22:00:00.000Z", 23),
        ("America/Havana", "2023-03-12", "2023-03-12T05:00:00.000Z", 23),
        ("Atlantic/Azores", "2023-03-26", "2023-03-26T01:00:00.000Z", 23),
        // 24:00 is 23:00 again.
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00.000Z", 25),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00.000Z", 24),
        ("Africa/Cairo", "2023-10-26", "2023-10-25T21:00:00.000Z", 25),
        ("Africa/Cairo", "2023-10-27", "2023-10-26T22:00:00.000Z", 24),
        ("Asia/Beirut", "2024-10-26", "2024-10-25T21:00:00.000Z", 25),
        // Two midnights: 01:00 is 00:00 again.
        ("Asia/Amman", "2021-10-28", "2021-10-27T21:00:00.000Z", 24),
        ("Asia/Amman", "2021-10-29", "2021-10-28T21:00:00.000Z", 25),
        ("America/Havana", "2023-11-05", "2023-11-05T04:00:00.000Z", 25),
        ("Atlantic/Azores", "2023-10-29", "2023-10-29T00:00:00.000Z", 25),
        // 00:01 is 23:01 again: the hour counts for the day in which it begins.
        ("America/Goose_Bay", "2010-11-06", "2010-11-06T03:00:00.000Z", 24),
        ("America/Goose_Bay", "2010-11-07", "2010-11-07T03:00:00.000Z", 25),
        // Half an hour off until 1982.
        ("Asia/Singapore", "1981-06-01", "1981-05-31T17:00:00.000Z", 24),
        // The day that Samoa left out.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00.000Z", 24),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z", 0),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z", 24),
    ])
    func daysBeginAtTheirFirstHour(zone: String, day: String, start: String, hours: Int64) throws {
        let calendar = try ReportingCalendar(identifier: zone)
        let range = calendar.range(of: Day(day)!)
        #expect(Instant.iso8601(range.lowerBound) == start)
        #expect((range.upperBound - range.lowerBound) == hours * ReportingCalendar.hourMs)
    }

    /// Around every change of the clocks since 2000, hour by hour, in every zone that is taken.
    @Test func hoursLieInTheirDaysAroundEveryChange() throws {
        var changes = 0
        var wrong: Set<String> = []
        for calendar in Self.zones {
            var foundation = Calendar(identifier: .gregorian)
            foundation.timeZone = calendar.timeZone
            for change in Self.changes(calendar.timeZone) {
                changes += 1
                let hour = ReportingCalendar.startOfHour(change)
                let day = calendar.day(of: hour)
                for other in (-2...2).map({ day + $0 }) {
                    // The first hour that isn't before the day, looked for by hand.
                    var first = Int64(other.daysSince1970) * 86_400_000 - 28 * ReportingCalendar.hourMs
                    while Self.day(of: first, foundation) < other { first += ReportingCalendar.hourMs }
                    if calendar.start(of: other) != first { wrong.insert("\(calendar.identifier) \(other)") }
                }
                for near in stride(from: hour - 3 * 3_600_000, through: hour + 3 * 3_600_000, by: 3_600_000) {
                    let day = calendar.day(of: near)
                    if day != Self.day(of: near, foundation) || !calendar.range(of: day).contains(near) {
                        wrong.insert("\(calendar.identifier) \(Instant.iso8601(near))")
                    }
                }
            }
        }
        #expect(Self.zones.count > 300)
        #expect(changes > 5000)
        // The crew of Casey set their clocks from 02:00 back to 23:00: two hours of the next day lie before the last one
        // of the day.
        wrong.subtract([
            "Antarctica/Casey 2010-03-05", "Antarctica/Casey 2010-03-04T13:00:00.000Z",
            "Antarctica/Casey 2010-03-04T14:00:00.000Z",
        ])
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.sorted().prefix(20))")
    }

    @Test func daysOfInstantsAreThoseOfFoundation() throws {
        var random = SeededGenerator()
        print(random)
        let range = Instant.parse("2000-01-01T00:00:00Z")!..<Instant.parse("2040-01-01T00:00:00Z")!
        for zone in ["Asia/Seoul", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Pacific/Apia", "UTC"] {
            let calendar = try ReportingCalendar(identifier: zone)
            var foundation = Calendar(identifier: .gregorian)
            foundation.timeZone = calendar.timeZone
            var lookup = DayLookup(calendar)
            for _ in 0..<2000 {
                let instant = Int64.random(in: range, using: &random)
                let day = calendar.day(of: instant)
                try #require(day == Self.day(of: instant, foundation), "\(zone) \(instant)")
                try #require(calendar.range(of: day).contains(instant), "\(zone) \(instant)")
                for near in [instant, instant + 1, instant - 1, ReportingCalendar.startOfHour(instant)] {
                    try #require(lookup.day(of: near) == calendar.day(of: near), "\(zone) \(near)")
                }
            }
        }
    }

    @Test func hoursBeginOnTheHour() {
        let hour = Instant.parse("2025-12-01T13:00:00Z")!
        for ms: Int64 in [0, 1, 1_800_000, 3_599_999] { #expect(ReportingCalendar.startOfHour(hour + ms) == hour) }
        #expect(ReportingCalendar.startOfHour(hour - 1) == hour - ReportingCalendar.hourMs)
        #expect(ReportingCalendar.startOfHour(-1) == -ReportingCalendar.hourMs)
    }

    @Test(arguments: [
        ("Asia/Seoul", "2025-12-01T04:00:00Z", "2025-12-01T13:00+09:00"),
        ("UTC", "2025-12-01T04:00:00Z", "2025-12-01T04:00+00:00"),
        ("America/New_York", "2025-11-02T05:00:00Z", "2025-11-02T01:00-04:00"),
        ("America/New_York", "2025-11-02T06:00:00Z", "2025-11-02T01:00-05:00"),
        ("America/Sao_Paulo", "2017-10-15T03:00:00Z", "2017-10-15T01:00-02:00"),
        ("Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29T23:00-10:00"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31T00:00+14:00"),
    ])
    func hoursAreLabelledWithTheirOffset(zone: String, instant: String, label: String) throws {
        #expect(try ReportingCalendar(identifier: zone).hourLabel(Instant.parse(instant)!) == label)
    }

    // MARK: Zones

    /// Offsets that are, were or will for half of the year be no whole hours.
    @Test(arguments: [
        "Asia/Kathmandu", "Asia/Kolkata", "Asia/Kabul", "Asia/Tehran", "Asia/Yangon", "Asia/Colombo", "Asia/Pyongyang",
        "America/Caracas", "America/St_Johns", "Australia/Adelaide", "Australia/Darwin", "Australia/Eucla",
        "Australia/Lord_Howe", "Indian/Cocos", "Pacific/Chatham", "Pacific/Marquesas", "Pacific/Norfolk",
    ])
    func zonesBesideTheHourAreRefused(zone: String) {
        #expect(throws: ReportingCalendar.InvalidTimeZone.fractionalOffset(zone)) {
            try ReportingCalendar(identifier: zone)
        }
    }

    @Test(arguments: ["Mars/Olympus", "Asia/Seoul ", "Seoul", "../etc/passwd", "\u{0}"])
    func whatIsNoZoneIsRefused(zone: String) {
        #expect(throws: ReportingCalendar.InvalidTimeZone.unknown(zone)) { try ReportingCalendar(identifier: zone) }
    }

    /// None slips through between the moments that are looked at.
    @Test func zonesThatAreTakenHaveWholeHours() {
        for calendar in Self.zones {
            #expect(
                Self.changes(calendar.timeZone).allSatisfy { change in
                    [-1, 0].allSatisfy { calendar.offsetMs(at: change + $0) % ReportingCalendar.hourMs == 0 }
                }, "\(calendar.identifier)")
        }
    }

    // MARK: Model

    private static let zones = TimeZone.knownTimeZoneIdentifiers.compactMap { try? ReportingCalendar(identifier: $0) }

    /// From 2000 to 2040.
    private static func changes(_ zone: TimeZone) -> [Int64] {
        let end = Date(timeIntervalSince1970: 2_208_988_800)
        var changes: [Int64] = []
        var date = Date(timeIntervalSince1970: 946_684_800)
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next < end, next > date {
            changes.append(Int64(next.timeIntervalSince1970 * 1000))
            date = next
        }
        return changes
    }

    private static func day(of instant: Int64, _ calendar: Calendar) -> Day {
        let parts = calendar.dateComponents(
            [.year, .month, .day], from: Date(timeIntervalSince1970: Double(instant) / 1000))
        return Day(year: parts.year!, month: parts.month!, day: parts.day!)!
    }
}
