import Core
import Foundation

/// What cancelling gives back: the tiers of the Korean consumer dispute resolution standard for performances.
///
/// Written on each reservation when it is booked, so that a later policy changes none that was made under this one.
package struct RefundPolicy: Codable, Equatable, Sendable {
    package struct Tier: Codable, Equatable, Sendable {
        /// Calendar days before the start, in Seoul, from which on it holds.
        package var fromDays: Int
        package var feePercent: Int64
    }

    package var version: Int
    /// From the earliest on: the first that is reached holds.
    package var tiers: [Tier]
    /// Within so many hours of the booking nothing is kept, where the start is at least `graceDays` ahead.
    package var graceHours: Int64
    package var graceDays: Int

    package static let v1 = RefundPolicy(
        version: 1,
        tiers: [
            Tier(fromDays: 10, feePercent: 0), Tier(fromDays: 7, feePercent: 10), Tier(fromDays: 3, feePercent: 20),
            Tier(fromDays: 1, feePercent: 30), Tier(fromDays: 0, feePercent: 90),
        ],
        graceHours: 24, graceDays: 3)

    /// Percent of the price that is kept; nil once it has started: then a buyer gets nothing back.
    ///
    /// - Parameters: all milliseconds since 1970.
    package func feePercent(startsAt: Int64, bookedAt: Int64, now: Int64) -> Int64? {
        guard now < startsAt else { return nil }
        let days = Self.seoulDay(startsAt) - Self.seoulDay(now)
        if days >= graceDays, now - bookedAt <= graceHours * 3_600_000 { return 0 }
        return tiers.first { days >= $0.fromDays }?.feePercent
    }

    /// What is given back of one ticket's price. A fee's fraction is the buyer's.
    package static func refund(of price: Int64, feePercent: Int64) -> Int64 {
        // No overflow where a price is near the bound of 64 bits.
        let (hundreds, rest) = price.quotientAndRemainder(dividingBy: 100)
        return price - hundreds * feePercent - rest * feePercent / 100
    }

    /// Seoul has no daylight saving: UTC+9 for ever.
    package static func seoulDay(_ instant: Int64) -> Int {
        Int(floorDiv(instant + 9 * 3_600_000, 86_400_000))
    }

    // MARK: As it is stored

    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Numbers only: it can't fail.
        return String(decoding: try! encoder.encode(self), as: UTF8.self)
    }

    /// Made once: each booking stores it.
    package static let v1JSON = v1.json

    package init(json: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    }

    private init(version: Int, tiers: [Tier], graceHours: Int64, graceDays: Int) {
        self.version = version
        self.tiers = tiers
        self.graceHours = graceHours
        self.graceDays = graceDays
    }
}
