import Core
import Storage

/// Which stored rows an answer was made of, for people who want to check it.
package struct Explanation: Equatable, Sendable {
    /// `artist_traffic_daily: 2025-12-01 to 2025-12-04`
    package private(set) var lines: [String] = []

    init() {}

    mutating func say(_ line: String) { lines.append(line) }

    /// The rows of a family's traffic tables, or of another that has the same grains.
    mutating func say(_ cover: Cover, table: (Grain) -> String, source: String? = nil) {
        say(table(.month), cover.months.map { Self.range($0.lowerBound.yearMonth, $0.upperBound.yearMonth) })
        say(table(.day), cover.days.map { Self.range("\($0.lowerBound)", "\($0.upperBound)") })
        say(table(.hour), cover.hours.map(Self.hours))
        if let source { say(source, cover.sources.map(Self.hours)) }
    }

    /// The rows of all artists or events.
    mutating func say(_ plan: TopPlan, _ family: TrafficFamily) {
        say(family.table(.month), plan.months.map { Self.range($0.lowerBound.yearMonth, $0.upperBound.yearMonth) })
        say(family.table(.day), plan.days)
        say(family.table(.hour), plan.hours.map(Self.hours))
        if !plan.dirtyDays.isEmpty {
            say(
                "\(family.table(.hour)), where a day waits to be derived: "
                    + plan.dirtyDays.map(\.description).joined(separator: ", "))
        }
    }

    mutating func say(_ table: String, _ days: [ClosedRange<Day>]) {
        say(table, days.map { Self.range("\($0.lowerBound)", "\($0.upperBound)") })
    }

    private mutating func say(_ table: String, _ ranges: [String]) {
        if !ranges.isEmpty { lines.append("\(table): \(ranges.joined(separator: ", "))") }
    }

    private static func range(_ first: String, _ last: String) -> String {
        first == last ? first : "\(first) to \(last)"
    }

    private static func hours(_ range: Range<Int64>) -> String {
        "\(Instant.iso8601(range.lowerBound)) until \(Instant.iso8601(range.upperBound))"
    }
}
