import Foundation
import Storage
import TestSupport
import Testing

@Suite struct MigratorTests {
    @Test func aFreshDatabaseGetsEverythingOnce() async throws {
        try await withEmptyDatabase { _, pool in
            let migrator = try Migrator(.analytics)
            #expect(!migrator.migrations.isEmpty)
            #expect(try await migrator.migrate(pool) == migrator.migrations)
            #expect(try await migrator.migrate(pool).isEmpty)
            let table = try await pool.withConnection { connection in
                try connection.query("SELECT to_regclass('analytics_events')::text")[0].get(0, as: String?.self)
            }
            #expect(table == "analytics_events")
        }
    }

    @Test func manyAtOnceApplyEachOnce() async throws {
        try await withEmptyDatabase { configuration, _ in
            let migrator = try Migrator(.analytics)
            let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
                        let applied = try await migrator.migrate(pool)
                        await pool.shutdown()
                        return applied
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == migrator.migrations)
        }
    }

    @Test func aChangedMigrationIsRefused() async throws {
        try await withEmptyDatabase { _, pool in
            let one = Migration(version: 1, name: "one", script: "CREATE TABLE a (n int)")
            try await Migrator(migrations: [one]).migrate(pool)
            let changed = Migration(version: 1, name: "one", script: "CREATE TABLE a (n bigint)")
            let two = Migration(version: 2, name: "two", script: "CREATE TABLE b (n int)")
            let error = await #expect(throws: MigrationError.self) {
                try await Migrator(migrations: [changed, two]).migrate(pool)
            }
            #expect(error?.description.contains("migration 1 (one) has changed") == true)
            let table = try await pool.withConnection { connection in
                try connection.query("SELECT to_regclass('b')::text")[0].get(0, as: String?.self)
            }
            #expect(table == nil)
        }
    }

    @Test func aFailingMigrationLeavesNothingAndTheLockFree() async throws {
        try await withEmptyDatabase { _, pool in
            let one = Migration(version: 1, name: "one", script: "CREATE TABLE a (n int)")
            let two = Migration(version: 2, name: "two", script: "CREATE TABLE b (n int); SELECT 1 / 0")
            let error = await #expect(throws: PostgresError.self) {
                try await Migrator(migrations: [one, two]).migrate(pool)
            }
            #expect(error?.description.contains("migration 2 (two)") == true)
            let fixed = Migration(version: 2, name: "two", script: "CREATE TABLE b (n int)")
            let applied = try await Migrator(migrations: [one, fixed]).migrate(pool)
            #expect(applied == [fixed])
            // A program that is older than the database.
            #expect(try await Migrator(migrations: [one]).migrate(pool).isEmpty)
        }
    }

    @Test func foldersThatAreNoMigrationsAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let missing = folder.appending(path: "missing")
            let error = #expect(throws: MigrationError.self) { try Migration.all(in: missing) }
            #expect(error?.description.contains("belong beside the executable") == true)
            try Data("SELECT 1".utf8).write(to: folder.appending(path: "002_b.sql"))
            try Data("SELECT 1".utf8).write(to: folder.appending(path: "010_a_c.sql"))
            try Data().write(to: folder.appending(path: "README"))
            #expect(try Migration.all(in: folder).map(\.version) == [2, 10])
            #expect(try Migration.all(in: folder).map(\.name) == ["b", "a_c"])
            try Data("SELECT 1".utf8).write(to: folder.appending(path: "2_c.sql"))
            #expect(throws: MigrationError("two migrations have version 2")) { try Migration.all(in: folder) }
            try FileManager.default.removeItem(at: folder.appending(path: "2_c.sql"))
            try Data("SELECT 1".utf8).write(to: folder.appending(path: "x.sql"))
            #expect(throws: MigrationError.self) { try Migration.all(in: folder) }
        }
    }
}
