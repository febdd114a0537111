import Synchronization

/// Counts observations by size, in buckets that never change.
package final class Histogram: Sendable {
    /// Seconds, from a fifth of a millisecond to ten seconds.
    package static let latencySeconds: [Double] = [
        0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
    ]

    /// Upper bounds, ascending; one more bucket takes what is above the last.
    package let bounds: [Double]
    private let buckets: [Counter]
    /// A `Double`, by its bits: there are no atomic ones.
    private let sumBits = Atomic<UInt64>(0)

    package init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds must ascend")
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// - Parameter count: how many observations of that value.
    package func observe(_ value: Double, count: Int = 1) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].increment(by: count)
        var bits = sumBits.load(ordering: .relaxed)
        while true {
            let sum = Double(bitPattern: bits) + value * Double(count)
            let (exchanged, original) = sumBits.weakCompareExchange(
                expected: bits, desired: sum.bitPattern, ordering: .relaxed)
            if exchanged { return }
            bits = original
        }
    }

    package var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }

    /// One count for each bound, and a last one for all that was above.
    package var counts: [UInt64] { buckets.map(\.value) }
}
