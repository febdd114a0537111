import Core

/// A small seeded generator (Steele, Lea and Flood, OOPSLA 2014; constants of Vigna's splitmix64.c, public domain): the
/// same seed gives the same demo on every machine.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// True in so many cases of one.
    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// So many lowercase hexadecimal digits, at most 16.
    mutating func hex(_ digits: Int) -> String {
        String(Hexadecimal.text(next()).prefix(digits))
    }
}
