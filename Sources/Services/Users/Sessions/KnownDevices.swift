import Storage

/// Statements on `known_devices`.
enum KnownDevices {
    static let lifetimeMs: Int64 = 180 * 86_400_000
    /// Of one account; the one that was seen least recently goes for the next.
    static let maxPerAccount = 20

    static func isKnown(_ device: Secret, of userId: String, now: Int64, on connection: PostgresConnection) throws
        -> Bool
    {
        try !connection.query(
            """
            SELECT 1 FROM known_devices WHERE user_id = \(userId) AND device_hash = \(device.hash)
                AND seen_at > \(PostgresTimestamp(ms: now - lifetimeMs))
            """
        ).isEmpty
    }

    static func remember(_ device: Secret, of userId: String, now: Int64, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            INSERT INTO known_devices (user_id, device_hash, seen_at)
            VALUES (\(userId), \(device.hash), \(PostgresTimestamp(ms: now)))
            ON CONFLICT (user_id, device_hash) DO UPDATE SET seen_at = excluded.seen_at
            """)
        try connection.execute(
            """
            DELETE FROM known_devices WHERE user_id = \(userId) AND device_hash IN (
                SELECT device_hash FROM known_devices WHERE user_id = \(userId)
                ORDER BY seen_at DESC, device_hash OFFSET \(maxPerAccount))
            """)
    }

    /// All of the account's but, where it is given, one.
    static func forget(of userId: String, except device: Secret? = nil, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            DELETE FROM known_devices WHERE user_id = \(userId) AND device_hash IS DISTINCT FROM \(device?.hash)
            """)
    }
}
