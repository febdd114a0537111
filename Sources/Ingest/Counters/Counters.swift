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
    static let maxWaiting = 128
    /// Between two additions, four times as long as the last one took, within these bounds: what comes meanwhile is added
    /// together, a call for each counter instead of one for each counter and batch.
    static let pause = Duration.milliseconds(250)...Duration.milliseconds(1000)

    private let redis: RedisPool
    private let calendar: ReportingCalendar
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let maxWaitingCounters: Int
    /// By node, in the order in which they came.
    private let waiting = Mutex<[CounterChanges]>([])
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation
    private let isDraining = Mutex(false)
    private let isFailing = Mutex(false)

    /// - Parameter maxWaitingCounters: as many as the batches that wait may change, each counted once a node. A further
    ///   batch is passed over: ids are the clients', and each beacon may have one of its own.
    package init(
        redis: RedisPool, calendar: ReportingCalendar, clock: @escaping @Sendable () -> Int64, logger: Logger,
        maxWaitingCounters: Int = 1 << 17
    ) {
        self.redis = redis
        self.calendar = calendar
        self.clock = clock
        self.logger = logger
        self.maxWaitingCounters = maxWaitingCounters
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds a counter's views, batch by batch (`seq views`), and remembers them as recent (`seq views node`): those
    /// batches that are newer than the last one of their node that was added.
    static let addScript = RedisScript(
        """
        local node = ARGV[1]
        local last = tonumber(redis.call('HGET', KEYS[2], node) or -1)
        local newest, sum = nil, 0
        for index = 4, #ARGV, 2 do
            if tonumber(ARGV[index]) > last then
                newest = ARGV[index]
                last = tonumber(newest)
                sum = sum + tonumber(ARGV[index + 1])
                redis.call('LPUSH', KEYS[3], newest .. ' ' .. ARGV[index + 1] .. ' ' .. node)
            end
        end
        if not newest then return 0 end
        redis.call('INCRBY', KEYS[1], sum)
        redis.call('HSET', KEYS[2], node, newest)
        redis.call('LTRIM', KEYS[3], 0, ARGV[3] - 1)
        for _, key in ipairs(KEYS) do redis.call('EXPIREAT', key, ARGV[2]) end
        return 1
        """)

    /// Queues a stored batch. Never waits.
    func add(_ batch: BeaconBatch, node: String, seq: Int64) {
        let deltas = CounterDeltas(batch, calendar: calendar, now: clock())
        guard !deltas.isEmpty else { return }
        waiting.withLock { waiting in
            guard waiting.reduce(0, { $0 + $1.batches }) < Self.maxWaiting,
                waiting.reduce(0, { $0 + $1.counters.count }) < maxWaitingCounters
            else { return }
            if waiting.last?.node != node { waiting.append(CounterChanges(node: node)) }
            waiting[waiting.count - 1].add(deltas, seq: seq)
        }
        ring.yield()
    }

    /// How many counters the batches that wait will change.
    var waitingCounters: Int { waiting.withLock { $0.reduce(0) { $0 + $1.counters.count } } }

    /// Ends `run()` once what waits is added or passed over.
    package func beginDraining() {
        isDraining.withLock { $0 = true }
        ring.yield()
    }

    package func run() async {
        for await _ in bell {
            let started = ContinuousClock.now
            // Said before what waits is taken: nothing comes after it.
            let isLast = isDraining.withLock { $0 }
            for changes in waiting.withLock({ waiting in
                defer { waiting = [] }
                return waiting
            }) {
                await add(changes)
            }
            if isLast || Task.isCancelled { return }
            let took = ContinuousClock.now - started
            try? await Task.sleep(for: min(max(took * 4, Self.pause.lowerBound), Self.pause.upperBound))
        }
    }

    private func add(_ changes: CounterChanges) async {
        CrashPoint.countersWaiting.reached()
        do {
            try await redis.withConnection { try Self.apply(changes, on: $0) }
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

    static func apply(_ changes: CounterChanges, on connection: RedisConnection) throws {
        let calls = changes.counters.map { key, counter in
            let name = key.string
            var arguments: [RedisArgument] = [
                .init(changes.node), .init(counter.expires), .init(CounterKey.maxRecent),
            ]
            for change in counter.changes { arguments += [.init(change.seq), .init(change.views)] }
            return addScript.call(
                keys: [
                    .init(name), .init(CounterKey.positions(of: name)), .init(CounterKey.recent(of: name)),
                ],
                arguments: arguments)
        }
        for case .error(let message) in try connection.pipeline(scripts: calls) { throw RedisError(reply: message) }
        CrashPoint.countersAdded.reached()
        for (minute, visitors) in changes.visitors {
            let key = CounterKey.visitors(minute: minute)
            var command: [RedisArgument] = ["PFADD", .init(key)]
            for visitor in visitors { command.append(.init(String(visitor, radix: 36))) }
            _ = try connection.pipeline([command, ["EXPIRE", .init(key), "600"]])
        }
    }
}
