import Core
import Logging
import Storage

/// What Redis knows of the last moments. Where it does not answer, the rollups stand alone.
extension QueryEngine {
    /// Today's page views, counted before they are folded.
    func viewsToday(_ subject: TrafficSubject, _ day: Day?) async -> Int64? {
        guard let day else { return nil }
        switch subject {
        case .artist(let id): return await ask(["GET", RedisArgument(CounterKey.artistViews(id, on: day))])
        case .event(let id): return await ask(["GET", RedisArgument(CounterKey.eventViews(id, on: day))])
        case .site: return nil
        }
    }

    /// Distinct visitors of the current minute and the four before it.
    func visitorsLast5Minutes() async -> Int64? {
        let minute = floorDiv(now(), 60_000)
        let keys = (0..<5).map { RedisArgument(CounterKey.visitors(minute: minute - $0)) }
        return await ask(["PFCOUNT"] + keys)
    }

    private func ask(_ command: [RedisArgument]) async -> Int64? {
        await reply(to: command).flatMap(Self.number)
    }

    /// Counters that are not there are 0.
    func askAll(_ command: [RedisArgument]) async -> [Int64]? {
        await reply(to: command)?.array?.map { Self.number($0) ?? 0 }
    }

    private static func number(_ reply: RedisReply) -> Int64? {
        reply.int.map { Int64($0) } ?? reply.string.flatMap { Int64($0) }
    }

    private func reply(to command: [RedisArgument]) async -> RedisReply? {
        guard let redis else { return nil }
        do {
            return try await redis.withConnection { try $0.command(command) }
        } catch {
            // The pool has warned of losing Redis; once a request would be too often.
            logger.debug("answering without Redis", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
