import Core
import Storage

/// Forgets what sessions did so long ago that no beacon can join them any more.
enum SessionRetention {
    /// As long as beacons are accepted.
    static let acceptedDays = 400
    /// For how much longer one that was accepted in time may be on its way: in the spool of a node that was away.
    static let slackDays = 35
    /// Deleted in one statement.
    static let maxRuns = 1000

    /// Half hours that ended long ago and before the first day that raw batches can still rebuild; returns the number of
    /// their runs. A session that went on after them still knows when it began.
    static func run(now: Int64, calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Int {
        let dropped = try connection.query("SELECT max(day) FROM dropped_event_days")[0].get(0, as: Day?.self)
        guard let dropped else { return 0 }
        let accepted = now - Int64(acceptedDays + slackDays) * 86_400_000
        // A rebuild of that day looks at the sessions that reach into it.
        let rebuilt = calendar.start(of: dropped + 2) - ReportingCalendar.hourMs
        let slot = SessionPiece.slot(of: min(accepted, rebuilt))
        var forgotten = 0
        while true {
            let count = try connection.execute(
                """
                DELETE FROM session_slots WHERE (slot, run) IN (
                    SELECT slot, run FROM session_slots WHERE slot < \(slot)
                    ORDER BY slot, run LIMIT \(Int64(maxRuns)) FOR UPDATE SKIP LOCKED)
                """)
            forgotten += count
            if count < maxRuns { return forgotten }
        }
    }
}
