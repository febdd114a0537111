/// How long answers took, counted in buckets a 32nd of their size wide: fixed memory, and percentiles at most 3 % too
/// high.
struct Latencies: Sendable, Equatable {
    private static let stepBits = 5
    static let maxBuckets = (64 - stepBits + 1) << stepBits

    private var buckets = [UInt32](repeating: 0, count: maxBuckets)
    private(set) var count = 0
    private(set) var maxNs: UInt64 = 0

    mutating func add(ns: UInt64) {
        buckets[Self.bucket(of: ns)] &+= 1
        count += 1
        maxNs = max(maxNs, ns)
    }

    mutating func merge(_ other: Latencies) {
        for index in buckets.indices { buckets[index] &+= other.buckets[index] }
        count += other.count
        maxNs = max(maxNs, other.maxNs)
    }

    /// The nearest-rank percentile in nanoseconds, 0 where nothing was added.
    ///
    /// - Parameter share: from 0 to 1.
    func percentile(_ share: Double) -> UInt64 {
        let rank = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for (index, bucket) in buckets.enumerated() where bucket > 0 {
            seen += Int(bucket)
            if seen >= rank { return min(Self.largest(in: index), maxNs) }
        }
        return 0
    }

    func milliseconds(_ share: Double) -> Double { Double(percentile(share)) / 1e6 }

    static func bucket(of ns: UInt64) -> Int {
        let exponent = 63 - ns.leadingZeroBitCount
        guard exponent >= stepBits else { return Int(ns) }
        let shift = exponent - stepBits
        return (shift + 1) << stepBits + Int(truncatingIfNeeded: ns >> UInt64(shift)) & (1 << stepBits - 1)
    }

    static func largest(in bucket: Int) -> UInt64 {
        guard bucket >= 1 << stepBits else { return UInt64(bucket) }
        let shift = UInt64(bucket >> stepBits - 1)
        let step = UInt64(bucket & (1 << stepBits - 1)) + 1 << stepBits
        // The last bucket ends where the numbers end: its bound wraps around to 0.
        return (step + 1) << shift &- 1
    }
}
