/// A token bucket for each key, as deep as one second's tokens, in a table of fixed size.
///
/// The table is set-associative: a key has four places it can be in. Where all four are taken, the key that is closest
/// to a full bucket is forgotten, which errs on the side of letting through. No key can make it grow.
struct TokenBuckets {
    private static let ways = 4

    private struct Entry {
        var key: UInt64 = 0
        /// When the bucket will be full again, in nanoseconds.
        var fullAt: Int64 = 0
    }

    private let intervalNs: Int64
    private let burstNs: Int64
    private let sets: Int
    private var entries: [Entry]

    /// - Parameter perSecond: at least 1.
    init(perSecond: Int, maxKeys: Int) {
        intervalNs = 1_000_000_000 / Int64(max(1, perSecond))
        burstNs = intervalNs * Int64(max(1, perSecond))
        sets = max(1, maxKeys / Self.ways)
        entries = Array(repeating: Entry(), count: sets * Self.ways)
    }

    /// Takes tokens, or takes none and says in how many nanoseconds there will be as many.
    ///
    /// - Parameters:
    ///   - key: a hash, under a seed that nobody outside knows: or keys could be chosen that share a set.
    ///   - nowNs: of a clock that never goes back.
    mutating func take(_ key: UInt64, tokens: Int = 1, nowNs: Int64) -> Int64? {
        let key = key | 1
        let first = Int(truncatingIfNeeded: (key >> 1) % UInt64(sets)) * Self.ways
        var place = first
        for candidate in first..<(first + Self.ways) {
            if entries[candidate].key == key {
                place = candidate
                break
            }
            if entries[candidate].fullAt < entries[place].fullAt { place = candidate }
        }
        if entries[place].key != key { entries[place] = Entry(key: key, fullAt: nowNs) }
        let fullAt = max(entries[place].fullAt, nowNs) + intervalNs * Int64(tokens)
        guard fullAt - nowNs <= burstNs else { return fullAt - nowNs - burstNs }
        entries[place].fullAt = fullAt
        return nil
    }
}
