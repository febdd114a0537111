import Core
import Platform
import Storage

extension MessageConsumer {
    /// Tells Postgres how far the group is, and removes from the stream what every group confirmed long enough ago.
    ///
    /// Safe at any time: between the questions groups only confirm, or are given what came after. A group that nobody
    /// reads any more holds everything, until it is destroyed.
    func settle(keepingMs: Int64 = confirmedKeptMs) async throws {
        let replies = try await ask([
            ["TIME"], ["XREVRANGE", .init(Message.stream), "+", "-", "COUNT", "1"],
            ["XINFO", "GROUPS", .init(Message.stream)],
        ])
        let last = (replies[1].array?.first?.array?.first?.string).flatMap { EntryID($0) }
        var groups: [(name: String, read: EntryID)] = []
        for group in replies[2].array ?? [] {
            // Names and values in turn.
            let fields = (group.array ?? []).map { $0.string ?? "" }
            guard let name = fields.firstIndex(of: "name"), let read = fields.firstIndex(of: "last-delivered-id"),
                max(name, read) + 1 < fields.count, let id = EntryID(fields[read + 1])
            else { return }
            groups.append((fields[name + 1], id))
        }
        // Seconds and microseconds, by the clock that entries get their ids from.
        guard let time = replies[0].array?.compactMap({ $0.string.flatMap { Int64($0) } }), time.count == 2 else {
            return
        }
        let now = time[0] * 1000 + time[1] / 1000
        var kept = groups.map(\.read) + [EntryID(milliseconds: max(now - keepingMs, 0), sequence: 0)]
        // How many, the first, the last, and by consumer.
        let pending = try await ask(groups.map { ["XPENDING", .init(Message.stream), .init($0.name)] })
        for ((name, read), reply) in zip(groups, pending) {
            guard let summary = reply.array, summary.count == 4 else { return }
            let first = summary[1].string.flatMap { EntryID($0) }
            if let first { kept.append(first) }
            guard name == Self.group else { continue }
            if let first {
                try await store(handledThroughMs: min(first, read).milliseconds)
            } else if let last, read < last {
                try await store(handledThroughMs: read.milliseconds)
            } else {
                // All there was at that time.
                try await store(handledThroughMs: now)
            }
        }
        guard let first = kept.min() else { return }
        _ = try await ask([["XTRIM", .init(Message.stream), "MINID", .init("\(first)")]])
    }

    private func store(handledThroughMs instant: Int64) async throws {
        try await postgres.withConnection { connection in
            _ = try connection.execute(
                """
                INSERT INTO message_progress AS p (consumer_group, handled_through)
                VALUES (\(Self.group), \(PostgresTimestamp(ms: instant)))
                ON CONFLICT (consumer_group) DO UPDATE SET handled_through = EXCLUDED.handled_through
                WHERE p.handled_through <> EXCLUDED.handled_through
                """)
        }
    }

    private func ask(_ commands: [[RedisArgument]]) async throws -> [RedisReply] {
        let replies = try await redis.withConnection { try $0.pipeline(commands) }
        for reply in replies {
            if case .error(let message) = reply { throw RedisError(reply: message) }
        }
        return replies
    }
}
