import Core
package import Logging
import Platform
package import Storage

/// Reads the message stream as one consumer of the group `analytics`, and stores each message once with its effect.
///
/// An entry is confirmed after its effect is committed; what a consumer leaves unconfirmed, another takes over. What
/// can't be read goes to the dead-letter stream with its reason and stops nothing. What every group of the stream has
/// confirmed is removed from it, so that it holds what is under way and not all there ever was.
package struct MessageConsumer: Sendable {
    package static let group = "analytics"
    static let maxEntries = 256
    static let blockMs = 500
    /// Entries that a consumer has held this long are taken over from it.
    static let takeOverMs = 30_000
    static let takeOverEveryMs: Int64 = 10_000
    /// How often Postgres is told how far the group is.
    static let settleEveryMs: Int64 = 1_000
    /// How long the stream keeps what every group has confirmed. Postgres may fall back to an earlier moment, and the
    /// inbox makes reading again harmless: `XGROUP SETID tiketi:messages analytics 0`.
    static let confirmedKeptMs: Int64 = 3_600_000
    static let maxDeadLetters = 100_000
    /// What a dead letter keeps of an entry: its first fields, and the first bytes of each name and value.
    static let maxDeadFields = 16
    static let maxDeadBytes = 64 << 10
    static let retryMs: ClosedRange<Int64> = 100...5000

    private let name: String
    let redis: RedisPool
    let postgres: PostgresPool
    private let clock: @Sendable () -> Int64
    private let metrics: MessageMetrics
    private let logger: Logger

    /// - Parameter redis: a pool of its own: reading blocks a connection.
    package init(
        name: String, redis: RedisPool, postgres: PostgresPool, clock: @escaping @Sendable () -> Int64,
        metrics: MessageMetrics, logger: Logger
    ) {
        self.name = name
        self.redis = redis
        self.postgres = postgres
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    /// Runs until the task is cancelled; what fails is tried again.
    package func run() async {
        var delayMs = Self.retryMs.lowerBound
        var lastTakeOver: Int64 = 0
        var lastSettled: Int64 = 0
        // What this consumer had taken before a restart comes first, from the oldest on; nil once that is done.
        var resuming: String? = "0"
        while !Task.isCancelled {
            do {
                if clock() - lastTakeOver >= Self.takeOverEveryMs {
                    try await handle(try await takeOver())
                    lastTakeOver = clock()
                }
                let entries = try await read(from: resuming ?? ">")
                try await handle(entries)
                if resuming != nil { resuming = entries.last?.id }
                if clock() - lastSettled >= Self.settleEveryMs {
                    try await settle()
                    lastSettled = clock()
                }
                delayMs = Self.retryMs.lowerBound
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                if (error as? RedisError)?.kind == .server(code: "NOGROUP") {
                    try? await makeGroup()
                } else {
                    logger.warning("reading messages failed; trying again", metadata: ["error": "\(error)"])
                }
                resuming = "0"
                try? await Task.sleep(for: .milliseconds(delayMs))
                delayMs = min(delayMs * 2, Self.retryMs.upperBound)
            }
        }
    }

    // MARK: Redis

    private func makeGroup() async throws {
        _ = try await redis.withConnection {
            try $0.command(["XGROUP", "CREATE", .init(Message.stream), .init(Self.group), "0", "MKSTREAM"])
        }
    }

    private func read(from id: String) async throws -> [StreamEntry] {
        let reply = try await redis.withConnection { [name] connection in
            try connection.command([
                "XREADGROUP", "GROUP", .init(Self.group), .init(name), "COUNT", .init(Int64(Self.maxEntries)),
                "BLOCK", .init(Int64(Self.blockMs)), "STREAMS", .init(Message.stream), .init(id),
            ])
        }
        // [[stream, [entry, …]]]
        guard let streams = reply.array, let stream = streams.first?.array, stream.count == 2 else { return [] }
        return (stream[1].array ?? []).compactMap { StreamEntry($0) }
    }

    private func takeOver() async throws -> [StreamEntry] {
        let reply = try await redis.withConnection { [name] connection in
            try connection.command([
                "XAUTOCLAIM", .init(Message.stream), .init(Self.group), .init(name), .init(Int64(Self.takeOverMs)), "0",
                "COUNT", .init(Int64(Self.maxEntries)),
            ])
        }
        guard let parts = reply.array, parts.count >= 2 else { return [] }
        return (parts[1].array ?? []).compactMap { StreamEntry($0) }
    }

    private func confirm(_ ids: [String]) async throws {
        guard !ids.isEmpty else { return }
        _ = try await redis.withConnection { connection in
            try connection.command(
                ["XACK", .init(Message.stream), .init(Self.group)] + ids.map { RedisArgument($0) })
        }
    }

    /// Moves what can't be read to the dead-letter stream. Where that fails it stays unconfirmed, and is taken over
    /// again later: it must not stop the rest.
    private func bury(_ dead: [(entry: StreamEntry, reason: String)]) async throws {
        guard !dead.isEmpty else { return }
        let commands = dead.map { entry, reason -> [RedisArgument] in
            var command: [RedisArgument] = [
                "XADD", .init(Message.deadLetterStream), "MAXLEN", "~", .init(Int64(Self.maxDeadLetters)), "*",
                "reason", .init(reason), "entry", .init(entry.id),
            ]
            for field in entry.fields.prefix(Self.maxDeadFields) {
                command += [
                    .init(Array("original.".utf8) + field.name.prefix(Self.maxDeadBytes)),
                    .init(Array(field.value.prefix(Self.maxDeadBytes))),
                ]
            }
            return command
        }
        let replies = try await redis.withConnection { try $0.pipeline(commands) }
        var buried: [String] = []
        for ((entry, reason), reply) in zip(dead, replies) {
            if case .error(let message) = reply {
                logger.error(
                    "a message that can't be read could not be moved away",
                    metadata: ["entry": "\(entry.id)", "reason": "\(reason)", "error": "\(message)"])
                continue
            }
            logger.error("message can't be read", metadata: ["entry": "\(entry.id)", "reason": "\(reason)"])
            buried.append(entry.id)
        }
        metrics.deadLetters.increment(by: buried.count)
        try await confirm(buried)
    }

    // MARK: Effects

    private func handle(_ entries: [StreamEntry]) async throws {
        guard !entries.isEmpty else { return }
        var good: [(entry: StreamEntry, message: Message)] = []
        var dead: [(entry: StreamEntry, reason: String)] = []
        for entry in entries {
            do {
                good.append((entry, try MessageDecoder.decode(entry.fields)))
            } catch {
                dead.append((entry, error.reason))
            }
        }
        var stored = good.map(\.entry.id)
        do {
            try await store(good.map(\.message))
        } catch let error as PostgresError where error.isAboutData {
            // One of them: find out which, and keep the others.
            stored = []
            for (entry, message) in good {
                do {
                    try await store([message])
                    stored.append(entry.id)
                } catch let error as PostgresError where error.isAboutData {
                    dead.append((entry, "Postgres refused it: \(error.message)"))
                }
            }
        }
        try await confirm(stored)
        try await bury(dead)
    }

    private func store(_ messages: [Message]) async throws {
        guard !messages.isEmpty else { return }
        let stored = try await postgres.withConnection { connection in
            try connection.transaction { try MessageEffects.store(messages, on: $0) }
        }
        metrics.stored.increment(by: stored)
        metrics.repeats.increment(by: messages.count - stored)
    }
}
