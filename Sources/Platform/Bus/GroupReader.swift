package import Core
package import Logging
package import Storage

/// Reads the message stream as one consumer of a group.
///
/// An entry is confirmed once `store` has returned: it commits the messages' effects, under an inbox, since entries come
/// more than once. What a consumer leaves unconfirmed, another takes over. What can't be read, or is refused for what it
/// says, goes to the dead-letter stream with its reason and stops nothing.
///
/// A message of a kind that means nothing to the group is confirmed unread: most readers want one of a booking's three, or
/// none. One that can't be read is buried by those who want its kind, one of no known kind by all.
package struct GroupReader: Sendable {
    package static let maxEntries = 256
    static let blockMs = 500
    /// Entries that a consumer has held this long are taken over from it.
    package static let takeOverMs = 30_000
    static let takeOverEveryMs: Int64 = 10_000
    static let settleEveryMs: Int64 = 1_000
    static let maxDeadLetters = 100_000
    /// What a dead letter keeps of an entry: its first fields, and the first bytes of each name and value.
    package static let maxDeadFields = 16
    package static let maxDeadBytes = 64 << 10
    static let retryMs: ClosedRange<Int64> = 100...5000

    package let group: MessageGroup
    /// As `type` has them.
    private let unwanted: Set<[UInt8]>
    private let name: String
    private let redis: RedisPool
    private let clock: @Sendable () -> Int64
    private let metrics: MessageMetrics
    private let logger: Logger
    private let store: @Sendable ([Message]) async throws -> Int
    private let settle: (@Sendable () async throws -> Void)?

    /// - Parameters:
    ///   - kinds: that mean something to the group: `store` is given no others.
    ///   - name: the consumer's: unique in its group, and the same after a restart.
    ///   - redis: a pool of its own: reading blocks a connection.
    ///   - settle: called about once a second, between two reads.
    ///   - store: commits the messages' effects, all or none; returns how many were not stored before. A `PostgresError`
    ///     that is about data buries the message; anything else is tried again.
    package init(
        group: MessageGroup, kinds: Set<Message.Kind> = Set(Message.Kind.allCases), name: String, redis: RedisPool,
        clock: @escaping @Sendable () -> Int64, metrics: MessageMetrics, logger: Logger,
        settle: (@Sendable () async throws -> Void)? = nil,
        store: @escaping @Sendable ([Message]) async throws -> Int
    ) {
        self.group = group
        unwanted = Set(Message.Kind.allCases.filter { !kinds.contains($0) }.map { Array($0.rawValue.utf8) })
        self.name = name
        self.redis = redis
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
        self.settle = settle
        self.store = store
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
                if let settle, clock() - lastSettled >= Self.settleEveryMs {
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
        _ = try await redis.withConnection { [group] in
            try $0.command(["XGROUP", "CREATE", .init(Message.stream), .init(group.rawValue), "0", "MKSTREAM"])
        }
    }

    private func read(from id: String) async throws -> [StreamEntry] {
        let reply = try await redis.withConnection { [group, name] connection in
            try connection.command([
                "XREADGROUP", "GROUP", .init(group.rawValue), .init(name), "COUNT", .init(Int64(Self.maxEntries)),
                "BLOCK", .init(Int64(Self.blockMs)), "STREAMS", .init(Message.stream), .init(id),
            ])
        }
        // [[stream, [entry, …]]]
        guard let streams = reply.array, let stream = streams.first?.array, stream.count == 2 else { return [] }
        return (stream[1].array ?? []).compactMap { StreamEntry($0) }
    }

    private func takeOver() async throws -> [StreamEntry] {
        let reply = try await redis.withConnection { [group, name] connection in
            try connection.command([
                "XAUTOCLAIM", .init(Message.stream), .init(group.rawValue), .init(name), .init(Int64(Self.takeOverMs)),
                "0",
                "COUNT", .init(Int64(Self.maxEntries)),
            ])
        }
        guard let parts = reply.array, parts.count >= 2 else { return [] }
        return (parts[1].array ?? []).compactMap { StreamEntry($0) }
    }

    private func confirm(_ ids: [String]) async throws {
        guard !ids.isEmpty else { return }
        _ = try await redis.withConnection { [group] connection in
            try connection.command(
                ["XACK", .init(Message.stream), .init(group.rawValue)] + ids.map { RedisArgument($0) })
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
        BusCrashPoint.messagesTaken.reached()
        var passedOver: [String] = []
        var good: [(entry: StreamEntry, message: Message)] = []
        var dead: [(entry: StreamEntry, reason: String)] = []
        for entry in entries {
            if let type = entry.type, unwanted.contains(type) {
                passedOver.append(entry.id)
                continue
            }
            do {
                good.append((entry, try MessageDecoder.decode(entry.fields)))
            } catch {
                dead.append((entry, error.reason))
            }
        }
        var stored = good.map(\.entry.id)
        do {
            try await storeCounting(good.map(\.message))
        } catch let error as PostgresError where error.isAboutData {
            // One of them: find out which, and keep the others.
            stored = []
            for (entry, message) in good {
                do {
                    try await storeCounting([message])
                    stored.append(entry.id)
                } catch let error as PostgresError where error.isAboutData {
                    dead.append((entry, "Postgres refused it: \(error.message)"))
                }
            }
        }
        BusCrashPoint.messagesStored.reached()
        try await confirm(passedOver + stored)
        try await bury(dead)
        BusCrashPoint.messagesConfirmed.reached()
    }

    private func storeCounting(_ messages: [Message]) async throws {
        guard !messages.isEmpty else { return }
        let stored = try await store(messages)
        metrics.stored.increment(by: stored)
        metrics.repeats.increment(by: messages.count - stored)
    }
}
