package import Core
package import Logging
package import Storage
import Synchronization

/// Adds each stored batch to the real-time counters in Redis, once.
///
/// A counter remembers the last batch of each node (`CounterKey.positions`), so repeating one adds nothing. Redis is a
/// cache of the present: while it is away batches are passed over, and the rollup heals the counters.
package final class Counters: Sendable {
    /// Batches that wait for Redis; a further one is passed over, and healing makes up for it.
    static let maxWaiting = 64

    private let redis: RedisPool
    private let calendar: ReportingCalendar
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let deltas: AsyncStream<(node: String, seq: Int64, deltas: CounterDeltas)>
    private let submit: AsyncStream<(node: String, seq: Int64, deltas: CounterDeltas)>.Continuation
    private let isFailing = Mutex(false)

    package init(
        redis: RedisPool, calendar: ReportingCalendar, clock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.redis = redis
        self.calendar = calendar
        self.clock = clock
        self.logger = logger
        (deltas, submit) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.maxWaiting))
    }

    /// Adds the counter's views, and remembers them as recent (`seq count node`), if the batch is newer than the last one
    /// of its node that was added.
    static let addScript = RedisScript(
        """
        local last = redis.call('HGET', KEYS[2], ARGV[1])
        if last and tonumber(last) >= tonumber(ARGV[2]) then return 0 end
        redis.call('INCRBY', KEYS[1], ARGV[3])
        redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
        redis.call('LPUSH', KEYS[3], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[1])
        redis.call('LTRIM', KEYS[3], 0, ARGV[5] - 1)
        for _, key in ipairs(KEYS) do redis.call('EXPIREAT', key, ARGV[4]) end
        return 1
        """)

    /// Queues a stored batch. Never waits.
    func add(_ batch: BeaconBatch, node: String, seq: Int64) {
        let deltas = CounterDeltas(batch, calendar: calendar, now: clock())
        if !deltas.isEmpty { submit.yield((node, seq, deltas)) }
    }

    /// Ends `run()` once what waits is added or passed over.
    package func beginDraining() {
        submit.finish()
    }

    package func run() async {
        for await (node, seq, deltas) in deltas {
            do {
                try await redis.withConnection { try Self.apply(deltas, node: node, seq: seq, on: $0) }
                if isFailing.withLock({ failing in
                    defer { failing = false }
                    return failing
                }) {
                    logger.notice("Redis is back; the rollup heals what the counters missed")
                }
            } catch {
                if isFailing.withLock({ failing in
                    defer { failing = true }
                    return !failing
                }) {
                    logger.warning("Redis counters fall behind until it is back", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    static func apply(_ deltas: CounterDeltas, node: String, seq: Int64, on connection: RedisConnection) throws {
        let calls = deltas.views.sorted { $0.key < $1.key }.map { key, count in
            let name = key.string
            return addScript.call(
                keys: [
                    .init(name), .init(CounterKey.positions(of: name)), .init(CounterKey.recent(of: name)),
                ],
                arguments: [
                    .init(node), .init(seq), .init(count), .init(deltas.expiry[key]!), .init(CounterKey.maxRecent),
                ])
        }
        for case .error(let message) in try connection.pipeline(scripts: calls) { throw RedisError(reply: message) }
        for (minute, visitors) in deltas.visitors {
            let key = CounterKey.visitors(minute: minute)
            var command: [RedisArgument] = ["PFADD", .init(key)]
            for visitor in visitors { command.append(.init(String(visitor, radix: 36))) }
            _ = try connection.pipeline([command, ["EXPIRE", .init(key), "600"]])
        }
    }
}
