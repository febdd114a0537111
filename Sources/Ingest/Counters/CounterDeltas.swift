import Core

/// What one batch adds to the counters in Redis. Pure.
struct CounterDeltas: Equatable {
    /// Views by counter name.
    var views: [String: Int64] = [:]
    /// When each day's counters expire, in seconds since 1970, by counter name.
    var expiry: [String: Int64] = [:]
    /// Distinct visitors by UTC minute of their beacon.
    var visitors: [Int64: Set<UInt64>] = [:]

    /// Minutes whose visitors are still asked for.
    static let visitorMinutes: Int64 = 6
    static let maxVisitorsPerMinute = 100_000

    var isEmpty: Bool { views.isEmpty && visitors.isEmpty }

    /// Counts the page views whose day's counters still live, and the visitors of the last minutes.
    init(_ batch: BeaconBatch, calendar: ReportingCalendar, now: Int64) {
        let today = calendar.day(of: now)
        let oldest = today - CounterKey.daysKept
        var lookup = DayLookup(calendar)
        let eventTypes = batch[.eventType]
        let pageView = (0..<eventTypes.valueCount).first { eventTypes.value($0).elementsEqual("page_view".utf8) }
            .map { UInt32($0 + 1) }
        var artists: [Day: [UInt32: Int64]] = [:]
        var events: [Day: [UInt32: Int64]] = [:]
        let nowMinute = floorDiv(now, 60_000)
        for row in 0..<batch.count {
            let timestamp = batch.timestamp[row]
            if eventTypes.codes[row] == pageView {
                let day = lookup.day(of: timestamp)
                if day >= oldest {
                    let artist = batch[.artistId].codes[row]
                    let event = batch[.eventId].codes[row]
                    if artist != 0 { artists[day, default: [:]][artist, default: 0] += 1 }
                    if event != 0 { events[day, default: [:]][event, default: 0] += 1 }
                }
            }
            let minute = floorDiv(timestamp, 60_000)
            if minute > nowMinute - Self.visitorMinutes, let visitor = batch.visitorHash(at: row),
                visitors[minute]?.count ?? 0 < Self.maxVisitorsPerMinute
            {
                visitors[minute, default: []].insert(visitor)
            }
        }
        add(artists, of: batch[.artistId], calendar: calendar, name: CounterKey.artistViews)
        add(events, of: batch[.eventId], calendar: calendar, name: CounterKey.eventViews)
    }

    private mutating func add(
        _ counts: [Day: [UInt32: Int64]], of column: TextColumn, calendar: ReportingCalendar,
        name: (String, Day) -> String
    ) {
        for (day, byCode) in counts {
            let expires = calendar.start(of: day + 1 + CounterKey.daysKept) / 1000
            for (code, count) in byCode {
                let name = name(column.string(ofValue: Int(code) - 1), day)
                views[name] = count
                expiry[name] = expires
            }
        }
    }
}
