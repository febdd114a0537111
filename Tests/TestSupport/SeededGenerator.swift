import Foundation

/// SplitMix64. Tests print `seed`, and `TIKETI_SEED` repeats it.
package struct SeededGenerator: RandomNumberGenerator, Sendable, CustomStringConvertible {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64? = nil) {
        let fixed = ProcessInfo.processInfo.environment["TIKETI_SEED"].flatMap { UInt64($0) }
        self.seed = fixed ?? seed ?? UInt64.random(in: 0 ... .max)
        state = self.seed
    }

    /// Of this seed, whatever `TIKETI_SEED` says.
    package init(exactly seed: UInt64) {
        self.seed = seed
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    package var description: String { "seed \(seed) (TIKETI_SEED=\(seed) repeats it)" }
}
