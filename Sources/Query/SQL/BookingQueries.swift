import Core
import Storage

/// Who has just booked.
enum BookingQueries {
    /// Columns: instant, artist's id and name, event's id and title, tickets, amount, currency; the latest first.
    static func latest(before now: Int64, limit: Int) -> SQL {
        """
        SELECT l.occurred_at, l.artist_id, a.name, l.event_id, e.title, l.tickets, l.amount, l.currency
        FROM (SELECT * FROM revenue_ledger
              WHERE occurred_at <= \(PostgresTimestamp(ms: now)) AND kind = 'payment'
              ORDER BY occurred_at DESC, message_id LIMIT \(Int64(limit))) l
        LEFT JOIN artist_names a USING (artist_id)
        LEFT JOIN event_names e USING (event_id)
        ORDER BY l.occurred_at DESC, l.message_id
        """
    }
}

extension RealtimeAnswer.Booking {
    init(_ row: PostgresRow) throws {
        self.init(
            at: try row.get(0, as: PostgresTimestamp.self).ms, artistID: try row.get(1), artistName: try row.get(2),
            eventID: try row.get(3), eventName: try row.get(4), tickets: try row.get(5), amount: try row.get(6),
            currency: try row.get(7))
    }
}
