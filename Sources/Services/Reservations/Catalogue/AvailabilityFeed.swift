import Core
import Platform
import Storage

/// Tells Events when the last seat of an event goes, and when one is free again.
///
/// Nothing is written for it where seats are held: those who hold don't wait for each other. What the reservations' own
/// messages say marks an event, once until it is looked at; where its answer is another than was told, that is told.
struct AvailabilityFeed: Sendable {
    /// Events looked at in one transaction.
    static let maxBatch = 32

    let store: ReservationStore

    /// Looks at some events that are marked.
    ///
    /// - Returns: how many there were.
    func step() async throws -> Int {
        let now = store.clock()
        return try await store.transaction { connection in
            let events = try connection.query(Self.due).map { try $0.get(0, as: String.self) }
            guard !events.isEmpty else { return 0 }
            // A statement of its own, so that it sees what had been committed when the rows were locked: whatever comes
            // later marks them again.
            let soldOut = try connection.query(Self.soldOut(among: events, now: now)).map {
                try $0.get(0, as: String.self)
            }
            let told = try connection.query(
                """
                UPDATE events SET told_sold_out = NOT told_sold_out,
                    told_at = greatest(\(PostgresTimestamp(ms: now)), told_at + INTERVAL '1 millisecond')
                WHERE event_id = ANY (\(events)) AND told_sold_out <> (event_id = ANY (\(soldOut)))
                RETURNING event_id, told_sold_out, told_at
                """)
            try connection.execute("UPDATE events SET availability_due = false WHERE event_id = ANY (\(events))")
            try Outbox.append(
                try told.map { row in
                    Message(
                        id: ReservationStore.newId(), occurredAt: try row.get(2, as: PostgresTimestamp.self).ms,
                        body: .eventAvailability(.init(eventId: try row.get(0), soldOut: try row.get(1))))
                }, on: connection)
            return events.count
        }
    }

    static let due: SQL = """
        SELECT event_id FROM events WHERE availability_due ORDER BY event_id LIMIT \(maxBatch)
        FOR NO KEY UPDATE SKIP LOCKED
        """

    /// Those that have seats, all of them taken. Each by itself, and no further than to its first seat that is free; in
    /// the order of the seats' ids, so that no other event's seats are walked to find one.
    static func soldOut(among events: [String], now: Int64) -> SQL {
        """
        SELECT e.id FROM unnest(\(events)) AS e (id)
        WHERE (SELECT s.seat_id FROM seats s WHERE s.event_id = e.id AND s.is_offered
                ORDER BY s.seat_id LIMIT 1) IS NOT NULL
            AND (SELECT s.seat_id FROM seats s WHERE s.event_id = e.id AND s.is_offered
                AND NOT EXISTS (SELECT FROM seat_claims c WHERE c.event_id = s.event_id AND c.seat_id = s.seat_id
                    AND c.state IN ('held', 'confirming', 'sold')
                    AND (c.state <> 'held' OR c.expires_at > \(PostgresTimestamp(ms: now))))
                ORDER BY s.seat_id LIMIT 1) IS NULL
        """
    }

    // MARK: Marks

    /// Those of which seats were taken or given back, as these messages tell.
    static func changed(_ messages: [Message]) -> Set<String> {
        Set(
            messages.compactMap { message in
                switch message.body {
                case .reservationHeld(let body), .reservationConfirmed(let body), .reservationExpired(let body),
                    .reservationCanceled(let body):
                    body.eventId
                default: nil
                }
            })
    }

    /// In the transaction of what changes, or later.
    static func mark(_ events: Set<String>, on connection: PostgresConnection) throws {
        guard !events.isEmpty else { return }
        // Waits for whoever looks at them just now, and may have looked before this change: it is to be looked at again.
        _ = try connection.query(
            "SELECT FROM events WHERE event_id = ANY (\(Array(events))) ORDER BY event_id FOR NO KEY UPDATE")
        try connection.execute(
            "UPDATE events SET availability_due = true WHERE event_id = ANY (\(Array(events))) AND NOT availability_due"
        )
    }
}
