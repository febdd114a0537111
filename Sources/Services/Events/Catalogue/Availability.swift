import Core
import Platform
import Storage

/// Whether seats of events are left, as Reservations tells it.
enum Availability {
    /// Only whether seats are left means anything here.
    static let kinds: Set<Message.Kind> = [.eventAvailability]

    /// Takes the messages, each once. Of one event the one that occurred last holds, in whatever order they come.
    ///
    /// What others copy of an event stays the same, so neither its version grows nor anybody is told.
    ///
    /// - Returns: how many were not taken before, and whether what is answered of any event is another now.
    static func store(
        _ messages: [Message], on connection: PostgresConnection
    ) throws -> (stored: Int, hasChanged: Bool) {
        let new = try Inbox.take(messages, on: connection)
        var told: [String: (soldOut: Bool, at: Int64)] = [:]
        for message in new {
            guard case .eventAvailability(let body) = message.body else { continue }
            if let known = told[body.eventId], known.at >= message.occurredAt { continue }
            told[body.eventId] = (body.soldOut, message.occurredAt)
        }
        // In one order, so that two readers don't wait for each other.
        let rows = try connection.query(
            """
            SELECT id, sold_out, availability_at FROM events WHERE id = ANY (\(Array(told.keys))) ORDER BY id
            FOR NO KEY UPDATE
            """)
        var later: [(id: String, at: Int64)] = []
        var soldOut: [String] = []
        var hasChanged = false
        for row in rows {
            let id: String = try row.get(0)
            let known = try row.get(2, as: PostgresTimestamp?.self)?.ms ?? .min
            guard let news = told[id], news.at > known else { continue }
            later.append((id, news.at))
            if news.soldOut { soldOut.append(id) }
            if try row.get(1) != news.soldOut { hasChanged = true }
        }
        guard !later.isEmpty else { return (new.count, false) }
        try connection.execute(
            """
            UPDATE events e SET sold_out = e.id = ANY (\(soldOut)), availability_at = t.at
            FROM unnest(\(later.map(\.id)), \(later.map { PostgresTimestamp(ms: $0.at) })) AS t (id, at)
            WHERE e.id = t.id
            """)
        return (new.count, hasChanged)
    }
}

extension EventService {
    /// Takes what the others have said.
    static func store(_ messages: [Message], _ pool: PostgresPool, _ cache: CatalogueCache) async throws -> Int {
        let told = messages.filter { Availability.kinds.contains($0.kind) }
        guard !told.isEmpty else { return messages.count }
        let taken: (stored: Int, hasChanged: Bool)
        do {
            taken = try await pool.withConnection { connection in
                try connection.transaction { try Availability.store(told, on: $0) }
            }
        } catch let error as PostgresError where error.kind == .unavailable {
            // It may have been committed, and is nothing new the next time.
            await cache.drop()
            throw error
        }
        // Only then: events that sell out and don't, all the time, would else keep the cache empty.
        if taken.hasChanged { await cache.drop() }
        return messages.count - told.count + taken.stored
    }
}
