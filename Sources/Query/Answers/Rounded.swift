/// Quotients in whole numbers.
enum Rounded {
    /// To the nearest whole number, halves up. Zero where there is nothing to divide by.
    static func quotient(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        guard divisor != 0 else { return 0 }
        let (twice, by) =
            divisor < 0 ? (-2 * Int128(dividend), -2 * Int128(divisor)) : (2 * Int128(dividend), 2 * Int128(divisor))
        let shifted = twice + by / 2
        let quotient = shifted / by
        return Int64(clamping: shifted % by < 0 ? quotient - 1 : quotient)
    }

    /// Change from `before` to `now` in tenths of a percent; nil where there is no `before` to compare with.
    static func change(from before: Int64, to now: Int64) -> Int64? {
        guard before != 0 else { return nil }
        let tenths = (Int128(now) - Int128(before)) * 1000
        let base = Int128(before.magnitude)
        // Halves away from zero, so that a rise and a fall of the same size read the same.
        let rounded = (2 * Int128(tenths.magnitude) + base) / (2 * base)
        return Int64(clamping: tenths < 0 ? -rounded : rounded)
    }
}
