import Core
import Platform
import Storage

/// The rows of the copies, in the transactions of those who call.
extension EventCopies {
    /// A message may be on its way while the change that it tells of is copied already: clocks may be so far apart.
    static let leewayMs: Int64 = 60_000

    /// Remembers that these events have changed, and that there are such. In the transaction that takes the messages.
    ///
    /// - Parameter now: what is asked for before it may not have the change yet, and after it has: by our own clock, since
    ///   that of Events may go before or after it.
    static func markStale(_ messages: [Message], now: Int64, on connection: PostgresConnection) throws {
        var changed: [String: Int64] = [:]
        for message in messages {
            guard case .eventUpserted(let body) = message.body else { continue }
            changed[body.eventId] = max(changed[body.eventId] ?? 0, message.occurredAt)
        }
        guard !changed.isEmpty else { return }
        let sorted = changed.sorted { $0.key < $1.key }
        try connection.execute(
            """
            INSERT INTO announced_events (event_id) SELECT * FROM unnest(\(sorted.map(\.key))) ON CONFLICT DO NOTHING
            """)
        try connection.execute(
            """
            UPDATE events e SET stale_since = greatest(e.stale_since, \(PostgresTimestamp(ms: now))),
                copy_due_at = '-infinity', copy_failures = 0
            FROM unnest(\(sorted.map(\.key)), \(sorted.map { PostgresTimestamp(ms: $0.value) })) AS t (event, occurred)
            WHERE e.event_id = t.event AND t.occurred + make_interval(secs => \(Double(leewayMs) / 1000)) >= e.copied_at
            """)
    }

    /// It was asked for at that instant. Where it was told of after that, it is still stale; where that is still to
    /// come, by our clock, nobody asks before it.
    static func settle(_ eventId: String, askedAt: Int64, on connection: PostgresConnection) throws {
        let asked = PostgresTimestamp(ms: askedAt)
        try connection.execute(
            """
            UPDATE events SET stale_since = CASE WHEN stale_since > \(asked) THEN stale_since END,
                copy_due_at = CASE WHEN stale_since > \(asked) THEN stale_since ELSE '-infinity' END, copy_failures = 0
            WHERE event_id = \(eventId) AND stale_since IS NOT NULL
            """)
    }

    /// Writes what Events says, unless a newer copy is there. Seats that the layout has lost stay for those who have
    /// them, and are offered no more.
    static func store(_ event: CatalogueEvent, askedAt: Int64, on connection: PostgresConnection) throws {
        let written = try connection.execute(
            """
            INSERT INTO events AS e (event_id, title, artist_id, status, sales_open_at, sales_close_at, starts_at,
                currency, max_seats, needs_admission, version, copied_at, canceling)
            VALUES (\(event.id), \(event.title), \(event.artistId), \(event.status.rawValue),
                \(PostgresTimestamp(ms: event.salesOpenAt)), \(PostgresTimestamp(ms: event.salesCloseAt)),
                \(PostgresTimestamp(ms: event.startsAt)), \(event.currency), \(Int32(event.maxSeatsPerBuyer)),
                \(event.needsAdmission), \(event.version), \(PostgresTimestamp(ms: askedAt)),
                \(event.status == .canceled))
            ON CONFLICT (event_id) DO UPDATE SET title = EXCLUDED.title, artist_id = EXCLUDED.artist_id,
                status = EXCLUDED.status, sales_open_at = EXCLUDED.sales_open_at,
                sales_close_at = EXCLUDED.sales_close_at, starts_at = EXCLUDED.starts_at,
                currency = EXCLUDED.currency, max_seats = EXCLUDED.max_seats,
                needs_admission = EXCLUDED.needs_admission, version = EXCLUDED.version,
                copied_at = EXCLUDED.copied_at, canceling = EXCLUDED.canceling, availability_due = true
            WHERE e.version <= EXCLUDED.version
            """)
        try settle(event.id, askedAt: askedAt, on: connection)
        // Ours is newer than what was asked for.
        guard written == 1 else { return }
        let seats = event.seats.enumerated().sorted { $0.element.id < $1.element.id }
        try connection.execute(
            """
            INSERT INTO seats AS s (event_id, seat_id, position, section, "row", number, price)
            SELECT \(event.id), t.* FROM unnest(\(seats.map(\.element.id)), \(seats.map { Int32($0.offset) }),
                \(seats.map(\.element.section)), \(seats.map(\.element.row)), \(seats.map(\.element.number)),
                \(seats.map(\.element.price))) AS t
            ON CONFLICT (event_id, seat_id) DO UPDATE SET position = EXCLUDED.position, section = EXCLUDED.section,
                "row" = EXCLUDED."row", number = EXCLUDED.number, price = EXCLUDED.price, is_offered = true
            WHERE (s.position, s.section, s."row", s.number, s.price, s.is_offered)
                IS DISTINCT FROM (EXCLUDED.position, EXCLUDED.section, EXCLUDED."row", EXCLUDED.number, EXCLUDED.price, true)
            """)
        try connection.execute(
            """
            UPDATE seats SET is_offered = false
            WHERE event_id = \(event.id) AND is_offered AND NOT seat_id = ANY (\(seats.map(\.element.id)))
            """)
    }
}
