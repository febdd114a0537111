import Storage
import TestSupport

/// Holds ingest's transactions right before their COMMIT: everything is written, nothing can be seen.
///
/// A deferred trigger takes an advisory lock there, which whoever closes the gate has.
final class CommitGate: Sendable {
    private static let lock: Int64 = 0x7469_6b65_7469

    /// One connection: the lock is its session's.
    private let pool: PostgresPool

    init(_ database: PostgresConfiguration) async throws {
        pool = PostgresPool(database, connections: 1, logger: silentLogger)
        try await pool.withConnection { connection in
            try connection.execute(
                """
                CREATE FUNCTION commit_gate() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock_shared(\(unescaped: "\(Self.lock)")); RETURN NULL; END $$
                """)
            try connection.execute(
                """
                CREATE CONSTRAINT TRIGGER commit_gate AFTER INSERT ON rollup_pending
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION commit_gate()
                """)
        }
    }

    func close() async throws {
        try await pool.withConnection { _ = try $0.query("SELECT pg_advisory_lock(\(Self.lock))") }
    }

    /// Whether a transaction waits before its COMMIT.
    func isHolding() async throws -> Bool {
        try await pool.withConnection { connection in
            try !connection.query(
                """
                SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = \(Self.lock >> 32)::oid
                    AND objid = \(Self.lock & 0xffff_ffff)::oid
                """
            ).isEmpty
        }
    }

    /// Does nothing where Postgres has died meanwhile, and the lock with it.
    func open() async {
        _ = try? await pool.withConnection { _ = try $0.query("SELECT pg_advisory_unlock_all()") }
    }

    func remove() async {
        await pool.shutdown()
    }
}
