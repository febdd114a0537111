/// The names of the real-time counters in Redis.
package enum CounterKey {
    /// `artist:artist_123:views:20251205`; the day is the reporting day.
    package static func artistViews(_ artistId: String, on day: Day) -> String {
        "artist:\(artistId):views:\(day.compact)"
    }

    package static func eventViews(_ eventId: String, on day: Day) -> String {
        "event:\(eventId):views:\(day.compact)"
    }

    /// Which node's batches a counter holds.
    package static func positions(of counter: String) -> String {
        beside(counter, "seq")
    }

    /// The last batches that were added to a counter.
    package static func recent(of counter: String) -> String {
        beside(counter, "recent")
    }

    /// A key in the counter's cluster slot: the part in braces decides, the whole name where there is none.
    ///
    /// An id may hold braces itself. One with `}` but nothing between braces has no neighbour in its slot: on a
    /// cluster its counter can't be kept.
    private static func beside(_ counter: String, _ suffix: String) -> String {
        if let open = counter.firstIndex(of: "{"), let close = counter[open...].firstIndex(of: "}"),
            counter.index(after: open) < close
        {
            return "\(counter):\(suffix)"
        }
        return "{\(counter)}:\(suffix)"
    }

    /// The visitors of one UTC minute, a Redis HyperLogLog. One slot, so that minutes can be united.
    package static func visitors(minute: Int64) -> String {
        "{visitors}:\(text(minute: minute))"
    }

    /// Page views of the whole site in one UTC minute. One slot, so that minutes can be read at once.
    package static func pageViews(minute: Int64) -> String {
        "{minutes}:page_view:\(text(minute: minute))"
    }

    private static func text(minute: Int64) -> String {
        let day = Day(daysSince1970: Int(floorDiv(minute, 1440)))
        let inDay = Int(minute - Int64(day.daysSince1970) * 1440)
        return "\(day.compact)\(padded(inDay / 60, 2))\(padded(inDay % 60, 2))"
    }

    /// Batches remembered as recent: as many as may be added while the rollup heals the counters.
    package static let maxRecent = 128

    /// A counter lives this many days beyond its own.
    package static let daysKept = 2
}
