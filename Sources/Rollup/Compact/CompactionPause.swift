import Storage

/// Keeps batches where they are while somebody walks through them in their order.
///
/// Whoever walks holds the lock for the connection's life; compaction shares it for a moment, and leaves off where it
/// can't have it.
enum CompactionPause {
    static let key: Int64 = 0x7469_6b65_7469_0003

    /// Waits for the row that is being merged, and for another who walks.
    static func hold<R>(on connection: PostgresConnection, _ body: () throws -> R) throws -> R {
        _ = try connection.query("SELECT pg_advisory_lock(\(key))")
        // A connection that is lost has let it go.
        defer { _ = try? connection.query("SELECT pg_advisory_unlock(\(key))") }
        return try body()
    }

    /// False where batches must stay; until the end of the transaction otherwise.
    static func isOver(on connection: PostgresConnection) throws -> Bool {
        try connection.query("SELECT pg_try_advisory_xact_lock_shared(\(key))")[0].get(0)
    }
}
