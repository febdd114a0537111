import Core
import Synchronization

/// A token bucket for each client, as deep as one second's tokens, in a table of fixed size.
///
/// The table is set-associative: a client has four places it can be in. Where all four are taken, the client that is
/// closest to a full bucket is forgotten, which errs on the side of letting requests in. No client can make it grow.
package final class RateLimit: Sendable {
    static let maxClients = 65_536
    private static let ways = 4

    private struct Entry {
        var key: UInt64 = 0
        /// When the bucket will be full again, in nanoseconds.
        var fullAt: Int64 = 0
    }

    private let intervalNs: Int64
    private let burstNs: Int64
    /// So that nobody can choose addresses that share a set.
    private let seed = UInt64.random(in: .min ... .max)
    private let sets: Int
    private let entries: Mutex<[Entry]>

    /// - Parameter perSecond: at least 1.
    package init(perSecond: Int, maxClients: Int = RateLimit.maxClients) {
        intervalNs = 1_000_000_000 / Int64(max(1, perSecond))
        burstNs = intervalNs * Int64(max(1, perSecond))
        sets = max(1, maxClients / Self.ways)
        entries = Mutex(Array(repeating: Entry(), count: sets * Self.ways))
    }

    /// Takes a token, or says in how many whole seconds there will be one.
    ///
    /// - Parameter nowNs: of a clock that never goes back.
    package func take(_ client: some Sequence<UInt8>, nowNs: Int64) -> Int? {
        let key = Array(client).withUnsafeBytes { Murmur3.hash64($0, seed: seed) } | 1
        let first = Int(truncatingIfNeeded: (key >> 1) % UInt64(sets)) * Self.ways
        return entries.withLock { entries in
            var place = first
            for candidate in first..<(first + Self.ways) {
                if entries[candidate].key == key {
                    place = candidate
                    break
                }
                if entries[candidate].fullAt < entries[place].fullAt { place = candidate }
            }
            if entries[place].key != key { entries[place] = Entry(key: key, fullAt: nowNs) }
            let fullAt = max(entries[place].fullAt, nowNs) + intervalNs
            guard fullAt - nowNs <= burstNs else {
                return Int((fullAt - nowNs - burstNs + 999_999_999) / 1_000_000_000)
            }
            entries[place].fullAt = fullAt
            return nil
        }
    }
}
