/// Instants are milliseconds since 1970 in `Int64` throughout; this is their ISO 8601 text.
package enum Instant {
    /// `2025-12-05T10:30:00.000Z`
    package static func iso8601(_ instant: Int64) -> String {
        let day = Day(daysSince1970: Int(floorDiv(instant, 86_400_000)))
        let ms = Int(instant - Int64(day.daysSince1970) * 86_400_000)
        return "\(day)T\(padded(ms / 3_600_000, 2)):\(padded(ms / 60_000 % 60, 2)):\(padded(ms / 1000 % 60, 2))"
            + ".\(padded(ms % 1000, 3))Z"
    }

    /// An ISO 8601 date-time with an offset (`Z`, `+09:00`, `+0900`, `+09`); seconds and their fraction may be missing.
    ///
    /// Fractions beyond milliseconds are cut off. Second 60 is refused. Nil where the text is anything else.
    package static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        var cursor = Cursor(text: text)
        guard let year = cursor.digits(4), cursor.skip(0x2d), let month = cursor.digits(2), cursor.skip(0x2d),
            let dayOfMonth = cursor.digits(2), cursor.skip(0x54) || cursor.skip(0x74) || cursor.skip(0x20),
            let hour = cursor.digits(2), hour < 24, cursor.skip(0x3a), let minute = cursor.digits(2), minute < 60,
            let day = Day(year: year, month: month, day: dayOfMonth)
        else { return nil }
        var second = 0
        var millisecond = 0
        if cursor.skip(0x3a) {
            guard let value = cursor.digits(2), value < 60 else { return nil }
            second = value
            if cursor.skip(0x2e) || cursor.skip(0x2c) {
                var scale = 100
                var any = false
                while let digit = cursor.digits(1) {
                    millisecond += digit * scale
                    scale /= 10
                    any = true
                }
                guard any else { return nil }
            }
        }
        var offset = 0
        if !(cursor.skip(0x5a) || cursor.skip(0x7a)) {
            let sign: Int
            if cursor.skip(0x2b) { sign = 1 } else if cursor.skip(0x2d) { sign = -1 } else { return nil }
            guard let hours = cursor.digits(2), hours <= 18 else { return nil }
            var minutes = 0
            if cursor.position < text.count {
                _ = cursor.skip(0x3a)
                guard let value = cursor.digits(2), value < 60 else { return nil }
                minutes = value
            }
            offset = sign * (hours * 60 + minutes)
        }
        guard cursor.position == text.count else { return nil }
        let minutes = Int64(day.daysSince1970) * 1440 + Int64(hour * 60 + minute - offset)
        return minutes * 60_000 + Int64(second * 1000 + millisecond)
    }

    /// A place in a text. Local functions over a captured variable would check each access to it at run time, which
    /// costs more than the parsing.
    private struct Cursor {
        let text: UnsafeRawBufferPointer
        var position = 0

        /// So many digits as a number; nil, and not moved, where there are fewer.
        mutating func digits(_ count: Int) -> Int? {
            guard position + count <= text.count else { return nil }
            var value = 0
            for index in position..<(position + count) {
                let digit = text[index] &- 0x30
                guard digit <= 9 else { return nil }
                value = value * 10 + Int(digit)
            }
            position += count
            return value
        }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard position < text.count, text[position] == byte else { return false }
            position += 1
            return true
        }
    }

    package static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
    }
}
