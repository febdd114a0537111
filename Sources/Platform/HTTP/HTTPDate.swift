import Core

/// The text of a `Date` header, made once a second.
package struct HTTPDate {
    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var second = Int64.min
    private var text = ""

    package init() {}

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    ///
    /// - Parameter instant: milliseconds since 1970.
    package mutating func text(at instant: Int64) -> String {
        let second = floorDiv(instant, 1000)
        guard second != self.second else { return text }
        self.second = second
        let day = Day(daysSince1970: Int(floorDiv(second, 86_400)))
        let seconds = Int(second - Int64(day.daysSince1970) * 86_400)
        let (year, month, dayOfMonth) = day.civil
        text =
            "\(Self.weekdays[day.isoWeekday - 1]), \(padded(dayOfMonth, 2)) \(Self.months[month - 1]) "
            + "\(padded(year, 4)) \(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):"
            + "\(padded(seconds % 60, 2)) GMT"
        return text
    }
}
