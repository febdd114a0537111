import Core
import Storage

/// Whether all raw beacons of a reporting day are there still: what was derived from others is kept as it is.
enum RawOfDay {
    /// The days of receipt of which raw batches are gone that may have had some of the day's, ascending: a beacon is
    /// received on its own day or later, which in UTC may be the day before.
    static func dropped(_ day: Day, on connection: PostgresConnection) throws -> [Day] {
        try connection.query("SELECT day FROM dropped_event_days WHERE day > \(day - 2) ORDER BY day")
            .map { try $0.get(0) }
    }

    /// Whether nothing is gone that may have had some.
    static func isWhole(_ day: Day, on connection: PostgresConnection) throws -> Bool {
        try connection.query("SELECT NOT EXISTS (SELECT 1 FROM dropped_event_days WHERE day > \(day - 2))")[0].get(0)
    }

    /// False where some are gone for certain. Where all of the day's came after others were dropped, as with an import of
    /// old logs, they are there.
    static func mayBeWhole(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Bool {
        if try isWhole(day, on: connection) { return true }
        let counted = try counted(day, calendar: calendar, on: connection)
        guard counted > 0 else { return false }
        let instants = calendar.range(of: day)
        try connection.execute(.planForValues)
        let most = try connection.query(
            """
            SELECT coalesce(sum(e.beacons - cardinality(f.duplicates)), 0)::bigint
            FROM analytics_events e JOIN rollup_folded f USING (received_day, node, seq)
            WHERE e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
              AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
            """)[0].get(0, as: Int64.self)
        return most >= counted
    }

    /// How many beacons the day's hours have; 0 where some of the hours are gone.
    static func counted(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Int64 {
        let instants = calendar.range(of: day)
        return try connection.query(
            """
            SELECT coalesce(sum(beacons), 0)::bigint FROM \(unescaped: TrafficFamily.site.table(.hour))
            WHERE hour >= \(PostgresTimestamp(ms: instants.lowerBound))
              AND hour < \(PostgresTimestamp(ms: instants.upperBound))
              AND NOT EXISTS (SELECT FROM pruned_days WHERE day = \(day))
            """)[0].get(0)
    }
}
