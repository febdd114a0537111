import Foundation
import Platform
import Storage
import TestSupport
import Testing

/// What was counted in days of one zone can't go on in those of another.
@Suite struct ReportingTimeZoneTests {
    private static let line =
        "REPORTING_TIME_ZONE: is UTC, but what this database has counted is in days of Asia/Seoul: set it to Asia/Seoul"

    private func stored(_ pool: PostgresPool) async throws -> [String] {
        try await pool.withConnection {
            try $0.query("SELECT identifier FROM reporting_time_zone").map { try $0.get(0, as: String.self) }
        }
    }

    @Test func nothingStartsWithAnotherZone() async throws {
        try await withTemporaryFolder { folder in
            try await withAnalyticsDatabase { database, pool in
                try await withRedis { redis in
                    let seoul = ["ANALYTICS_DATABASE_URL": database.url, "REDIS_URL": redis.url]
                    let first = try await CommandLineRun.tiketi(["rollup", "run"], settings: seoul)
                    #expect(first.status == 0, "\(first.error)")
                    #expect(try await stored(pool) == ["Asia/Seoul"])
                    let log = folder.appending(path: "access.log")
                    try Data().write(to: log)
                    var utc = seoul
                    utc["REPORTING_TIME_ZONE"] = "UTC"
                    for command in [
                        ["rollup", "run"], ["rollup", "run", "--follow"], ["rollup", "rebuild"], ["rollup", "verify"],
                        ["rollup", "partitions"], ["erase", "--visitor", "v", "--dry-run"],
                        ["erase", "--visitor", "v"],
                        ["query", "dashboard"], ["query", "events"],
                        ["import", "access-log", log.path, "--artist-pattern", "/a/(.*)"],
                    ] {
                        let run = try await CommandLineRun.tiketi(command, settings: utc)
                        #expect(run.status == 2, "\(command)")
                        #expect(run.error == "tiketi: \(Self.line)\n", "\(command)")
                        #expect(run.output == "", "\(command)")
                    }
                    utc["JWT_SIGNING_KEY"] = SigningKey.generate().seed
                    utc["SPOOL_DIR"] = folder.appending(path: "spool").path
                    for service in ["ingest", "query"] {
                        let program = try RunningProgram(
                            ["serve", service, "--port", "0"], settings: utc, name: service, in: folder)
                        #expect(await program.end() == .exited(2), "\(program.error)")
                        #expect(program.error.contains(Self.line), "\(program.error)")
                    }
                    #expect(try await stored(pool) == ["Asia/Seoul"])
                    #expect(try await CommandLineRun.tiketi(["rollup", "rebuild"], settings: seoul).status == 0)
                }
            }
        }
    }

    /// Who only asks doesn't settle whose days they are.
    @Test func whoReadsWritesNone() async throws {
        try await withAnalyticsDatabase { database, pool in
            for (command, zones) in [
                (["query", "dashboard"], []), (["rollup", "verify"], []),
                (["erase", "--visitor", "v", "--dry-run"], []), (["rollup", "rebuild"], ["Europe/Berlin"]),
            ] as [([String], [String])] {
                let run = try await CommandLineRun.tiketi(
                    command,
                    settings: ["ANALYTICS_DATABASE_URL": database.url, "REPORTING_TIME_ZONE": "Europe/Berlin"])
                #expect(run.status == 0, "\(command): \(run.error)")
                #expect(try await stored(pool) == zones, "\(command)")
            }
        }
    }

    /// One that is not migrated so far has nothing to compare with.
    @Test func aDatabaseWithoutTheTableIsAsked() async throws {
        try await withAnalyticsDatabase { database, pool in
            _ = try await pool.withConnection { try $0.execute("DROP TABLE reporting_time_zone") }
            let run = try await CommandLineRun.tiketi(
                ["query", "top", "--format", "csv"], settings: ["ANALYTICS_DATABASE_URL": database.url])
            #expect(run.status == 0, "\(run.error)")
        }
    }
}
