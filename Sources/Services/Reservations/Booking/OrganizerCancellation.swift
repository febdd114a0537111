import Core
import Platform
import Storage

/// Gives back what was held and paid of events that their organiser has canceled: all of the price, some reservations
/// at a time, from where it was left after any stop.
struct OrganizerCancellation: Sendable {
    static let maxBatch = 100
    /// What began before the cancellation was copied may be committed so much later.
    static let settlingMs: Int64 = 60_000

    let store: ReservationStore

    /// - Returns: how many reservations it has ended.
    func step() async throws -> Int {
        var ended = 0
        let events = try await store.postgres.withConnection { connection in
            try connection.query("SELECT event_id FROM events WHERE canceling ORDER BY event_id").map {
                try $0.get(0, as: String.self)
            }
        }
        for event in events { ended += try await step(event) }
        return ended
    }

    private func step(_ eventId: String) async throws -> Int {
        let now = store.clock()
        return try await store.transaction { connection in
            let reservations = try connection.query(Self.live(eventId)).map(Reservation.init)
            for reservation in reservations {
                if reservation.state == .held {
                    try ReservationStore.end(reservation, as: .canceled, now: now, on: connection)
                    try Outbox.append([reservation.message(.reservationCanceled, at: now)], on: connection)
                } else {
                    let tickets = try Ticket.of(reservation: reservation.id, on: connection).filter {
                        $0.state != .void
                    }
                    let quote = try CancellationQuote(reservation, tickets, isFull: true, now: now)
                    _ = try ReservationStore.giveBack(
                        reservation, quote, reason: .organizer, now: now, on: connection)
                }
            }
            if reservations.isEmpty {
                // What is being paid is Payments' to decide: it is given back once it has.
                try connection.execute(
                    """
                    UPDATE events e SET canceling = false
                    WHERE event_id = \(eventId)
                        AND copied_at <= \(PostgresTimestamp(ms: now - Self.settlingMs))
                        AND NOT EXISTS (SELECT FROM reservations r WHERE r.event_id = e.event_id
                            AND r.state IN ('held', 'confirming', 'paid'))
                    """)
            }
            return reservations.count
        }
    }

    static func live(_ eventId: String) -> SQL {
        """
        \(sql: Reservation.select)
        WHERE r.event_id = \(eventId) AND r.state IN ('held', 'confirming', 'paid') AND r.state <> 'confirming'
        ORDER BY r.id LIMIT \(maxBatch) FOR UPDATE OF r SKIP LOCKED
        """
    }
}
