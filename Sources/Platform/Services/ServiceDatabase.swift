package import Logging
package import Storage

/// A service's own database, and its pool of connections.
package struct ServiceDatabase: Sendable {
    package struct Unfit: Error, CustomStringConvertible {
        package let description: String
    }

    package static let defaultConnections = 8

    package let database: Migrator.Database
    package let pool: PostgresPool
    private let newest: Int

    /// - Parameter maxWaiting: work beyond it is refused as overloaded.
    package init(
        _ database: Migrator.Database, _ configuration: PostgresConfiguration,
        connections: Int = ServiceDatabase.defaultConnections, maxWaiting: Int = PostgresPool.defaultMaxWaiting,
        logger: Logger
    ) throws {
        self.database = database
        newest = try Migration.all(for: database).last?.version ?? 0
        pool = PostgresPool(configuration, connections: connections, maxWaiting: maxWaiting, logger: logger)
    }

    /// Refuses a database of another encoding or character type: Hangul would be no letters there, and a search would
    /// find none.
    package func checkLocale() async throws {
        let (encoding, type) = try await pool.withConnection { connection in
            let row = try connection.query(
                """
                SELECT pg_encoding_to_char(encoding)::text, datctype::text FROM pg_database
                WHERE datname = current_database()
                """)[0]
            return (try row.get(0, as: String.self), try row.get(1, as: String.self))
        }
        guard encoding == "UTF8", ["c.utf-8", "c.utf8"].contains(type.lowercased()) else {
            throw Unfit(
                description: "the \(database.rawValue) database has encoding \(encoding) and LC_CTYPE \(type): make it "
                    + "with ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0")
        }
    }

    /// Whether the database can be reached and has every migration that this program knows.
    package func isReady() async -> Bool {
        let version = try? await pool.withConnection { connection in
            try connection.query("SELECT coalesce(max(version), 0) FROM schema_migrations")[0].get(0, as: Int32.self)
        }
        return version.map { Int($0) >= newest } ?? false
    }
}
