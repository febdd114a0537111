package import Core
package import Storage

/// Messages that wait in a service's own database until every group has confirmed them.
///
/// Written in the transaction of the change that they tell of, so that there is never one without the other.
/// `OutboxRelay` publishes them.
package enum Outbox {
    /// In the caller's transaction. Messages of one thing must be appended under a lock of that thing, such as its row's:
    /// they are published in the order in which they were appended.
    package static func append(_ messages: [Message], on connection: PostgresConnection) throws {
        guard !messages.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO outbox (message_id, type, occurred_at, data)
            SELECT * FROM unnest(\(messages.map(\.id)), \(messages.map(\.kind.rawValue)),
                \(messages.map { PostgresTimestamp(ms: $0.occurredAt) }), \(try messages.map(MessageStream.data)))
            """)
    }

    /// The same as a part of the statement that makes the change: `INSERT … FROM cause`, of which `cause` has a row where
    /// it was made, and none where it wasn't. A message that waits already is not appended again.
    package static func insertion(of messages: [Message], from cause: SQL) throws -> SQL {
        """
        INSERT INTO outbox (message_id, type, occurred_at, data)
        SELECT m.* FROM \(sql: cause), (VALUES \(sql: try values(messages))) AS m
        ON CONFLICT (message_id) DO NOTHING
        """
    }

    private static func values(_ messages: [Message]) throws -> SQL {
        try messages.reduce(into: "" as SQL) { values, message in
            let row: SQL = """
                (\(message.id), \(message.kind.rawValue), \(PostgresTimestamp(ms: message.occurredAt)),
                    \(try MessageStream.data(of: message)))
                """
            values = values.text.isEmpty ? row : "\(sql: values), \(sql: row)"
        }
    }
}
