import Core
import HTTPTypes
import Platform
package import Storage

/// Events in the database. Whatever changes one locks its row, then its artist's and venue's, writes what search finds and
/// appends `event.upserted`.
enum EventStore {
    static func find(_ id: String, on connection: PostgresConnection) throws -> CatalogueEvent? {
        try connection.query(
            "SELECT \(sql: CatalogueEvent.columns) FROM \(sql: CatalogueEvent.tables) WHERE e.id = \(id)"
        ).first.map(CatalogueEvent.init)
    }

    /// In the order of the ids.
    static func find(_ ids: [String], on connection: PostgresConnection) throws -> [CatalogueEvent] {
        try connection.query(
            """
            SELECT \(sql: CatalogueEvent.columns) FROM unnest(\(ids)) WITH ORDINALITY AS wanted (id, place),
                \(sql: CatalogueEvent.tables) WHERE e.id = wanted.id ORDER BY wanted.place
            """
        ).map(CatalogueEvent.init)
    }

    /// - Returns: whether it is new: an event of this id stays as it is.
    static func insert(_ id: String, _ draft: EventDraft, now: Int64, on connection: PostgresConnection) throws -> Bool
    {
        try lockReferences(draft, on: connection)
        let instant = PostgresTimestamp(ms: now)
        let new = try connection.execute(
            """
            INSERT INTO events (id, title, description, artist_id, venue_id, category_id, starts_at, ends_at,
                sales_open_at, sales_close_at, currency, max_seats_per_buyer, needs_admission, taxable, ticket_types,
                created_at, updated_at)
            VALUES (\(id), \(draft.title), \(draft.description), \(draft.artistId), \(draft.venueId), \(draft.categoryId),
                \(PostgresTimestamp(ms: draft.startsAt)), \(draft.endsAt.map { PostgresTimestamp(ms: $0) }),
                \(PostgresTimestamp(ms: draft.salesOpenAt)), \(PostgresTimestamp(ms: draft.salesCloseAt)),
                \(draft.currency), \(draft.maxSeatsPerBuyer), \(draft.needsAdmission), \(draft.taxable),
                \(try StoredJSON.text(draft.ticketTypes)), \(instant), \(instant))
            ON CONFLICT (id) DO NOTHING
            """)
        guard new == 1 else { return false }
        try announce(id, draft, at: now, on: connection)
        return true
    }

    static func update(
        _ id: String, _ draft: EventDraft, version: Int64, now: Int64, on connection: PostgresConnection
    ) throws {
        try lock(id, version: version, on: connection)
        try lockReferences(draft, on: connection)
        let changed = try connection.query(
            """
            UPDATE events SET title = \(draft.title), description = \(draft.description),
                artist_id = \(draft.artistId), venue_id = \(draft.venueId), category_id = \(draft.categoryId),
                starts_at = \(PostgresTimestamp(ms: draft.startsAt)),
                ends_at = \(draft.endsAt.map { PostgresTimestamp(ms: $0) }),
                sales_open_at = \(PostgresTimestamp(ms: draft.salesOpenAt)),
                sales_close_at = \(PostgresTimestamp(ms: draft.salesCloseAt)), currency = \(draft.currency),
                max_seats_per_buyer = \(draft.maxSeatsPerBuyer), needs_admission = \(draft.needsAdmission),
                taxable = \(draft.taxable), ticket_types = \(try StoredJSON.text(draft.ticketTypes)),
                \(sql: counted(now))
            WHERE id = \(id) RETURNING updated_at
            """)
        try announce(id, draft, at: try changed[0].get(0, as: PostgresTimestamp.self).ms, on: connection)
    }

    /// For good; an event that is canceled already stays as it is.
    static func cancel(_ id: String, now: Int64, on connection: PostgresConnection) throws {
        let locked = try connection.query("SELECT FROM events WHERE id = \(id) FOR NO KEY UPDATE")
        guard locked.count == 1, let event = try find(id, on: connection) else { throw CatalogueChange.notFound }
        guard !event.isCanceled else { return }
        try lockReferences(event.draft, on: connection)
        let changed = try connection.query(
            """
            UPDATE events SET canceled_at = \(PostgresTimestamp(ms: now)), \(sql: counted(now))
            WHERE id = \(id) RETURNING updated_at
            """)
        try announce(id, event.draft, at: try changed[0].get(0, as: PostgresTimestamp.self).ms, on: connection)
    }

