/// A `timestamptz`. Microseconds are cut to milliseconds when read.
package struct PostgresTimestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970.
    package var ms: Int64

    package init(ms: Int64) {
        self.ms = ms
    }

    package static let infinity = PostgresTimestamp(ms: .max)
    package static let negativeInfinity = PostgresTimestamp(ms: .min)

    package static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool { left.ms < right.ms }

    /// 2000-01-01, from which the server counts.
    static let epochMs: Int64 = 946_684_800_000

    /// Microseconds since 2000, as on the wire; what does not fit becomes a value that the server refuses.
    var wireValue: Int64 {
        if ms == .max || ms == .min { return ms }
        let (sinceEpoch, underflow) = ms.subtractingReportingOverflow(Self.epochMs)
        let (micros, overflow) = sinceEpoch.multipliedReportingOverflow(by: 1000)
        return underflow || overflow ? (ms < 0 ? .min + 1 : .max - 1) : micros
    }

    init(wireValue: Int64) {
        if wireValue == .max || wireValue == .min {
            ms = wireValue
        } else {
            let (quotient, remainder) = wireValue.quotientAndRemainder(dividingBy: 1000)
            ms = quotient - (remainder < 0 ? 1 : 0) + Self.epochMs
        }
    }
}
