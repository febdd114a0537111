import Core
import Platform
import Storage

/// The rows of the copies, in the transactions of those who call.
extension EventCopies {
    /// Those that have changed, as these messages tell.
    static func changed(_ messages: [Message]) -> Set<String> {
        Set(
            messages.compactMap { message in
                if case .eventUpserted(let body) = message.body { body.eventId } else { nil }
            })
    }

    /// Remembers that these events have changed, and that there are such. In the transaction that takes the messages.
    ///
    /// Each is counted, also where there is no copy yet: one that is being fetched at this moment was asked for too early.
    ///
    /// - Parameter others: events whose rows the same transaction changes, too. All are locked at once, in one order.
    static func markStale(
        _ changed: Set<String>, and others: Set<String> = [], now: Int64, on connection: PostgresConnection
    ) throws {
        guard !changed.isEmpty else { return }
        let sorted = changed.sorted()
        try connection.execute(
            """
            INSERT INTO announced_events AS a (event_id, told) SELECT id, 1 FROM unnest(\(sorted)) AS t (id)
            ON CONFLICT (event_id) DO UPDATE SET told = a.told + 1
            """)
        _ = try connection.query(
            """
            SELECT FROM events WHERE event_id = ANY (\(Array(changed.union(others)))) ORDER BY event_id
            FOR NO KEY UPDATE
            """)
        try connection.execute(
            """
            UPDATE events SET stale_since = \(PostgresTimestamp(ms: now)), copy_due_at = '-infinity', copy_failures = 0
            WHERE event_id = ANY (\(sorted))
            """)
    }

    /// How often it was told of. To be read before Events is asked.
    static func told(of eventId: String, on connection: PostgresConnection) throws -> Int64 {
        try connection.query("SELECT told FROM announced_events WHERE event_id = \(eventId)").first?.get(0) ?? 0
    }

    /// The same, and nobody tells of it until the transaction ends. Before the event's own row is locked.
    static func lockedTold(of eventId: String, on connection: PostgresConnection) throws -> Int64 {
        try connection.query(
            """
            INSERT INTO announced_events AS a (event_id) VALUES (\(eventId))
            ON CONFLICT (event_id) DO UPDATE SET told = a.told RETURNING told
            """)[0].get(0)
    }

    /// Events has answered. Where it was told of since it was asked, the answer may be from before the change.
    private static func settle(
        _ eventId: String, isCurrent: Bool, now: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            UPDATE events SET stale_since = CASE WHEN NOT \(isCurrent)
                    THEN coalesce(stale_since, \(PostgresTimestamp(ms: now))) END,
                copy_due_at = '-infinity', copy_failures = 0
            WHERE event_id = \(eventId) AND (stale_since IS NOT NULL OR NOT \(isCurrent))
            """)
    }

    /// Events has it no more. What was sold of it stays sold.
    static func close(_ eventId: String, told: Int64, now: Int64, on connection: PostgresConnection) throws {
        let isCurrent = try lockedTold(of: eventId, on: connection) == told
        try connection.execute("UPDATE events SET status = 'closed' WHERE event_id = \(eventId)")
        try settle(eventId, isCurrent: isCurrent, now: now, on: connection)
    }

    /// It could not be copied. Unless it was told of again meanwhile: it may have been mended by that.
    static func postpone(_ eventId: String, told: Int64, now: Int64, on connection: PostgresConnection) throws {
        guard try lockedTold(of: eventId, on: connection) == told else { return }
        try connection.execute(
            """
            UPDATE events SET copy_failures = copy_failures + 1,
                copy_due_at = \(PostgresTimestamp(ms: now)) + INTERVAL '1 millisecond' * least(
                    \(retryMs.lowerBound) * 2 ^ least(copy_failures, 30), \(retryMs.upperBound))
            WHERE event_id = \(eventId) AND stale_since IS NOT NULL
            """)
    }

    /// Writes what Events says, unless a newer copy is there. Seats that the layout has lost stay for those who have
    /// them, and are offered no more.
    ///
    /// - Parameters:
    ///   - told: how often it had been told of before Events was asked.
    ///   - askedAt: when that was.
    static func store(
        _ event: CatalogueEvent, told: Int64, askedAt: Int64, on connection: PostgresConnection
    ) throws {
        let isCurrent = try lockedTold(of: event.id, on: connection) == told
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
        try settle(event.id, isCurrent: isCurrent, now: askedAt, on: connection)
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
