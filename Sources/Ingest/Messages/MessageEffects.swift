package import Core
package import Storage

/// What each message changes in the analytics database. Under the inbox: once, whatever is delivered how often.
package enum MessageEffects {
    /// Stores messages, each with its effect; returns how many were not stored before. In the caller's transaction.
    package static func store(_ messages: [Message], on connection: PostgresConnection) throws -> Int {
        var changed = ChangedHours()
        var stored = 0
        // In one order, so that two transactions with the same rows don't wait for each other; likewise the hours.
        for message in messages.sorted(by: { ($0.occurredAt, $0.id) < ($1.occurredAt, $1.id) })
        where try store(message, in: &changed, on: connection) {
            stored += 1
        }
        try changed.write(on: connection)
        return stored
    }

    /// False where it was stored before.
    private static func store(
        _ message: Message, in changed: inout ChangedHours, on connection: PostgresConnection
    ) throws -> Bool {
        let new = try connection.execute(
            """
            INSERT INTO inbox (message_id, type) VALUES (\(message.id), \(message.kind.rawValue)) ON CONFLICT DO NOTHING
            """)
        guard new == 1 else { return false }
        let occurredAt = PostgresTimestamp(ms: message.occurredAt)
        switch message.body {
        case .paymentCompleted(let body):
            try connection.execute(
                """
                INSERT INTO revenue_ledger (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id,
                    orders, tickets, amount, visitor)
                VALUES (\(message.id), 'payment', \(occurredAt), \(body.artistId), \(body.eventId), \(body.currency),
                    \(body.paymentId), 1, \(body.tickets), \(body.amount), \(hash(body.visitorId)))
                """)
            changed.mark(.revenue, message.occurredAt)
            changed.mark(.booking, message.occurredAt)
        case .paymentRefunded(let body):
            try connection.execute(
                """
                INSERT INTO revenue_ledger (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id,
                    orders, tickets, amount, visitor)
                VALUES (\(message.id), 'refund', \(occurredAt), \(body.artistId), \(body.eventId), \(body.currency),
                    \(body.paymentId), 0, \(-body.tickets), \(-body.amount), \(hash(body.visitorId)))
                """)
            changed.mark(.revenue, message.occurredAt)
        case .reservationConfirmed(let body):
            try markConfirmation(of: body.reservationId, in: &changed, on: connection)
            // Whoever the confirmation names, whichever message comes first.
            try connection.execute(
                """
                INSERT INTO reservation_states AS r (reservation_id, event_id, artist_id, confirmed_at, visitor)
                VALUES (\(body.reservationId), \(body.eventId), \(body.artistId), \(occurredAt), \(hash(body.visitorId)))
                ON CONFLICT (reservation_id) DO UPDATE SET confirmed_at = EXCLUDED.confirmed_at,
                    visitor = coalesce(EXCLUDED.visitor, r.visitor)
                """)
            changed.mark(.booking, message.occurredAt)
        case .reservationCanceled(let body):
            try connection.execute(
                """
                INSERT INTO reservation_states AS r (reservation_id, event_id, artist_id, canceled_at, visitor)
                VALUES (\(body.reservationId), \(body.eventId), \(body.artistId), \(occurredAt), \(hash(body.visitorId)))
                ON CONFLICT (reservation_id) DO UPDATE SET canceled_at = EXCLUDED.canceled_at,
                    visitor = coalesce(r.visitor, EXCLUDED.visitor)
                """)
            // It may be the first that says who reserved.
            if body.visitorId != nil { try markConfirmation(of: body.reservationId, in: &changed, on: connection) }
        case .artistUpserted(let body):
            try connection.execute(
                """
                INSERT INTO artist_names AS a (artist_id, name, changed_at)
                VALUES (\(body.artistId), \(body.name), \(occurredAt))
                ON CONFLICT (artist_id) DO UPDATE SET name = EXCLUDED.name, changed_at = EXCLUDED.changed_at
                WHERE a.changed_at <= EXCLUDED.changed_at
                """)
        case .eventUpserted(let body):
            try connection.execute(
                """
                INSERT INTO event_names AS e (event_id, title, artist_id, starts_at, changed_at)
                VALUES (\(body.eventId), \(body.title), \(body.artistId),
                    \(body.startsAt.flatMap { Instant.parse($0) }.map { PostgresTimestamp(ms: $0) }), \(occurredAt))
                ON CONFLICT (event_id) DO UPDATE SET title = EXCLUDED.title, artist_id = EXCLUDED.artist_id,
                    starts_at = EXCLUDED.starts_at, changed_at = EXCLUDED.changed_at
                WHERE e.changed_at <= EXCLUDED.changed_at
                """)
        case .userRegistered(let body):
            try connection.execute(
                """
                INSERT INTO registrations (user_id, registered_at) VALUES (\(body.userId), \(occurredAt))
                ON CONFLICT DO NOTHING
                """)
        case .paymentFailed, .reservationHeld, .reservationExpired, .refundDue, .eventAvailability, .userLoggedIn:
            // Nothing is derived of these.
            break
        }
        return true
    }

    /// As sketches take a beacon's `visitorId`.
    private static func hash(_ visitorId: String?) -> Int64? {
        visitorId.map { Int64(bitPattern: Murmur3.hash64($0)) }
    }

    /// The hour in which a reservation counts as yet.
    private static func markConfirmation(
        of reservationId: String, in changed: inout ChangedHours, on connection: PostgresConnection
    ) throws {
        let rows = try connection.query(
            """
            SELECT confirmed_at FROM reservation_states
            WHERE reservation_id = \(reservationId) AND confirmed_at IS NOT NULL FOR UPDATE
            """)
        if let row = rows.first { changed.mark(.booking, try row.get(0, as: PostgresTimestamp.self).ms) }
    }
}
