import Core

/// What one batch adds to the counters in Redis. Pure.
struct CounterDeltas: Equatable {
    /// A counter's name occurs once.
    struct Counter: Equatable {
        var name: ExactText
        var views: Int64
        /// Seconds since 1970.
        var expires: Int64
    }

    private(set) var counters: [Counter] = []
    /// Distinct visitors by UTC minute of their beacon.
    var visitors: [Int64: Set<UInt64>] = [:]

    /// Minutes whose visitors and page views are still asked for.
    static let visitorMinutes: Int64 = 6
    /// How long such a minute is kept.
    static let minuteLifeMs: Int64 = 600_000
    static let maxVisitorsPerMinute = 100_000

    var isEmpty: Bool { counters.isEmpty && visitors.isEmpty }

    /// Counts the page views whose day's counters still live, and the visitors of the last minutes.
    init(_ batch: BeaconBatch, calendar: ReportingCalendar, now: Int64) {
        let today = calendar.day(of: now)
        let oldest = today - CounterKey.daysKept
        var lookup = DayLookup(calendar)
        let eventTypes = batch[.eventType]
        let pageView = (0..<eventTypes.valueCount).first { eventTypes.value($0).elementsEqual("page_view".utf8) }
            .map { UInt32($0 + 1) }
        let artists = batch[.artistId].codes
        let events = batch[.eventId].codes
        let visitorIds = batch[.visitorId].codes
        var days: [DayViews] = []
        var dayIndex = 0
        // The minute in which each visitor was last seen: once a minute is enough to hash him.
        var seen = [Int64](repeating: .min, count: batch[.visitorId].valueCount + 1)
        let nowMinute = floorDiv(now, 60_000)
        // Of the current minute and those before it; a clamped timestamp is never ahead of its receipt.
        var minuteViews = [Int64](repeating: 0, count: Int(Self.visitorMinutes))
        for row in 0..<batch.count {
            let timestamp = batch.timestamp[row]
            if eventTypes.codes[row] == pageView {
                let day = lookup.day(of: timestamp)
                if day >= oldest {
                    if dayIndex == days.count || days[dayIndex].day != day {
                        dayIndex = days.firstIndex { $0.day == day } ?? days.count
                        if dayIndex == days.count {
                            days.append(
                                DayViews(
                                    day: day, artists: batch[.artistId].valueCount, events: batch[.eventId].valueCount))
                        }
                    }
                    let age = nowMinute - floorDiv(timestamp, 60_000)
                    if (0..<Self.visitorMinutes).contains(age) { minuteViews[Int(age)] += 1 }
                    days[dayIndex].artists[Int(artists[row])] += 1
                    days[dayIndex].events[Int(events[row])] += 1
                }
            }
            let minute = floorDiv(timestamp, 60_000)
            if minute > nowMinute - Self.visitorMinutes {
                let visitorId = Int(visitorIds[row])
                if visitorId != 0 {
                    if seen[visitorId] == minute { continue }
                    seen[visitorId] = minute
                }
                if let visitor = batch.visitorHash(at: row), visitors[minute]?.count ?? 0 < Self.maxVisitorsPerMinute {
                    visitors[minute, default: []].insert(visitor)
                }
            }
        }
        for (age, views) in minuteViews.enumerated() where views > 0 {
            let minute = nowMinute - Int64(age)
            counters.append(
                Counter(
                    name: ExactText(CounterKey.pageViews(minute: minute)), views: views,
                    expires: (minute * 60_000 + Self.minuteLifeMs) / 1000))
        }
        for day in days {
            add(day.artists, of: batch[.artistId], on: day.day, calendar: calendar, name: CounterKey.artistViews)
            add(day.events, of: batch[.eventId], on: day.day, calendar: calendar, name: CounterKey.eventViews)
        }
    }

    /// A day's views by code; what has neither artist nor event is counted at 0, and passed over.
    private struct DayViews {
        var day: Day
        var artists: [Int64]
        var events: [Int64]

        init(day: Day, artists: Int, events: Int) {
            self.day = day
            self.artists = [Int64](repeating: 0, count: artists + 1)
            self.events = [Int64](repeating: 0, count: events + 1)
        }
    }

    private mutating func add(
        _ counts: [Int64], of column: TextColumn, on day: Day, calendar: ReportingCalendar,
        name: (String, Day) -> String
    ) {
        let expires = calendar.start(of: day + 1 + CounterKey.daysKept) / 1000
        for code in 1..<counts.count where counts[code] != 0 {
            counters.append(
                Counter(
                    name: ExactText(name(column.string(ofValue: code - 1), day)), views: counts[code], expires: expires)
            )
        }
    }
}
