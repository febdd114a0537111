import HTTPTypes
import Platform
import Storage

/// Which account a person whom Google vouches for has here.
enum GoogleAccounts {
    enum Refusal: String, Error {
        /// Google doesn't vouch for the address, so nothing can be made of it.
        case emailUnverified = "google_email_unverified"
        /// There is an account with this address that can't safely be taken for theirs.
        case linkNeedsLogin = "link_needs_login"
        /// The Google account signs in to another account, or the account has another Google account.
        case linkedElsewhere = "google_linked_elsewhere"

        var problem: Problem {
            switch self {
            case .emailUnverified:
                Problem(.forbidden, rawValue, detail: "Google has not verified the e-mail address of this account")
            case .linkNeedsLogin:
                Problem(
                    .conflict, rawValue,
                    detail: "there is an account with this e-mail address: log in to it, then link Google to it")
            case .linkedElsewhere:
                Problem(.conflict, rawValue, detail: "this Google account, or this account, is linked to another")
            }
        }
    }

    /// The account that a person signs in to.
    struct Found: Sendable, Equatable {
        var id: String
        /// Google was added just now to an account that had been there: its owner is told.
        var isJoined = false
    }

    /// What is to be done for a person whose Google account is linked to none.
    enum Decision: Equatable {
        case create
        case link
        case refuse(Refusal)
    }

    /// Google is added to an account that is there already only where both sides have proved that the address is theirs:
    /// whoever registered with a stranger's address and waits for the stranger to come by Google has not, nor has whoever
    /// once had an address that Google doesn't keep itself. Not where the account may do more than buy: there, the person
    /// adds it.
    ///
    /// - Parameters:
    ///   - isVouchedFor: Google has verified the address, now or long ago.
    ///   - isAuthoritative: Google knows whose the address is today.
    static func decision(isVouchedFor: Bool, isAuthoritative: Bool, existing: Account?) -> Decision {
        guard isVouchedFor else { return .refuse(.emailUnverified) }
        guard let existing else { return .create }
        let isProved = isAuthoritative && existing.isEmailVerified
        return isProved && existing.role == .user ? .link : .refuse(.linkNeedsLogin)
    }

    /// The account, made or linked where that is safe. In a transaction.
    ///
    /// - Throws: `Refusal`.
    static func account(for identity: GoogleIdentity, now: Int64, on connection: PostgresConnection) throws -> Found {
        if let id = try linked(identity.subject, on: connection) {
            // Under the account's lock, and still: else who is being thrown out of it could slip in again.
            guard try Accounts.withId(id, locked: true, on: connection) != nil,
                try linked(identity.subject, on: connection) == id
            else { throw Refusal.linkNeedsLogin }
            return Found(id: id)
        }
        let email = identity.verifiedEmail.flatMap(EmailAddress.init)
        let existing = try email.flatMap { try Accounts.withEmail($0.key, on: connection) }
        switch decision(
            isVouchedFor: email != nil, isAuthoritative: identity.isAuthoritative, existing: existing)
        {
        case .refuse(let refusal): throw refusal
        case .link:
            // Under its lock, and still as it was: its owner may be changing it.
            guard let account = try Accounts.withId(existing!.id, locked: true, on: connection), account == existing
            else { throw Refusal.linkNeedsLogin }
            return Found(
                id: account.id, isJoined: try link(identity.subject, to: account.id, now: now, on: connection))
        case .create:
            let id = try Accounts.create(
                email!, name: displayName(identity.name), passwordHash: nil, isEmailVerified: true, now: now,
                on: connection)
            // Somebody registered it a moment ago, and has not verified it.
            guard let id else { throw Refusal.linkNeedsLogin }
            try link(identity.subject, to: id, now: now, on: connection)
            return Found(id: id)
        }
    }

    /// Adds Google to an account.
    ///
    /// - Returns: whether it was not there already.
    /// - Throws: `Refusal`.
    @discardableResult
    static func link(
        _ subject: String, to userId: String, now: Int64, on connection: PostgresConnection
    ) throws -> Bool {
        if try linked(subject, on: connection) == userId { return false }
        let inserted = try connection.execute(
            """
            INSERT INTO oauth_providers (provider, subject, user_id, linked_at)
            VALUES ('google', \(subject), \(userId), \(PostgresTimestamp(ms: now))) ON CONFLICT DO NOTHING
            """)
        guard inserted == 1 else { throw Refusal.linkedElsewhere }
        return true
    }

    private static func linked(_ subject: String, on connection: PostgresConnection) throws -> String? {
        try connection.query(
            "SELECT user_id FROM oauth_providers WHERE provider = 'google' AND subject = \(subject)"
        ).first?.get(0)
    }

    /// As Google has it, within our bounds.
    static func displayName(_ name: String?) -> String {
        let printable = (name ?? "").unicodeScalars.filter { $0.properties.generalCategory != .control }
        let text = String(String.UnicodeScalarView(printable.prefix(100)))
        return text.isEmpty ? "Google user" : text
    }
}
