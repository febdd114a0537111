import Storage

/// Statements on `sessions`.
enum Sessions {
    /// However often it is refreshed.
    static let lifetimeMs: Int64 = 30 * 86_400_000
    /// For whoever asks why one ended. A token of it is refused either way.
    static let endedKeptMs: Int64 = 86_400_000
    /// Of one account; the oldest ends for the next.
    static let maxPerAccount = 20

    enum EndReason: String {
        case logout, reuse, password, promotion, newer, unlink
    }

    /// A session that goes on.
    struct Refreshed: Sendable {
        let userId: String
        let token: RefreshToken
        let expiresAt: Int64
    }

    enum Refresh: Sendable {
        case refreshed(Refreshed)
        case reused(userId: String)
        case ended
    }

    static func begin(userId: String, now: Int64, on connection: PostgresConnection) throws -> RefreshToken {
        let token = RefreshToken(familyId: Secret.randomBytes(RefreshToken.familyBytes), secret: .random())
        let instant = PostgresTimestamp(ms: now)
        try connection.execute(
            """
            UPDATE sessions SET ended_at = \(instant), ended_by = 'newer' WHERE family_id IN (
                SELECT family_id FROM sessions WHERE user_id = \(userId) AND ended_at IS NULL
                ORDER BY created_at DESC OFFSET \(maxPerAccount - 1))
            """)
        try connection.execute(
            """
            INSERT INTO sessions
                (family_id, user_id, successor_key, token_hash, rotated_at, created_at, expires_at)
            VALUES (\(token.familyId), \(userId), \(Secret.random().bytes), \(token.secret.hash), \(instant), \(instant),
                \(PostgresTimestamp(ms: now + lifetimeMs)))
            """)
        return token
    }

    /// In a transaction: the row's lock makes it one after the other.
    static func refresh(_ token: RefreshToken, now: Int64, on connection: PostgresConnection) throws -> Refresh {
        let found = try connection.query(
            """
            SELECT user_id, successor_key, token_hash, previous_hash, rotated_at, expires_at, ended_at IS NOT NULL
            FROM sessions WHERE family_id = \(token.familyId) FOR UPDATE
            """)
        guard let row = found.first else { return .ended }
        let userId: String = try row.get(0)
        let state = SessionState(
            tokenHash: try row.get(2), previousHash: try row.get(3),
            rotatedAt: try row.get(4, as: PostgresTimestamp.self).ms,
            expiresAt: try row.get(5, as: PostgresTimestamp.self).ms, isEnded: try row.get(6))
        let hash = token.secret.hash
        let next = token.successor(key: try row.get(1))
        switch state.verdict(on: hash, now: now) {
        case .current:
            try connection.execute(
                """
                UPDATE sessions SET generation = generation + 1, previous_hash = token_hash,
                    token_hash = \(next.secret.hash), rotated_at = \(PostgresTimestamp(ms: now))
                WHERE family_id = \(token.familyId) AND token_hash = \(hash)
                """)
        case .repeated: break
        case .reused:
            try end(token.familyId, by: .reuse, now: now, on: connection)
            return .reused(userId: userId)
        case .ended: return .ended
        }
        return .refreshed(Refreshed(userId: userId, token: next, expiresAt: state.expiresAt))
    }

    /// Whose session the token keeps, be it the good one or the one before.
    static func owner(of token: RefreshToken, on connection: PostgresConnection) throws -> String? {
        let hash = token.secret.hash
        return try connection.query(
            """
            SELECT user_id FROM sessions WHERE family_id = \(token.familyId) AND ended_at IS NULL
                AND (token_hash = \(hash) OR previous_hash = \(hash))
            """
        ).first?.get(0)
    }

    static func end(
        _ familyId: [UInt8], by reason: EndReason, now: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            UPDATE sessions SET ended_at = \(PostgresTimestamp(ms: now)), ended_by = \(reason.rawValue)
            WHERE family_id = \(familyId) AND ended_at IS NULL
            """)
    }

    /// Ends all of the account's sessions but, where it is given, one.
    static func end(
        of userId: String, except familyId: [UInt8]? = nil, by reason: EndReason, now: Int64,
        on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            UPDATE sessions SET ended_at = \(PostgresTimestamp(ms: now)), ended_by = \(reason.rawValue)
            WHERE user_id = \(userId) AND ended_at IS NULL AND family_id IS DISTINCT FROM \(familyId)
            """)
    }
}
