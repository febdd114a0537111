package import Core

/// The visitor salts by reporting day.
package struct SaltSource: Sendable {
    private let calendar: ReportingCalendar
    /// Ascending by the instant from which each one holds.
    private let salts: [(from: Int64, until: Int64, salt: [UInt8])]
    private let fallback: [UInt8]

    /// - Parameters:
    ///   - days: 32 random bytes for each day known; asking for an instant outside them yields `fallback`.
    ///   - fallback: used where no day matches, so that a missing salt costs continuity and never an address.
    package init(calendar: ReportingCalendar, days: [Day: [UInt8]], fallback: [UInt8]) {
        self.calendar = calendar
        self.fallback = fallback
        salts = days.keys.sorted().map { day in
            let range = calendar.range(of: day)
            return (range.lowerBound, range.upperBound, days[day]!)
        }
    }

    package func salt(at receivedAt: Int64) -> [UInt8] {
        for entry in salts.reversed() where entry.from <= receivedAt && receivedAt < entry.until { return entry.salt }
        return fallback
    }
}
