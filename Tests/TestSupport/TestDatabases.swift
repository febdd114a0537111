package import Logging
package import Storage
import Synchronization

/// Runs `body` with a fresh, migrated analytics database of its own, which is dropped afterwards.
///
/// `configuration.url` is for other processes; the pool has four connections.
package func withAnalyticsDatabase<R>(
    _ body: (PostgresConfiguration, PostgresPool) async throws -> R
) async throws -> R {
    try await withDatabase(of: .analytics, body)
}

/// The same for any of the platform's databases.
package func withDatabase<R>(
    of database: Migrator.Database, _ body: (PostgresConfiguration, PostgresPool) async throws -> R
) async throws -> R {
    try await withDatabase(template: TestDatabases.shared.template(of: database), body)
}

/// Runs `body` with a fresh, empty database of its own, which is dropped afterwards.
package func withEmptyDatabase<R>(
    _ body: (PostgresConfiguration, PostgresPool) async throws -> R
) async throws -> R {
    try await withDatabase(template: "template0", body)
}

/// A logger for what is under test: silent but for errors.
package let testLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
}()

private func withDatabase<R>(
    template: String, _ body: (PostgresConfiguration, PostgresPool) async throws -> R
) async throws -> R {
    let databases = TestDatabases.shared
    await databases.enter()
    let configuration: PostgresConfiguration
    do { configuration = try await databases.make(template: template) } catch {
        await databases.leave()
        throw error
    }
    let pool = PostgresPool(configuration, connections: 4, logger: testLogger)
    do {
        let result = try await body(configuration, pool)
        await pool.shutdown()
        await databases.drop(configuration)
        return result
    } catch {
        await pool.shutdown()
        await databases.drop(configuration)
        throw error
    }
}

/// Makes and drops databases on the shared server.
private actor TestDatabases {
    static let shared = TestDatabases()
    /// At the same time: their pools share the server's 200 connections. Other tests wait.
    static let maxInUse = 24

    private var inUse = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if inUse < Self.maxInUse { inUse += 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    /// Hands the place on to whoever waits longest.
    func leave() {
        if waiting.isEmpty { inUse -= 1 } else { waiting.removeFirst().resume() }
    }

    private var administration: (PostgresConfiguration, PostgresPool)?
    private var templates: [Migrator.Database: Task<String, any Error>] = [:]
    private var made = 0
    private let run = UInt32.random(in: 0 ... .max)

    private func admin() async throws -> (PostgresConfiguration, PostgresPool) {
        if let administration { return administration }
        let configuration = try PostgresConfiguration(url: await TestServers.shared.postgresURL())
        if let administration { return administration }
        let pool = PostgresPool(configuration, connections: 2, maxWaiting: 10_000, logger: testLogger)
        administration = (configuration, pool)
        return (configuration, pool)
    }

    func template(of database: Migrator.Database) async throws -> String {
        if let template = templates[database] { return try await template.value }
        let task = Task {
            let configuration = try await make(template: "template0")
            let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
            try await Migrator(database).migrate(pool)
            // Nobody may be connected to a template.
            await pool.shutdown()
            return configuration.databaseName!
        }
        templates[database] = task
        return try await task.value
    }

    func make(template: String) async throws -> PostgresConfiguration {
        let (configuration, pool) = try await admin()
        made += 1
        let name = "tiketi_test_\(run)_\(made)"
        try await pool.withConnection { connection in
            _ = try connection.execute("CREATE DATABASE \(unescaped: name) TEMPLATE \(unescaped: template)")
        }
        return configuration.database(name)
    }

    func drop(_ configuration: PostgresConfiguration) async {
        defer { leave() }
        let name = configuration.databaseName!
        _ = try? await admin().1.withConnection { connection in
            try connection.execute("DROP DATABASE IF EXISTS \(unescaped: name) WITH (FORCE)")
        }
    }
}
