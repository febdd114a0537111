import Core

/// Texts that are one prefix and a decimal number, such as `artist_123`.
///
/// `count varint | prefix | digits u8 | integers`. With `digits` 0 no number has a leading zero; else all have exactly
/// that many digits.
enum NumberedTexts {
    /// Every number of so many digits fits in 63 bits.
    private static let maxDigits = 18

    static func encode(_ column: TextColumn) -> [UInt8]? {
        let bytes = column.bytes.span
        let ends = column.ends.span
        guard let last = column.bytes.last, last &- 0x30 <= 9 else { return nil }
        let prefix = TextPrefix(commonTo: column).droppingDigits()
        var numbers: [Int64] = []
        numbers.reserveCapacity(column.valueCount)
        let digits = Int(ends[0]) - prefix.length
        var sameLength = true
        var leadingZero = false
        var start = 0
        for index in ends.indices {
            let end = Int(ends[index])
            let first = start + prefix.length
            guard first < end, end - first <= maxDigits else { return nil }
            var number: Int64 = 0
            for offset in first..<end {
                let digit = bytes[offset] &- 0x30
                guard digit <= 9 else { return nil }
                number = number &* 10 &+ Int64(digit)
            }
            sameLength = sameLength && end - first == digits
            leadingZero = leadingZero || (bytes[first] == 0x30 && end - first > 1)
            numbers.append(number)
            start = end
        }
        guard !leadingZero || sameLength else { return nil }

        var out: [UInt8] = []
        out.append(varint: column.valueCount)
        prefix.append(to: &out)
        out.append(leadingZero ? UInt8(digits) : 0)
        IntegerSeries.append(numbers.span, to: &out)
        return out
    }

    static func decode(
        count: Int, from reader: inout ByteReader, maxBytes: Int, only: [Int]? = nil
    ) throws(CodecDefect) -> DecodedTexts {
        let prefix = try TextPrefix(from: &reader)
        let digits = Int(try reader.byte())
        guard digits <= maxDigits else { throw .outOfRange }
        let numbers = try IntegerSeries.read(count: count, from: &reader)
        var least = Int64.max
        var most = Int64.min
        for number in numbers {
            least = min(least, number)
            most = max(most, number)
        }
        guard least >= 0, Decimal.digits(of: UInt64(most)) <= (digits == 0 ? maxDigits : digits) else {
            throw .outOfRange
        }
        let maxLength = prefix.length + Decimal.digits(of: UInt64(most))
        let longest = max(maxLength, prefix.length + digits)
        guard count * longest <= maxBytes else { throw .tooLarge }

        let written = only?.count ?? count
        var ends: [UInt32] = []
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: written * longest + TextPrefix.slack) {
            buffer, initialized in
            let start = UnsafeMutableRawPointer(buffer.baseAddress!)
            var length = 0
            ends = unsafe [UInt32](unsafeUninitializedCapacity: written) { ends, initialized in
                for index in 0..<written {
                    unsafe prefix.write(to: start + length)
                    length += prefix.length
                    let number = UInt64(bitPattern: numbers[only?[index] ?? index])
                    length += unsafe Decimal.write(number, padded: digits, to: start + length)
                    unsafe ends[index] = UInt32(truncatingIfNeeded: length)
                }
                initialized = written
            }
            initialized = length
        }
        return DecodedTexts(bytes: bytes, ends: ends)
    }
}
