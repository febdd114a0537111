import Core
import Storage

/// Who reserved and who paid for an event within a day.
///
/// What happened stays: a reservation that was canceled later, and a payment that was refunded, count like any other.
struct EventBookings: Equatable {
    var reservers = VisitorSketch()
    var payers = VisitorSketch()
    /// Of messages that don't say who it was.
    var reservationsWithoutVisitor: Int64 = 0
    var paymentsWithoutVisitor: Int64 = 0

    /// By event.
    static func all(
        of day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> [ExactText: EventBookings] {
        let range = calendar.range(of: day)
        let lower = PostgresTimestamp(ms: range.lowerBound)
        let upper = PostgresTimestamp(ms: range.upperBound)
        var bookings: [ExactText: EventBookings] = [:]
        try connection.stream(
            """
            SELECT event_id, visitor, count(*) FROM reservation_states
            WHERE confirmed_at >= \(lower) AND confirmed_at < \(upper) GROUP BY event_id, visitor
            """
        ) { row in
            let event = ExactText(try row.get(0))
            if let visitor = try row.get(1, as: Int64?.self) {
                bookings[event, default: .init()].reservers.add(hash: UInt64(bitPattern: visitor))
            } else {
                bookings[event, default: .init()].reservationsWithoutVisitor = try row.get(2)
            }
        }
        try connection.stream(
            """
            SELECT event_id, visitor, count(*) FROM revenue_ledger
            WHERE kind = 'payment' AND occurred_at >= \(lower) AND occurred_at < \(upper) GROUP BY event_id, visitor
            """
        ) { row in
            let event = ExactText(try row.get(0))
            if let visitor = try row.get(1, as: Int64?.self) {
                bookings[event, default: .init()].payers.add(hash: UInt64(bitPattern: visitor))
            } else {
                bookings[event, default: .init()].paymentsWithoutVisitor = try row.get(2)
            }
        }
        return bookings
    }
}
