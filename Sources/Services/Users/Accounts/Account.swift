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
    /// Milliseconds since 1970.
    var createdAt: Int64

    static let columns: SQL = "id, email, email_verified_at IS NOT NULL, name, role, password_hash, created_at"

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
    }
}
