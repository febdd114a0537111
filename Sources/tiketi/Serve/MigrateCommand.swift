import ArgumentParser
import Platform
import Storage

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring every database that has a URL up to date.",
        discussion: """
            Applies the numbered migrations that a database lacks, each in a transaction, under an advisory lock: \
            safe to run twice, and from several places at once.
            """)

    @OptionGroup var environmentFile: EnvironmentFile

    func run() async throws {
        try await reportingFailure {
            let (settings, logger) = try ProcessSettings.bootstrap(
                defaultLogFormat: .text, environmentFile: environmentFile)
            var count = 0
            for database in Migrator.Database.allCases {
                let name = "\(database.rawValue.uppercased())_DATABASE_URL"
                guard try settings.string(name) != nil else { continue }
                let configuration = try settings.database(name)
                let pool = PostgresPool(configuration, connections: 1, logger: logger)
                let applied: [Migration]
                do {
                    applied = try await Migrator(database).migrate(pool)
                } catch {
                    await pool.shutdown()
                    throw error
                }
                await pool.shutdown()
                for migration in applied {
                    print("\(database.rawValue): applied \(migration.version) \(migration.name)")
                }
                if applied.isEmpty { print("\(database.rawValue): up to date") }
                count += 1
            }
            if count == 0 {
                ProcessSettings.standardError(
                    "tiketi: ANALYTICS_DATABASE_URL: is not set, nor is any other database's URL")
                throw ProcessSettings.wrongUsage
            }
        }
    }
}
