import Core

/// The time of a log line, `17/May/2015:10:05:03 +0000`.
enum AccessLogTime {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// Milliseconds since 1970. Second 60, a leap second, is the first of the next minute. Nil for anything else.
    static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count == 26, text[2] == UInt8(ascii: "/"), text[6] == UInt8(ascii: "/"),
            text[11] == UInt8(ascii: ":"), text[14] == UInt8(ascii: ":"), text[17] == UInt8(ascii: ":"),
            text[20] == UInt8(ascii: " "), text[21] == UInt8(ascii: "+") || text[21] == UInt8(ascii: "-"),
            let dayOfMonth = number(text, 0..<2), let year = number(text, 7..<11),
            let month = months.firstIndex(where: { $0.elementsEqual(text[3..<6]) }),
            let day = Day(year: year, month: month + 1, day: dayOfMonth),
            let hour = number(text, 12..<14), hour < 24, let minute = number(text, 15..<17), minute < 60,
            let second = number(text, 18..<20), second <= 60,
            let offsetHours = number(text, 22..<24), offsetHours <= 18,
            let offsetMinutes = number(text, 24..<26), offsetMinutes < 60
        else { return nil }
        var minutes = day.daysSince1970 * 1440 + hour * 60 + minute
        let offset = offsetHours * 60 + offsetMinutes
        minutes -= text[21] == UInt8(ascii: "-") ? -offset : offset
        return Int64(minutes) * 60_000 + Int64(second) * 1000
    }

    private static func number(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var value = 0
        for byte in text[range] {
            let digit = byte &- 0x30
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
