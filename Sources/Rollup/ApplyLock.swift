import Storage

/// Serialises what changes rollups: one transaction at a time applies, while others claim and decode.
///
/// So the order in which repeats are decided is one order, sessions are joined without races, and deriving a day can't
/// miss an hour that is just being written. Released with the transaction.
enum ApplyLock {
    static let key: Int64 = 0x7469_6b65_7469_0001

    static func take(on connection: PostgresConnection) throws {
        // A rebuild holds it for as long as it takes.
        try connection.withStatementTimeout(.zero) {
            _ = try connection.query("SELECT pg_advisory_xact_lock(\(key))")
        }
    }
}
