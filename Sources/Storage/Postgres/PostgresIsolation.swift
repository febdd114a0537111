package enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    /// All statements of the transaction see the same rows.
    case repeatableRead = "REPEATABLE READ"
}
