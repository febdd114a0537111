import Storage

/// The end of all that was signed in to an account, or is about to be, with what it had before: whoever changes a password
/// or takes a provider away may do so because somebody else is in.
enum CredentialChange {
    /// The one who makes the change.
    struct Maker: Sendable {
        /// Goes on, where it is the account's.
        var session: RefreshToken?
        /// Stays known.
        var device: Secret?

        static let nobody = Maker()
    }

    /// In the transaction of the change, under the account's lock.
    ///
    /// - Parameter clock: milliseconds since 1970.
    static func apply(
        to id: String, by reason: Sessions.EndReason, keeping maker: Maker = .nobody, clock: () -> Int64,
        on connection: PostgresConnection
    ) throws {
        let own = try maker.session.flatMap { try Sessions.owner(of: $0, on: connection) == id ? $0.familyId : nil }
        try Sessions.end(of: id, except: own, by: reason, now: clock(), on: connection)
        try KnownDevices.forget(of: id, except: maker.device, on: connection)
        try OneTimeCodes.end(.password, of: id, on: connection)
        try OneTimeCodes.end(.exchange, of: id, on: connection)
        try GoogleTransactions.endLinking(to: id, on: connection)
        // Last: whatever was still refreshed read its time before now. A second after the last change at least, so that
        // tokens from between the two have an earlier second than those from now on.
        try connection.execute(
            """
            UPDATE users SET credentials_changed_at =
                greatest(credentials_changed_at + interval '1 second', \(PostgresTimestamp(ms: clock()))) WHERE id = \(id)
            """)
    }
}
