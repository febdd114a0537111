import Logging
import Platform
import Storage
import Synchronization

/// Redis's memory of seats that were just taken, to refuse without asking Postgres. It grants nothing.
///
/// A note ends by itself after `maxNoteMs`: where it is wrong, it keeps a free seat from its buyer no longer. Where
/// Redis can't be asked quickly, nobody asks it for a while, and Postgres refuses alone.
final class TakenSeats: Sendable {
    static let maxNoteMs: Int64 = 3_000
    static let maxWait = Duration.milliseconds(50)
    /// After a failure, for how long nobody asks.
    static let restMs: Int64 = 1_000
    static let maxWaiting = 4_096

    private let redis: RedisPool
    private let now: @Sendable () -> Int64
    /// Until when nobody asks; by `now`.
    private let resting = Mutex<Int64>(.min)

    /// - Parameter now: milliseconds of a clock that only goes forward.
    init(
        _ configuration: RedisConfiguration, maxWait: Duration = TakenSeats.maxWait,
        now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        var configuration = configuration
        configuration.commandTimeout = maxWait
        configuration.connectTimeout = maxWait
        redis = RedisPool(configuration, connections: 2, maxWaiting: Self.maxWaiting, logger: logger)
        self.now = now
    }

    /// Those of the seats that were taken moments ago; none where it isn't known.
    func among(_ seats: [String], of eventId: String) async -> [String] {
        let replies = await ask { connection in
            try connection.command(["MGET"] + seats.map { Self.key(eventId, $0) }).array ?? []
        }
        guard let replies, replies.count == seats.count else { return [] }
        return zip(seats, replies).filter { !$0.1.isNull }.map(\.0)
    }

    /// - Parameter lastingMs: for how long they are taken at least, where that is known to end.
    func note(_ seats: [String], of eventId: String, lastingMs: Int64 = .max) async {
        let lasting = min(Self.maxNoteMs, lastingMs)
        guard lasting > 0 else { return }
        _ = await ask { connection in
            try connection.pipeline(
                seats.map { ["SET", Self.key(eventId, $0), "1", "PX", RedisArgument(lasting)] })
        }
    }

    func forget(_ seats: [String], of eventId: String) async {
        guard !seats.isEmpty else { return }
        _ = await ask { try $0.command(["DEL"] + seats.map { Self.key(eventId, $0) }) }
    }

    func shutdown() async { await redis.shutdown() }

    /// One slot an event, so that a cluster can answer for several seats.
    private static func key(_ eventId: String, _ seat: String) -> RedisArgument {
        RedisArgument("{seats:\(eventId)}:taken:\(seat)")
    }

    private struct Resting: Error {}

    private func ask<R: Sendable>(_ body: @escaping @Sendable (RedisConnection) throws -> R) async -> R? {
        guard isAwake else { return nil }
        do {
            return try await redis.withConnection { [self] connection in
                // Those who waited behind the one that failed don't each wait as long.
                guard isAwake else { throw Resting() }
                return try body(connection)
            }
        } catch let error as RedisError where error.kind == .overloaded || error.kind == .canceled {
            return nil
        } catch {
            if !(error is Resting) { resting.withLock { $0 = now() + Self.restMs } }
            return nil
        }
    }

    var isAwake: Bool { resting.withLock { now() >= $0 } }
}
