package import Core
package import Storage

/// Remembers which messages a service's database has taken, so that each has its effect once.
package enum Inbox {
    /// The messages that were not taken before, each once, in their order. In the caller's transaction, in which their
    /// effects belong.
    package static func take(_ messages: [Message], on connection: PostgresConnection) throws -> [Message] {
        guard !messages.isEmpty else { return [] }
        // In one order, so that two transactions with the same messages don't wait for each other.
        let sorted = messages.sorted { $0.id < $1.id }
        let rows = try connection.query(
            """
            INSERT INTO inbox (message_id, type)
            SELECT * FROM unnest(\(sorted.map(\.id)), \(sorted.map(\.kind.rawValue)))
            ON CONFLICT DO NOTHING RETURNING message_id
            """)
        var new = Set(try rows.map { try $0.get(0, as: String.self) })
        return messages.filter { new.remove($0.id) != nil }
    }
}
