import Core
import Synchronization

/// How many requests a second each client may make.
package final class RateLimit: Sendable {
    static let maxClients = 65_536
    /// Each has a lock of its own: event loops hardly ever meet at one.
    private static let shardCount = 16

    private final class Shard: Sendable {
        let buckets: Mutex<TokenBuckets>

        init(_ buckets: TokenBuckets) { self.buckets = Mutex(buckets) }
    }

    private let seed = UInt64.random(in: .min ... .max)
    private let shards: [Shard]

    /// - Parameter perSecond: at least 1.
    package init(perSecond: Int, maxClients: Int = RateLimit.maxClients) {
        let count = maxClients < 1024 ? 1 : Self.shardCount
        shards = (0..<count).map { _ in Shard(TokenBuckets(perSecond: perSecond, maxKeys: maxClients / count)) }
    }

    /// Takes a token, or says in how many whole seconds there will be one.
    ///
    /// - Parameter nowNs: of a clock that never goes back.
    package func take(_ client: some Sequence<UInt8>, nowNs: Int64) -> Int? {
        let key = Array(client).withUnsafeBytes { Murmur3.hash64($0, seed: seed) }
        let shard = shards[Int(truncatingIfNeeded: key >> 48) % shards.count]
        guard let waitNs = shard.buckets.withLock({ $0.take(key, nowNs: nowNs) }) else { return nil }
        return Int((waitNs + 999_999_999) / 1_000_000_000)
    }
}
