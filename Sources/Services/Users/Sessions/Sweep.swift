import Storage

/// Deletes what is over: sessions, codes, sign-ins under way, attempts and devices.
enum Sweep {
    static let intervalSeconds = 60
    /// Of each table at a time.
    static let maxRows = 1000

    /// - Returns: how many rows went.
    static func run(now: Int64, on connection: PostgresConnection) throws -> Int {
        let instant = PostgresTimestamp(ms: now)
        let forgotten = PostgresTimestamp(ms: now - ThrottlePolicy.maxForgetMs)
        let ended = PostgresTimestamp(ms: now - Sessions.endedKeptMs)
        let unseen = PostgresTimestamp(ms: now - KnownDevices.lifetimeMs)
        var count = 0
        for (table, condition) in [
            ("sessions", "expires_at <= \(instant)"), ("sessions", "ended_at <= \(ended)"),
            ("one_time_codes", "expires_at <= \(instant)"),
            ("oauth_transactions", "expires_at <= \(instant)"), ("throttles", "last_at <= \(forgotten)"),
            ("known_devices", "seen_at <= \(unseen)"),
        ] as [(String, SQL)] {
            count += try connection.execute(
                """
                DELETE FROM \(unescaped: table) WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM \(unescaped: table) WHERE \(sql: condition) LIMIT \(maxRows) FOR UPDATE SKIP LOCKED))
                """)
        }
        return count
    }
}
