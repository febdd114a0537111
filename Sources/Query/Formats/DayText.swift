import Core

/// Writes instants as `Instant.iso8601` does. Neighbours mostly share their day, whose text is kept.
struct DayText {
    private var day: Int64?
    /// `2025-12-05T`
    private var text: [UInt8] = []

    mutating func append(_ instant: Int64, to bytes: inout [UInt8]) {
        let day = floorDiv(instant, 86_400_000)
        if day != self.day {
            self.day = day
            text = Array("\(Day(daysSince1970: Int(day)))T".utf8)
        }
        let ms = Int(instant - day * 86_400_000)
        bytes += text
        Self.append(ms / 3_600_000, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(ms / 60_000 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(ms / 1000 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(ms % 1000, digits: 3, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    @inline(__always)
    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        if digits > 2 { bytes.append(0x30 + UInt8(truncatingIfNeeded: number / 100)) }
        bytes.append(0x30 + UInt8(truncatingIfNeeded: number / 10 % 10))
        bytes.append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }
}
