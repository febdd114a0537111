import Foundation

/// Brings a database to the newest schema. Safe to run again, and from several places at once.
package struct Migrator: Sendable {
    package enum Database: String, CaseIterable, Sendable {
        case analytics, users, events, reservations, payments
    }

    /// What migrators of one database hold while they work; any number, but always this one.
    private static let advisoryLock: Int64 = 0x7469_6b65_7469

    /// How often a migration is tried that meets locks of what is running, crosswise: Postgres ends one of the two.
    static let maxTries = 10
    static let pauseSeconds = 0.2

    package let migrations: [Migration]

    package init(_ database: Database) throws {
        migrations = try Migration.all(for: database)
    }

    package init(migrations: [Migration]) {
        self.migrations = migrations
    }

    /// Applies what is missing, each in a transaction of its own, and returns it.
    ///
    /// Versions that the database has and the program does not know are left alone: a newer program made them.
    @discardableResult
    package func migrate(_ connection: PostgresConnection) throws -> [Migration] {
        // Building an index, or waiting for another migrator, takes what it takes.
        try connection.withStatementTimeout(.zero) {
            _ = try connection.query("SELECT pg_advisory_lock(\(Self.advisoryLock))")
            // Where unlocking fails the connection is lost, and the lock with it.
            defer { _ = try? connection.query("SELECT pg_advisory_unlock(\(Self.advisoryLock))") }
            try connection.run(
                script: """
                    CREATE TABLE IF NOT EXISTS schema_migrations (
                        version    integer PRIMARY KEY,
                        name       text NOT NULL,
                        checksum   text NOT NULL,
                        applied_at timestamptz NOT NULL DEFAULT now()
                    )
                    """)
            return try migrateLocked(connection)
        }
    }

    @discardableResult
    package func migrate(_ pool: PostgresPool) async throws -> [Migration] {
        try await pool.withConnection { try migrate($0) }
    }

    private func migrateLocked(_ connection: PostgresConnection) throws -> [Migration] {
        var applied: [Int: String] = [:]
        for row in try connection.query("SELECT version, checksum FROM schema_migrations") {
            applied[try row.get(0)] = try row.get(1, as: String.self)
        }
        for migration in migrations {
            if let checksum = applied[migration.version], checksum != migration.checksum {
                throw MigrationError(
                    "migration \(migration.version) (\(migration.name)) has changed since it was applied: "
                        + "put it back as it was, and make the change in a new one")
            }
        }
        let missing = migrations.filter { applied[$0.version] == nil }
        for migration in missing {
            do {
                try apply(migration, on: connection)
            } catch var error as PostgresError {
                error.message = "migration \(migration.version) (\(migration.name)): \(error.message)"
                // The whole script otherwise.
                error.statement = nil
                throw error
            }
        }
        return missing
    }

    private func apply(_ migration: Migration, on connection: PostgresConnection) throws {
        for attempt in 1... {
            do {
                return try connection.transaction { connection in
                    try connection.run(script: migration.script)
                    try connection.execute(
                        """
                        INSERT INTO schema_migrations (version, name, checksum)
                        VALUES (\(Int32(migration.version)), \(migration.name), \(migration.checksum))
                        """)
                }
            } catch let error as PostgresError where error.sqlState == "40P01" && attempt < Self.maxTries {
                // On a connection's own thread, as all of this is.
                Thread.sleep(forTimeInterval: Self.pauseSeconds)
            }
        }
    }
}
