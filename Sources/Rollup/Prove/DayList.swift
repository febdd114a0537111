package import Core

/// Days as people read them: `2025-12-01 to 2025-12-03, 2025-12-07`.
package struct DayList: CustomStringConvertible {
    /// Stretches that are named; of further ones it is said how many days they have.
    package static let maxStretches = 12

    /// Ascending, neighbours joined.
    package let stretches: [ClosedRange<Day>]

    package init(_ days: some Sequence<Day>) {
        var stretches: [ClosedRange<Day>] = []
        for day in Set(days).sorted() {
            if let last = stretches.last, last.upperBound + 1 == day {
                stretches[stretches.count - 1] = last.lowerBound...day
            } else {
                stretches.append(day...day)
            }
        }
        self.stretches = stretches
    }

    package var description: String {
        let named = stretches.prefix(Self.maxStretches).map { stretch in
            stretch.lowerBound == stretch.upperBound
                ? "\(stretch.lowerBound)" : "\(stretch.lowerBound) to \(stretch.upperBound)"
        }.joined(separator: ", ")
        let others = stretches.dropFirst(Self.maxStretches).reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) }
        return others == 0 ? named : "\(named) and \(others) more"
    }
}
