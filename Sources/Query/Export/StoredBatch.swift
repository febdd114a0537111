import Storage

/// A folded batch as Postgres has it.
struct StoredBatch: Sendable {
    /// Begins with the columns payload and repeats.
    let row: PostgresRow
    /// Beacons before it are passed over.
    var first = 0
}
