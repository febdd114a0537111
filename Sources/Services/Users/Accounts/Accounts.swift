import Core
import Foundation
import Platform
import Storage

/// Statements on `users`.
enum Accounts {
    static func withEmail(_ key: String, on connection: PostgresConnection) throws -> Account? {
        try connection.query("SELECT \(sql: Account.columns) FROM users WHERE email_key = \(key)").first
            .map(Account.init)
    }

    static func withId(_ id: String, locked: Bool = false, on connection: PostgresConnection) throws -> Account? {
        try connection.query(
            "SELECT \(sql: Account.columns) FROM users WHERE id = \(id) \(unescaped: locked ? "FOR UPDATE" : "")"
        ).first.map(Account.init)
    }

    /// Makes an account, and the message that tells of it; nil where the address has one.
    static func create(
        _ email: EmailAddress, name: String, passwordHash: String?, role: Role = .user, isEmailVerified: Bool,
        now: Int64, on connection: PostgresConnection
    ) throws -> String? {
        let id = UUID().uuidString.lowercased()
        let now = PostgresTimestamp(ms: now)
        let inserted = try connection.execute(
            """
            INSERT INTO users
                (id, email, email_key, email_verified_at, name, role, password_hash, created_at, updated_at)
            VALUES (\(id), \(email.text), \(email.key), \(isEmailVerified ? now : nil), \(name), \(role.rawValue),
                \(passwordHash), \(now), \(now))
            ON CONFLICT (email_key) DO NOTHING
            """)
        guard inserted == 1 else { return nil }
        try Outbox.append(
            [Message(id: "user.registered:\(id)", occurredAt: now.ms, body: .userRegistered(.init(userId: id)))],
            on: connection)
        return id
    }

    static func setPassword(_ hash: String, of id: String, now: Int64, on connection: PostgresConnection) throws {
        try connection.execute(
            "UPDATE users SET password_hash = \(hash), updated_at = \(PostgresTimestamp(ms: now)) WHERE id = \(id)")
    }

    static func markVerified(_ id: String, now: Int64, on connection: PostgresConnection) throws {
        let now = PostgresTimestamp(ms: now)
        try connection.execute(
            """
            UPDATE users SET email_verified_at = \(now), updated_at = \(now)
            WHERE id = \(id) AND email_verified_at IS NULL
            """)
    }

    /// Takes all the providers away, or the one that is named.
    ///
    /// - Returns: how many there were.
    @discardableResult
    static func removeProviders(
        _ provider: String? = nil, of id: String, on connection: PostgresConnection
    ) throws -> Int {
        try connection.execute(
            """
            DELETE FROM oauth_providers WHERE user_id = \(id) AND provider = coalesce(\(provider), provider)
            """)
    }

    static func providers(of id: String, on connection: PostgresConnection) throws -> [String] {
        try connection.query("SELECT provider FROM oauth_providers WHERE user_id = \(id) ORDER BY provider")
            .map { try $0.get(0) }
    }
}
