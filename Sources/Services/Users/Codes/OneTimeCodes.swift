import Storage

/// Codes that are good once and not for long. A later one leaves the earlier ones good: else whoever asks for mails to a
/// stranger's address could keep making the stranger's code worthless.
enum OneTimeCodes {
    enum Kind: String {
        /// Mailed: proves that the account's address is its owner's.
        case email
        /// Mailed: sets a new password.
        case password
        /// Given to the browser that comes back from Google: becomes a session.
        case exchange

        var lifetimeMs: Int64 {
            switch self {
            case .email: 24 * 3_600_000
            case .password: 10 * 60_000
            case .exchange: 60_000
            }
        }
    }

    /// - Parameter binding: the browser that alone may use it.
    static func issue(
        _ kind: Kind, userId: String, binding: Secret? = nil, now: Int64, on connection: PostgresConnection
    ) throws -> Secret {
        let code = Secret.random()
        try connection.execute(
            """
            INSERT INTO one_time_codes (code_hash, kind, user_id, binding_hash, expires_at)
            VALUES (\(code.hash), \(kind.rawValue), \(userId), \(binding?.hash),
                \(PostgresTimestamp(ms: now + kind.lifetimeMs)))
            """)
        return code
    }

    /// Whose it is, without taking it; nil for what `take` would not take.
    static func owner(_ kind: Kind, _ code: Secret, now: Int64, on connection: PostgresConnection) throws -> String? {
        try connection.query(
            """
            SELECT user_id FROM one_time_codes
            WHERE code_hash = \(code.hash) AND kind = \(kind.rawValue) AND expires_at > \(PostgresTimestamp(ms: now))
                AND binding_hash IS NULL
            """
        ).first?.get(0)
    }

    /// Takes the code: it is good no more. Holds the account's lock from then on, as whoever ends codes of an account does
    /// before.
    ///
    /// - Returns: whose it is; nil where it is no such code, has expired, was used, or is another browser's.
    static func take(
        _ kind: Kind, _ code: Secret, binding: Secret? = nil, now: Int64, on connection: PostgresConnection
    ) throws -> String? {
        let owner = try connection.query(
            """
            SELECT users.id FROM users JOIN one_time_codes ON user_id = users.id
            WHERE code_hash = \(code.hash) AND kind = \(kind.rawValue) FOR UPDATE OF users
            """)
        guard !owner.isEmpty else { return nil }
        return try connection.query(
            """
            DELETE FROM one_time_codes
            WHERE code_hash = \(code.hash) AND kind = \(kind.rawValue) AND expires_at > \(PostgresTimestamp(ms: now))
                AND binding_hash IS NOT DISTINCT FROM \(binding?.hash)
            RETURNING user_id
            """
        ).first?.get(0)
    }

    /// Ends all that the account still has.
    static func end(_ kind: Kind, of userId: String, on connection: PostgresConnection) throws {
        try connection.execute("DELETE FROM one_time_codes WHERE user_id = \(userId) AND kind = \(kind.rawValue)")
    }
}
