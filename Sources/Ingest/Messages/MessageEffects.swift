package import Core
import Platform
package import Storage

/// What each message changes in the analytics database. Under the inbox: once, whatever is delivered how often.
package enum MessageEffects {
    /// Stores messages, each with its effect; returns how many were not stored before. In the caller's transaction.
    ///
    /// What there is most of takes one statement, however many messages there are.
    package static func store(_ messages: [Message], on connection: PostgresConnection) throws -> Int {
        // In one order, so that two transactions with the same rows don't wait for each other; likewise the hours.
        let new = try Inbox.take(messages, on: connection).sorted { ($0.occurredAt, $0.id) < ($1.occurredAt, $1.id) }
        guard !new.isEmpty else { return 0 }
        var changed = ChangedHours()
        try storeMoney(new, in: &changed, on: connection)
        try storeConfirmations(new, in: &changed, on: connection)
        for message in new { try store(message, in: &changed, on: connection) }
        try changed.write(on: connection)
        return new.count
    }

    private struct Entry {
        var message: Message
        var kind: String
        var artistId: String
        var eventId: String
        var currency: String
        var paymentId: String
        var orders: Int64
        var tickets: Int64
        var amount: Int64
        var visitorId: String?

        init?(_ message: Message) {
            self.message = message
            switch message.body {
            case .paymentCompleted(let body):
                kind = "payment"
                (artistId, eventId, currency, paymentId) = (body.artistId, body.eventId, body.currency, body.paymentId)
                (orders, tickets, amount, visitorId) = (1, body.tickets, body.amount, body.visitorId)
            case .paymentRefunded(let body):
                kind = "refund"
                (artistId, eventId, currency, paymentId) = (body.artistId, body.eventId, body.currency, body.paymentId)
                (orders, tickets, amount, visitorId) = (0, -body.tickets, -body.amount, body.visitorId)
            default: return nil
            }
        }
    }

    private static func storeMoney(
        _ messages: [Message], in changed: inout ChangedHours, on connection: PostgresConnection
    ) throws {
        let entries = messages.compactMap(Entry.init)
        guard !entries.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO revenue_ledger (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id,
                orders, tickets, amount, visitor)
            SELECT * FROM unnest(\(entries.map(\.message.id)), \(entries.map(\.kind)),
                \(entries.map { PostgresTimestamp(ms: $0.message.occurredAt) }), \(entries.map(\.artistId)),
                \(entries.map(\.eventId)), \(entries.map(\.currency)), \(entries.map(\.paymentId)),
                \(entries.map(\.orders)), \(entries.map(\.tickets)), \(entries.map(\.amount)),
                \(entries.map { hash($0.visitorId) }))
            """)
        for entry in entries {
            changed.mark(.revenue, entry.message.occurredAt)
            if entry.kind == "payment" { changed.mark(.booking, entry.message.occurredAt) }
        }
    }

    private static func storeConfirmations(
        _ messages: [Message], in changed: inout ChangedHours, on connection: PostgresConnection
    ) throws {
        // Of several of one reservation the last counts, as one after the other.
        var last: [String: (message: Message, body: ReservationChanged)] = [:]
        for message in messages {
            guard case .reservationConfirmed(var body) = message.body else { continue }
            changed.mark(.booking, message.occurredAt)
            body.visitorId = body.visitorId ?? last[body.reservationId]?.body.visitorId
            last[body.reservationId] = (message, body)
        }
        guard !last.isEmpty else { return }
        let confirmations = last.values.sorted { $0.body.reservationId < $1.body.reservationId }
        let ids = confirmations.map(\.body.reservationId)
        try markConfirmations(of: ids, in: &changed, on: connection)
        // Whoever the confirmation names, whichever message comes first.
        try connection.execute(
            """
            INSERT INTO reservation_states AS r (reservation_id, event_id, artist_id, confirmed_at, visitor)
            SELECT * FROM unnest(\(ids), \(confirmations.map(\.body.eventId)), \(confirmations.map(\.body.artistId)),
                \(confirmations.map { PostgresTimestamp(ms: $0.message.occurredAt) }),
                \(confirmations.map { hash($0.body.visitorId) }))
            ON CONFLICT (reservation_id) DO UPDATE SET confirmed_at = EXCLUDED.confirmed_at,
                visitor = coalesce(EXCLUDED.visitor, r.visitor)
            """)
    }

    /// What is rarer.
    private static func store(
        _ message: Message, in changed: inout ChangedHours, on connection: PostgresConnection
    ) throws {
        let occurredAt = PostgresTimestamp(ms: message.occurredAt)
        switch message.body {
        case .reservationCanceled(let body):
            try connection.execute(
                """
                INSERT INTO reservation_states AS r (reservation_id, event_id, artist_id, canceled_at, visitor)
                VALUES (\(body.reservationId), \(body.eventId), \(body.artistId), \(occurredAt), \(hash(body.visitorId)))
                ON CONFLICT (reservation_id) DO UPDATE SET canceled_at = EXCLUDED.canceled_at,
                    visitor = coalesce(r.visitor, EXCLUDED.visitor)
                """)
            // It may be the first that says who reserved.
            if body.visitorId != nil { try markConfirmations(of: [body.reservationId], in: &changed, on: connection) }
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
        case .paymentCompleted, .paymentRefunded, .reservationConfirmed:
            // They are stored by now.
            break
        case .paymentFailed, .reservationHeld, .reservationExpired, .refundDue, .eventAvailability, .userLoggedIn:
            // Nothing is derived of these.
            break
        }
    }

    /// As sketches take a beacon's `visitorId`.
    private static func hash(_ visitorId: String?) -> Int64? {
        visitorId.map { Int64(bitPattern: Murmur3.hash64($0)) }
    }

    /// The hours in which reservations count as yet.
    ///
    /// One after the other, in the order in which they are given, which is that of their ids: with all of them at once
    /// (`= ANY`) Postgres reads the whole table, where its statistics don't know yet how large that is.
    private static func markConfirmations(
        of reservationIds: [String], in changed: inout ChangedHours, on connection: PostgresConnection
    ) throws {
        let rows = try connection.query(
            """
            SELECT s.confirmed_at FROM unnest(\(reservationIds)) AS r (id), LATERAL (
                SELECT confirmed_at FROM reservation_states
                WHERE reservation_id = r.id AND confirmed_at IS NOT NULL FOR UPDATE
            ) s
            """)
        for row in rows { changed.mark(.booking, try row.get(0, as: PostgresTimestamp.self).ms) }
    }
}
