import Crypto
import Foundation
import Platform
import Storage

/// Statements on `oauth_transactions`: sign-ins under way.
enum GoogleTransactions {
    static let lifetimeMs: Int64 = 600_000

    /// What Google is asked with.
    struct Begun: Sendable {
        /// The browser's cookie: whoever comes back must have it.
        let binding: Secret
        let state: Secret
        let nonce: String
        /// PKCE's `S256`.
        let challenge: String
    }

    /// What was kept of a sign-in that comes back.
    struct Pending: Sendable {
        let nonce: String
        let verifier: String
        let linkUserId: String?
        /// Milliseconds since 1970.
        let begunAt: Int64
    }

    /// - Parameter linkUserId: whoever, signed in already, adds Google to their account.
    static func begin(linkUserId: String?, now: Int64, on connection: PostgresConnection) throws -> Begun {
        let (binding, state) = (Secret.random(), Secret.random())
        let (nonce, verifier) = (Secret.random().text, Secret.random().text)
        try connection.execute(
            """
            INSERT INTO oauth_transactions (binding_hash, state_hash, nonce, code_verifier, link_user_id, expires_at)
            VALUES (\(binding.hash), \(state.hash), \(nonce), \(verifier), \(linkUserId),
                \(PostgresTimestamp(ms: now + lifetimeMs)))
            """)
        return Begun(
            binding: binding, state: state, nonce: nonce,
            challenge: Base64URL.text(SHA256.hash(data: Data(verifier.utf8))))
    }

    /// Takes it: a state is good once, in one browser.
    static func take(
        state: Secret, binding: Secret, now: Int64, on connection: PostgresConnection
    ) throws -> Pending? {
        try connection.query(
            """
            DELETE FROM oauth_transactions
            WHERE binding_hash = \(binding.hash) AND state_hash = \(state.hash)
                AND expires_at > \(PostgresTimestamp(ms: now))
            RETURNING nonce, code_verifier, link_user_id, expires_at
            """
        ).first.map { row in
            try Pending(
                nonce: row.get(0), verifier: row.get(1), linkUserId: row.get(2),
                begunAt: row.get(3, as: PostgresTimestamp.self).ms - lifetimeMs)
        }
    }

    /// Whoever has begun to add Google to the account does not end it.
    static func endLinking(to userId: String, on connection: PostgresConnection) throws {
        try connection.execute("DELETE FROM oauth_transactions WHERE link_user_id = \(userId)")
    }

    /// For a browser that gets its id token from Google itself.
    static func beginNonce(now: Int64, on connection: PostgresConnection) throws -> (binding: Secret, nonce: String) {
        let (binding, nonce) = (Secret.random(), Secret.random().text)
        try connection.execute(
            """
            INSERT INTO oauth_transactions (binding_hash, nonce, expires_at)
            VALUES (\(binding.hash), \(nonce), \(PostgresTimestamp(ms: now + lifetimeMs)))
            """)
        return (binding, nonce)
    }

    /// Takes it: an id token is good once, in one browser.
    static func takeNonce(binding: Secret, now: Int64, on connection: PostgresConnection) throws -> String? {
        try connection.query(
            """
            DELETE FROM oauth_transactions
            WHERE binding_hash = \(binding.hash) AND state_hash IS NULL AND expires_at > \(PostgresTimestamp(ms: now))
            RETURNING nonce
            """
        ).first?.get(0)
    }
}
