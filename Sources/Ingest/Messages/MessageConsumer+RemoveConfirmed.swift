import Core
import Platform
import Storage

extension MessageConsumer {
    /// Removes what lies before the first entry that some group of the stream has not confirmed.
    ///
    /// Safe at any time: between the questions groups only confirm, or are given what came after. A group that nobody
    /// reads any more holds everything, until it is destroyed.
    func removeConfirmed() async throws {
        let groups = try await ask([["XINFO", "GROUPS", .init(Message.stream)]])[0].array ?? []
        var names: [RedisArgument] = []
        var kept: [EntryID] = []
        for group in groups {
            // Names and values in turn.
            let fields = (group.array ?? []).map { $0.string ?? "" }
            guard let name = fields.firstIndex(of: "name"), let read = fields.firstIndex(of: "last-delivered-id"),
                max(name, read) + 1 < fields.count, let id = EntryID(fields[read + 1])
            else { return }
            names.append(.init(fields[name + 1]))
            kept.append(id)
        }
        for reply in try await ask(names.map { ["XPENDING", .init(Message.stream), $0] }) {
            // How many, the first, the last, and by consumer.
            guard let summary = reply.array, summary.count == 4 else { return }
            if let first = summary[1].string {
                guard let id = EntryID(first) else { return }
                kept.append(id)
            }
        }
        guard let first = kept.min() else { return }
        _ = try await ask([["XTRIM", .init(Message.stream), "MINID", .init("\(first)")]])
    }

    private func ask(_ commands: [[RedisArgument]]) async throws -> [RedisReply] {
        let replies = try await redis.withConnection { try $0.pipeline(commands) }
        for reply in replies {
            if case .error(let message) = reply { throw RedisError(reply: message) }
        }
        return replies
    }
}

/// The id of a stream's entry: `milliseconds-sequence`.
private struct EntryID: Comparable, CustomStringConvertible {
    var milliseconds: UInt64
    var sequence: UInt64

    init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let sequence = UInt64(parts[1]) else { return nil }
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    static func < (one: EntryID, other: EntryID) -> Bool {
        (one.milliseconds, one.sequence) < (other.milliseconds, other.sequence)
    }

    var description: String { "\(milliseconds)-\(sequence)" }
}
