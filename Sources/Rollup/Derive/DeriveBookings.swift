import Core
import Storage

/// Derives who reserved and who paid from reservations and payments, whole days at a time.
enum DeriveBookings {
    static let family = "booking"
    static let table = "event_booking_daily"
    static let maxHours = 500

    /// Derives the days of up to `maxHours` dirty hours; returns how many hours there were.
    static func run(calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Int {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let hours = try DirtyLedger.takeHours(of: family, limit: maxHours, on: connection)
            for day in Set(hours.map { calendar.day(of: $0.ms) }).sorted() {
                try write(EventBookings.all(of: day, calendar: calendar, on: connection), of: day, on: connection)
            }
            return hours.count
        }
    }

    private static func write(
        _ bookings: [ExactText: EventBookings], of day: Day, on connection: PostgresConnection
    ) throws {
        try connection.execute("DELETE FROM event_booking_daily WHERE day = \(day)")
        let sorted = bookings.sorted { $0.key < $1.key }
        guard !sorted.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO event_booking_daily
                (event_id, day, reservers, payers, reservations_without_visitor, payments_without_visitor)
            SELECT event, \(day), reservers, payers, reservations, payments
            FROM unnest(\(sorted.map(\.key.string)), \(sorted.map(\.value.reservers.bytes)),
                \(sorted.map(\.value.payers.bytes)), \(sorted.map(\.value.reservationsWithoutVisitor)),
                \(sorted.map(\.value.paymentsWithoutVisitor))) AS k (event, reservers, payers, reservations, payments)
            """)
    }

    /// Marks every hour of the range that has a booking, and every day that has a row, so that all are derived anew.
    static func mark(_ instants: Range<Int64>, calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        let lower = PostgresTimestamp(ms: instants.lowerBound)
        let upper = PostgresTimestamp(ms: instants.upperBound)
        try connection.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            SELECT 'hour', \(family), '', hour FROM (
                SELECT date_trunc('hour', confirmed_at) AS hour FROM reservation_states
                WHERE confirmed_at >= \(lower) AND confirmed_at < \(upper)
                UNION SELECT date_trunc('hour', occurred_at) FROM revenue_ledger
                WHERE kind = 'payment' AND occurred_at >= \(lower) AND occurred_at < \(upper)
                UNION SELECT start FROM (
                    SELECT DISTINCT day::timestamp AT TIME ZONE \(calendar.identifier) AS start FROM event_booking_daily
                ) stored WHERE start >= \(lower) AND start < \(upper)
            ) hours
            -- As every other transaction that marks hours does: in order of time, or two of them wait for each other.
            ORDER BY hour
            ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
            """)
    }
}