    static func replaceLayout(
        of id: String, _ layout: SeatLayout, version: Int64?, now: Int64, on connection: PostgresConnection
    ) throws {
        try lock(id, version: version, on: connection)
        try connection.execute(
            """
            INSERT INTO event_layouts (event_id, seats, layout)
            VALUES (\(id), \(layout.seatCount), \(try StoredJSON.text(layout)))
            ON CONFLICT (event_id) DO UPDATE SET seats = EXCLUDED.seats, layout = EXCLUDED.layout
            """)
        let row = try connection.query(
            """
            UPDATE events SET \(sql: counted(now)) WHERE id = \(id) RETURNING updated_at, title, artist_id, starts_at
            """)[0]
        try Outbox.append(
            [
                CatalogueChange.eventUpserted(
                    id, title: try row.get(1), artistId: try row.get(2),
                    startsAt: try row.get(3, as: PostgresTimestamp.self).ms,
                    at: try row.get(0, as: PostgresTimestamp.self).ms)
            ], on: connection)
    }

    /// Nil where there is none of this id.
    static func version(of id: String, on connection: PostgresConnection) throws -> Int64? {
        try connection.query("SELECT version FROM events WHERE id = \(id)").first?.get(0)
    }

    static func layout(of id: String, on connection: PostgresConnection) throws -> SeatLayout? {
        try connection.query("SELECT layout FROM event_layouts WHERE event_id = \(id)").first.map { row in
            try StoredJSON.value(try row.get(0))
        }
    }

    // MARK: Parts of a change

    private static func lock(_ id: String, version: Int64?, on connection: PostgresConnection) throws {
        let rows = try connection.query(
            "SELECT version, canceled_at IS NOT NULL FROM events WHERE id = \(id) FOR NO KEY UPDATE")
        guard let row = rows.first else { throw CatalogueChange.notFound }
        guard try !row.get(1, as: Bool.self) else {
            throw Problem(.conflict, "canceled", detail: "the event is canceled, for good")
        }
        if let version, try row.get(0, as: Int64.self) != version { throw CatalogueChange.versionDiffers }
    }

    /// Shared locks: whoever renames one of these waits, so that what search knows of the event has the name that stays.
    private static func lockReferences(_ draft: EventDraft, on connection: PostgresConnection) throws {
        let references: [(field: String, table: String, id: String?)] = [
            ("artistId", "artists", draft.artistId), ("venueId", "venues", draft.venueId),
            ("categoryId", "categories", draft.categoryId),
        ]
        for (field, table, id) in references {
            guard let id else { continue }
            let rows = try connection.query("SELECT FROM \(unescaped: table) WHERE id = \(id) FOR SHARE")
            guard rows.count == 1 else { throw Problem.invalid(field, "there is none of this id") }
        }
    }

    private static func counted(_ now: Int64) -> SQL {
        """
        version = version + 1,
        updated_at = greatest(\(PostgresTimestamp(ms: now)), updated_at + INTERVAL '1 millisecond')
        """
    }

    private static func announce(
        _ id: String, _ draft: EventDraft, at instant: Int64, on connection: PostgresConnection
    ) throws {
        try SearchIndex.refresh(event: id, on: connection)
        try Outbox.append(
            [
                CatalogueChange.eventUpserted(
                    id, title: draft.title, artistId: draft.artistId, startsAt: draft.startsAt, at: instant)
            ], on: connection)
    }
}

extension EventService {
    /// Events as the API answers them, in the order of their ids: what a search costs beside finding them.
    package static func events(_ ids: [String], on connection: PostgresConnection) throws -> [CatalogueEvent] {
        try EventStore.find(ids, on: connection)
    }
}
