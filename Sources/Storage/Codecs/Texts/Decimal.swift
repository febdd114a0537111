/// Decimal digits, eight a step in one 64-bit word.
enum Decimal {
    private static let powers: [UInt64] = (0..<20).reduce(into: []) { powers, _ in
        powers.append((powers.last ?? 0) == 0 ? 1 : powers.last! * 10)
    }

    static func digits(of number: UInt64) -> Int {
        var digits = 1
        while digits < 20 && number >= powers[digits] { digits += 1 }
        return digits
    }

    /// Writes the number with at least `digits` digits, and perhaps zeros up to 8 bytes past them.
    ///
    /// - Precondition: below 10¹⁸, and below 10^`digits` unless `digits` is 0.
    /// - Returns: how many bytes the number takes.
    @inline(__always)
    static func write(_ number: UInt64, padded digits: Int, to target: UnsafeMutableRawPointer) -> Int {
        if number < 100_000_000 && digits <= 8 {
            let eight = eightDigits(number)
            // Leading zeros are the lowest bytes; of 0 the last one stays.
            let skipped = digits == 0 ? min(7, eight.trailingZeroBitCount &>> 3) : 8 - digits
            unsafe target.storeBytes(
                of: ((eight | 0x3030_3030_3030_3030) &>> UInt64(skipped &* 8)).littleEndian, as: UInt64.self)
            return 8 - skipped
        }
        return unsafe writeLong(number, digits: digits == 0 ? self.digits(of: number) : digits, to: target)
    }

    private static func writeLong(_ number: UInt64, digits: Int, to target: UnsafeMutableRawPointer) -> Int {
        var rest = number
        for index in stride(from: digits - 1, through: 0, by: -1) {
            unsafe target.storeBytes(of: 0x30 + UInt8(rest % 10), toByteOffset: index, as: UInt8.self)
            rest /= 10
        }
        return digits
    }

    /// The eight digits of a number below 10⁸ as values 0 to 9, the first in the lowest byte.
    @inline(__always)
    private static func eightDigits(_ number: UInt64) -> UInt64 {
        // Two halves of four digits, four quarters of two, eight of one; divisions as multiplications.
        let high = number / 10_000
        let halves = high | (number &- high &* 10_000) &<< 32
        let tops = (halves &* 10_486) &>> 20 & 0x0000_007f_0000_007f
        let quarters = tops | (halves &- tops &* 100) &<< 16
        let tens = (quarters &* 103) &>> 10 & 0x000f_000f_000f_000f
        return tens | (quarters &- tens &* 10) &<< 8
    }
}
