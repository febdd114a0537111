import Glibc

extension VisitorSketch {
    /// How many distinct values were added: exact while `isExact`, then the estimate that `hll_cardinality` gives.
    ///
    /// Where the extension's arithmetic ends in NaN (registers that no real set can fill), this is its upper limit, 2⁴³.
    package var estimate: Double {
        if isExact { return Double(exactValueCount) }
        let histogram = histogram
        // Every term is a power of two between 2^-31 and 2^13, so this sum is exact in whatever order.
        var sum = 0.0
        for (register, count) in histogram.enumerated() { sum += Double(count) / Double(UInt64(1) << UInt64(register)) }

        let count = Double(Self.registerCount)
        let raw = (0.7213 / (1.0 + 1.079 / count)) * count * count / sum
        let limit = Double(UInt64(1) << UInt64(Int(Self.maxRegister) - 1 + Self.log2Registers))
        if histogram[0] != 0 && raw < 5.0 * count / 2.0 {
            return count * log(count / Double(histogram[0]))
        }
        if raw <= limit / 30.0 { return raw }
        return raw < limit ? -limit * log(1.0 - raw / limit) : limit
    }

    /// How many registers have each value.
    private var histogram: [Int] {
        let values = Int(Self.maxRegister) + 1
        // Neighbours mostly have the same few values: counted in one place, each would wait for the one before.
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4 * values) { lanes in
            lanes.initialize(repeating: 0)
            registers.withUnsafeBufferPointer { registers in
                for index in stride(from: 0, to: Self.registerCount, by: 4) {
                    lanes[Int(registers[index])] &+= 1
                    lanes[values + Int(registers[index + 1])] &+= 1
                    lanes[2 * values + Int(registers[index + 2])] &+= 1
                    lanes[3 * values + Int(registers[index + 3])] &+= 1
                }
            }
            return (0..<values).map { value in
                Int(lanes[value]) + Int(lanes[values + value]) + Int(lanes[2 * values + value])
                    + Int(lanes[3 * values + value])
            }
        }
    }

    /// `estimate`, rounded.
    package var value: Int { Int(estimate.rounded()) }
}
