package import Core
package import Storage

/// What each message changes in the analytics database. Under the inbox: once, whatever is delivered how often.
package enum MessageEffects {
    /// Stores a message with its effect; false where it was stored before. In the caller's transaction.
    package static func store(_ message: Message, on connection: PostgresConnection) throws -> Bool {
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
                INSERT INTO revenue_ledger
                    (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id, orders, tickets, amount)
                VALUES (\(message.id), 'payment', \(occurredAt), \(body.artistId), \(body.eventId), \(body.currency),
                    \(body.paymentId), 1, \(body.tickets), \(body.amount))
                """)
            try markHour(message.occurredAt, on: connection)
        case .paymentRefunded(let body):
            try connection.execute(
                """
                INSERT INTO revenue_ledger
                    (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id, orders, tickets, amount)
                VALUES (\(message.id), 'refund', \(occurredAt), \(body.artistId), \(body.eventId), \(body.currency),
                    \(body.paymentId), 0, \(-body.tickets), \(-body.amount))
                """)
            try markHour(message.occurredAt, on: connection)
        case .reservationConfirmed(let body):
            try connection.execute(
                """
                INSERT INTO reservation_states AS r (reservation_id, event_id, artist_id, confirmed_at)
                VALUES (\(body.reservationId), \(body.eventId), \(body.artistId), \(occurredAt))
                ON CONFLICT (reservation_id) DO UPDATE SET confirmed_at = EXCLUDED.confirmed_at
                """)
        case .reservationCanceled(let body):
            try connection.execute(
                """
                INSERT INTO reservation_states AS r (reservation_id, event_id, artist_id, canceled_at)
                VALUES (\(body.reservationId), \(body.eventId), \(body.artistId), \(occurredAt))
                ON CONFLICT (reservation_id) DO UPDATE SET canceled_at = EXCLUDED.canceled_at
                """)
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
        }
        return true
    }

    /// Has the revenue of the instant's hour derived again. An update where the hour is marked already, so that it
    /// waits for a run that is deriving just that hour, and marks it anew.
    private static func markHour(_ instant: Int64, on connection: PostgresConnection) throws {
        let hour = PostgresTimestamp(ms: ReportingCalendar.startOfHour(instant))
        try connection.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket) VALUES ('hour', 'revenue', '', \(hour))
            ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
            """)
    }
}
