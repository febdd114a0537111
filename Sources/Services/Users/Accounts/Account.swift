import Platform
import Storage

/// A row of `users`.
struct Account: Sendable, Equatable {
    var id: String
    var email: String
    var isEmailVerified: Bool
    var name: String
    var role: Role
    var passwordHash: String?
    /// Milliseconds since 1970, as the next.
    var createdAt: Int64
    /// `Int64.min` where they never have.
    var credentialsChangedAt = Int64.min

    static let columns: SQL =
        "id, email, email_verified_at IS NOT NULL, name, role, password_hash, created_at, credentials_changed_at"

    /// Seconds since 1970: access tokens issued before it are over.
    ///
    /// Tokens have whole seconds. Those of the second in which the credentials changed may be older than the change, so
    /// that new ones say the next.
    var tokensGoodFrom: Int64 { credentialsChangedAt == .min ? .min : credentialsChangedAt / 1000 + 1 }
}

extension Account {
    init(_ row: PostgresRow) throws {
        id = try row.get(0)
        email = try row.get(1)
        isEmailVerified = try row.get(2)
        name = try row.get(3)
        role = Role(rawValue: try row.get(4)) ?? .user
        passwordHash = try row.get(5)
        createdAt = try row.get(6, as: PostgresTimestamp.self).ms
        credentialsChangedAt = try row.get(7, as: PostgresTimestamp.self).ms
    }
}
