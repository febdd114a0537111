import Platform
import Storage

/// The administrator whom the settings name: made at start, or promoted.
package struct AdminBootstrap: Sendable {
    let email: EmailAddress
    let password: String

    /// Nil where the address is none.
    ///
    /// - Throws: what is wrong with the password.
    package init?(email: String, password: String) throws {
        guard let email = EmailAddress(email) else { return nil }
        if let defect = PasswordRule.defect(of: password, email: email) { throw Unfit(description: defect) }
        self.email = email
        self.password = PasswordRule.normalized(password)
    }

    package struct Unfit: Error, CustomStringConvertible {
        package let description: String
    }

    /// Does nothing where the address is an administrator's already, whose password may have been changed since.
    ///
    /// An account that is no administrator's may have been made by anyone who guessed the address: its password is set
    /// anew, and whatever else signs in to it is cut off before it becomes an administrator's.
    func run(_ pool: PostgresPool, _ hasher: PasswordHasher, now: Int64) async throws {
        if try await isDone(pool) { return }
        let hash = try await hasher.hash(password)
        let email = email
        try await pool.withConnection { connection in
            try connection.transaction { connection in
                let created = try Accounts.create(
                    email, name: "Administrator", passwordHash: hash, role: .admin, isEmailVerified: true, now: now,
                    on: connection)
                guard created == nil else { return }
                let found = try connection.query(
                    """
                    UPDATE users SET role = 'admin', password_hash = \(hash),
                        email_verified_at = coalesce(email_verified_at, \(PostgresTimestamp(ms: now))),
                        updated_at = \(PostgresTimestamp(ms: now))
                    WHERE email_key = \(email.key) AND role <> 'admin' RETURNING id
                    """)
                guard let id = try found.first?.get(0, as: String.self) else { return }
                try Accounts.removeProviders(of: id, on: connection)
                try CredentialChange.apply(to: id, by: .promotion, clock: { now }, on: connection)
                try OneTimeCodes.end(.email, of: id, on: connection)
            }
        }
    }

    private func isDone(_ pool: PostgresPool) async throws -> Bool {
        let key = email.key
        return try await pool.withConnection { try Accounts.withEmail(key, on: $0)?.role == .admin }
    }
}
