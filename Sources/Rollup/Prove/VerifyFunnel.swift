import Core
import Storage

/// Compares who reserved and who paid, day by day, with the reservations and payments that it is derived from.
enum VerifyFunnel {
    static func compare(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let dirty = Set(
            try connection.query(
                "SELECT bucket FROM rollup_dirty WHERE grain = 'hour' AND family = \(DeriveBookings.family)"
            ).map { calendar.day(of: try $0.get(0, as: PostgresTimestamp.self).ms) })
        let days = range ?? Day.first...Day.last
        let zone = calendar.identifier
        let booked = try connection.query(
            """
            SELECT day FROM (
                SELECT day FROM event_booking_daily
                UNION SELECT (confirmed_at AT TIME ZONE \(zone))::date FROM reservation_states
                UNION SELECT (occurred_at AT TIME ZONE \(zone))::date FROM revenue_ledger WHERE kind = 'payment'
            ) d WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound) ORDER BY day
            """
        ).map { try $0.get(0, as: Day.self) }
        for day in booked where report.hasRoom && !dirty.contains(day) {
            try compare(day, calendar: calendar, into: &report, on: connection)
        }
    }

    private static func compare(
        _ day: Day, calendar: ReportingCalendar, into report: inout Verify.Report, on connection: PostgresConnection
    ) throws {
        var bookings = try EventBookings.all(of: day, calendar: calendar, on: connection)
        for row in try connection.query(
            """
            SELECT event_id, reservers, payers, reservations_without_visitor, payments_without_visitor
            FROM event_booking_daily WHERE day = \(day) ORDER BY event_id
            """)
        {
            let event = ExactText(try row.get(0))
            guard let counted = bookings.removeValue(forKey: event) else {
                report.add(DeriveBookings.table, event.string, "\(day)", "should not be there")
                continue
            }
            var differences: [String] = []
            if try row.get(1, as: [UInt8].self) != counted.reservers.bytes { differences.append("reservers differ") }
            if try row.get(2, as: [UInt8].self) != counted.payers.bytes { differences.append("payers differ") }
            for (place, name, wanted) in [
                (3, "reservations_without_visitor", counted.reservationsWithoutVisitor),
                (4, "payments_without_visitor", counted.paymentsWithoutVisitor),
            ] {
                let stored = try row.get(place, as: Int64.self)
                if stored != wanted { differences.append("\(name) \(stored), messages give \(wanted)") }
            }
            if !differences.isEmpty {
                report.add(DeriveBookings.table, event.string, "\(day)", differences.joined(separator: "; "))
            }
        }
        for event in bookings.keys.sorted() { report.add(DeriveBookings.table, event.string, "\(day)", "missing") }
    }
}
