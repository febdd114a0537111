import Core
import Storage

/// Forgets the intervals of sessions that no beacon can continue any more.
enum SessionRetention {
    /// As long as beacons are accepted.
    static let acceptedDays = 400
    /// For how much longer one that was accepted in time may be on its way: in the spool of a node that was away.
    static let slackDays = 35
    /// Deleted in one statement.
    static let maxIntervals = 50_000

    /// Those that ended long ago and began before the first day that raw batches can still rebuild; returns their number.
    static func run(now: Int64, calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Int {
        let dropped = try connection.query("SELECT max(day) FROM dropped_event_days")[0].get(0, as: Day?.self)
        guard let dropped else { return 0 }
        let ended = now - Int64(acceptedDays + slackDays) * 86_400_000
        // A rebuild of that day looks at the sessions that reach into it.
        let started = calendar.start(of: dropped + 2) - ReportingCalendar.hourMs
        var forgotten = 0
        while true {
            let count = try connection.execute(
                """
                DELETE FROM session_intervals WHERE (session, started_ms) IN (
                    SELECT session, started_ms FROM session_intervals
                    WHERE started_ms < \(min(started, ended)) AND ended_ms < \(ended)
                    ORDER BY started_ms LIMIT \(Int64(maxIntervals)) FOR UPDATE SKIP LOCKED)
                """)
            forgotten += count
            if count < maxIntervals { return forgotten }
        }
    }
}
