import Core
import Storage

/// Takes a visitor out of reservations and payments. They stay: the money was paid, by nobody known.
enum EraseBookings {
    private static func hash(_ visitor: ExactText) -> Int64 { Int64(bitPattern: Murmur3.hash64(visitor.string)) }

    /// How many there are.
    static func count(of visitor: ExactText, on connection: PostgresConnection) throws -> Int {
        let visitor = hash(visitor)
        return try connection.query(
            """
            SELECT (SELECT count(*) FROM reservation_states WHERE visitor = \(visitor))
                + (SELECT count(*) FROM revenue_ledger WHERE visitor = \(visitor))
            """)[0].get(0)
    }

    /// In one transaction with the marks that have their days derived again.
    static func run(_ visitor: ExactText, erasure: Int64, on connection: PostgresConnection) throws {
        let visitor = hash(visitor)
        try connection.transaction { connection in
            let erased = try [
                "UPDATE reservation_states SET visitor = NULL WHERE visitor = \(visitor) RETURNING confirmed_at",
                """
                UPDATE revenue_ledger SET visitor = NULL WHERE visitor = \(visitor)
                RETURNING CASE WHEN kind = 'payment' THEN occurred_at END
                """,
            ].flatMap { (sql: SQL) in
                try connection.query(sql).map { try $0.get(0, as: PostgresTimestamp?.self) }
            }
            let hours = Set(erased.compactMap { $0.map { ReportingCalendar.startOfHour($0.ms) } }).sorted()
            try connection.execute(
                """
                INSERT INTO rollup_dirty (grain, family, entity, bucket)
                SELECT 'hour', \(DeriveBookings.family), '', hour
                FROM unnest(\(hours.map { PostgresTimestamp(ms: $0) })) AS k (hour)
                ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
                """)
            try connection.execute(
                "UPDATE erasures SET bookings = bookings + \(Int64(erased.count)) WHERE id = \(erasure)")
        }
    }
}
