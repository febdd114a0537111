import Core
import Storage

/// Derives breakdowns and funnels of the days in `detail_dirty`, each from its raw beacons.
enum DeriveDetails {
    /// One runner derives details at a time; the others leave them to it.
    static let lock: Int64 = 0x7469_6b65_7469_0002

    /// Marks days whose hours have changed.
    ///
    /// - Parameter fold: the number of the one that adds to them; nil where what they have may be wrong.
    static func mark(_ days: Set<Day>, fold: Int64? = nil, on connection: PostgresConnection) throws {
        guard !days.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO detail_dirty AS d (day, first_fold) SELECT day, \(fold) FROM unnest(\(days.sorted())) AS k (day)
            ON CONFLICT (day) DO UPDATE SET marks = d.marks + 1,
                first_fold = CASE WHEN EXCLUDED.first_fold IS NOT NULL THEN d.first_fold END
            """)
    }

    /// Marked days whose first mark is so old, the oldest first.
    static func due(olderThanMs age: Int64, on connection: PostgresConnection) throws -> [Day] {
        try connection.query(
            """
            SELECT day FROM detail_dirty WHERE marked_at <= now() - make_interval(secs => \(Double(age) / 1000)) ORDER BY day
            """
        ).map { try $0.get(0) }
    }

    /// Replaces a day's details. False where another runner is at it.
    ///
    /// A fold that commits meanwhile marks the day again, and that mark stays.
    static func run(_ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Bool {
        try connection.transaction { connection in
            guard try connection.query("SELECT pg_try_advisory_xact_lock(\(lock))")[0].get(0, as: Bool.self) else {
                return false
            }
            let marks = try connection.query("SELECT marks FROM detail_dirty WHERE day = \(day)").first
            guard let marks = try marks?.get(0, as: Int64.self) else { return true }
            try connection.execute(.planForValues)
            if try hasRaw(day, on: connection) {
                for table in ["traffic_breakdown_daily", "event_funnel_daily"] {
                    try connection.execute("DELETE FROM \(unescaped: table) WHERE day = \(day)")
                }
                // Its rows are collected first: nothing can be written while a statement is being read.
                let details = try DayDetails(day, calendar: calendar, on: connection) { rows in
                    try write(rows, of: day, on: connection)
                }
                try write(details.funnels, of: day, on: connection)
            }
            try connection.execute("DELETE FROM detail_dirty WHERE day = \(day) AND marks = \(marks)")
            return true
        }
    }

    /// Whether all raw beacons of a reporting day are there still; what was derived from others is kept as it is.
    static func hasRaw(_ day: Day, on connection: PostgresConnection) throws -> Bool {
        try connection.query("SELECT NOT EXISTS (SELECT 1 FROM dropped_event_days WHERE day > \(day - 2))")[0].get(0)
    }

    private static func write(
        _ rows: [BreakdownRows.Key: BreakdownRows.Row], of day: Day, on connection: PostgresConnection
    ) throws {
        let sorted = rows.sorted { $0.key < $1.key }
        guard !sorted.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO traffic_breakdown_daily
            SELECT artist, \(day), dimension, kind, value, page_views, beacons, visitors
            FROM unnest(\(sorted.map(\.key.artist.string)), \(sorted.map(\.key.dimension)), \(sorted.map(\.key.kind)),
                \(sorted.map(\.key.value.string)), \(sorted.map(\.value.pageViews)), \(sorted.map(\.value.beacons)),
                \(sorted.map(\.value.visitors.bytes)))
                AS k (artist, dimension, kind, value, page_views, beacons, visitors)
            """)
    }

    private static func write(
        _ funnels: [ExactText: DayDetails.Funnel], of day: Day, on connection: PostgresConnection
    ) throws {
        let sorted = funnels.sorted { $0.key < $1.key }
        guard !sorted.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO event_funnel_daily
            SELECT event, \(day), viewers, seat_viewers
            FROM unnest(\(sorted.map(\.key.string)), \(sorted.map(\.value.viewers.bytes)),
                \(sorted.map(\.value.seatViewers.bytes))) AS k (event, viewers, seat_viewers)
            """)
    }
}
