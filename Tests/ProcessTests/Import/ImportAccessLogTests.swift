import Core
import Foundation
import Storage
import TestSupport
import Testing

/// The whole command, as a process against a real Postgres: a log made up by chance goes in, and what comes to stand
/// in the tables is compared with `Tests/Scripts/count-access-log`, which counts the same file with awk.
@Suite struct ImportAccessLogTests {
    static let pattern = IdPatternTests.sample
    static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Scripts/count-access-log")

    @Test func importCountsWhatTheScriptCounts() async throws {
        var random = SeededGenerator()
        print(random)
        let log = try LogFixture(lines: 4000, using: &random)
        defer { log.remove() }
        try await withAnalyticsDatabase { configuration, pool in
            let run = try await Self.importing(log.file, into: configuration)
            #expect(run.status == 0, "\(run.error)")
            #expect(run.output.hasPrefix("4,000 lines, "))
            try await Self.expectCounted(log.file, pool)
        }
    }

    @Test func importingAgainOrMoreOfItAddsOnlyWhatIsNew() async throws {
        var random = SeededGenerator()
        print(random)
        let whole = try LogFixture(lines: 3000, using: &random)
        defer { whole.remove() }
        let part = try LogFixture(lines: Array(whole.lines[..<2000]))
        defer { part.remove() }
        try await withAnalyticsDatabase { configuration, pool in
            _ = try await Self.importing(part.file, into: configuration)
            let days = try await Self.days(pool)
            let hours = try await Self.dump(pool)
            let batches = try await Self.batches(pool)
            let again = try await Self.importing(part.file, into: configuration)
            #expect(again.status == 0)
            #expect(again.output.contains("\n0 counted, "))
            #expect(try await Self.days(pool) == days)
            #expect(try await Self.dump(pool) == hours)
            #expect(try await Self.batches(pool) == batches)

            let more = try await Self.importing(whole.file, into: configuration)
            #expect(more.status == 0)
            try await Self.expectCounted(whole.file, pool)
        }
    }

    @Test func gzipAndStandardInputAreTheSameLog() async throws {
        var random = SeededGenerator()
        print(random)
        let log = try LogFixture(lines: 500, using: &random)
        defer { log.remove() }
        let zipped = try await CommandLineRun.run(URL(fileURLWithPath: "/bin/gzip"), ["--keep", log.file.path])
        #expect(zipped.status == 0)
        let gzip = log.file.appendingPathExtension("gz")
        try await withAnalyticsDatabase { configuration, pool in
            let run = try await Self.importing(gzip, into: configuration)
            #expect(run.status == 0, "\(run.error)")
            try await Self.expectCounted(log.file, pool)
            for input in [log.file, gzip] {
                let piped = try await CommandLineRun.tiketi(
                    ["import", "access-log", "-", "--artist-pattern", Self.pattern],
                    settings: ["ANALYTICS_DATABASE_URL": configuration.url], input: input)
                #expect(piped.status == 0, "\(piped.error)")
                #expect(piped.output.contains("\n0 counted, "))
            }
        }
    }

    @Test func badLinesAreCountedAndTheFirstOnesShown() async throws {
        let good = #"a - - [17/May/2015:10:05:03 +0000] "GET /blog/x HTTP/1.1" 200 1 "-" "A""#
        let log = try LogFixture(
            lines: [good, "rubbish", good + "\u{7f}"] + Array(repeating: "more rubbish", count: 1200))
        defer { log.remove() }
        try await withAnalyticsDatabase { configuration, _ in
            let run = try await Self.importing(log.file, into: configuration)
            #expect(run.status == 0)
            #expect(
                run.output == """
                    1,203 lines, 1 page views
                    1 counted, 0 counted before
                    1,202 bad lines left out, the first 5:
                      line 2: no client address: rubbish
                      line 3: a control character: \(good)\u{7f}
                      line 4: no time such as [17/May/2015:10:05:03 +0000]: more rubbish
                      line 5: no time such as [17/May/2015:10:05:03 +0000]: more rubbish
                      line 6: no time such as [17/May/2015:10:05:03 +0000]: more rubbish

                    """)
        }
    }

    /// A batch is cut at the bound, and each of them is stored.
    @Test func largeLogIsCutIntoBatches() async throws {
        let lines = (0..<25_000).map { number in
            #"a\#(number % 7) - - [17/May/2015:10:05:03 +0000] "GET /blog/x HTTP/1.1" 200 \#(number) "-" "A""#
        }
        let log = try LogFixture(lines: lines)
        defer { log.remove() }
        try await withAnalyticsDatabase { configuration, pool in
            let run = try await Self.importing(log.file, into: configuration)
            #expect(run.status == 0, "\(run.error)")
            #expect(try await Self.batches(pool).map { $0.split(separator: " ").last } == ["5000", "10000", "10000"])
            let days = try await Self.days(pool)
            #expect(days == ["x\t2015-05-17\t25000\t7\t7\t0"])
        }
    }

    @Test(arguments: [
        (["import", "access-log", "missing.log", "--artist-pattern", "(a)"], Int32(1), "can't read missing.log: "),
        (["import", "access-log", "/", "--artist-pattern", "(a)"], 1, "can't read /: it is a directory"),
        (
            ["import", "access-log", "x", "--artist-pattern", "(a"], 64,
            "--artist-pattern: '(a' is no regular expression"
        ),
        (["import", "access-log", "x", "--artist-pattern", "a"], 64, "--artist-pattern: 'a' has no group such as"),
        (
            ["import", "access-log", "x", "--artist-pattern", "(a)", "--event-pattern", "b"], 64,
            "--event-pattern: 'b' has no group such as"
        ),
        (["import", "access-log", "x"], 64, "--artist-pattern"),
    ])
    func mistakesAreOneClearLine(arguments: [String], status: Int32, message: String) async throws {
        try await withAnalyticsDatabase { configuration, pool in
            let run = try await CommandLineRun.tiketi(
                arguments, settings: ["ANALYTICS_DATABASE_URL": configuration.url])
            #expect(run.status == status)
            #expect(run.error.contains(message), "\(run.error)")
            #expect(run.output.isEmpty)
            #expect(try await Self.batches(pool).isEmpty)
        }
    }

    @Test func missingDatabaseIsNamed() async throws {
        let run = try await CommandLineRun.tiketi(["import", "access-log", "x", "--artist-pattern", "(a)"])
        #expect(run.status == 2)
        #expect(run.error.hasPrefix("tiketi: ANALYTICS_DATABASE_URL: missing"))
    }

    /// A file cut off in the middle of its gzip data is an error, and what came before is in.
    @Test func cutOffGzipIsAnError() async throws {
        var random = SeededGenerator()
        print(random)
        let log = try LogFixture(lines: 2000, using: &random)
        defer { log.remove() }
        _ = try await CommandLineRun.run(URL(fileURLWithPath: "/bin/gzip"), ["--keep", log.file.path])
        let gzip = log.file.appendingPathExtension("gz")
        try Data(contentsOf: gzip).dropLast(100).write(to: gzip)
        try await withAnalyticsDatabase { configuration, _ in
            let run = try await Self.importing(gzip, into: configuration)
            #expect(run.status == 1)
            #expect(run.error == "tiketi: \(gzip.path) ends in the middle of its gzip data\n")
        }
    }

    private static func importing(
        _ file: URL, into configuration: PostgresConfiguration
    ) async throws -> CommandLineRun {
        try await CommandLineRun.tiketi(
            ["import", "access-log", file.path, "--artist-pattern", pattern],
            settings: ["ANALYTICS_DATABASE_URL": configuration.url])
    }

    /// The daily table in the script's form: artist, day, views, visitors, sessions, seconds.
    private static func days(_ pool: PostgresPool) async throws -> [String] {
        try await pool.withConnection { connection in
            try connection.query(
                """
                SELECT artist_id, day, page_views, sessions, session_ms, visitors FROM artist_traffic_daily
                ORDER BY artist_id COLLATE "C", day
                """
            ).map { row in
                let visitors = try VisitorSketch(bytes: row.get(5, as: [UInt8].self))
                // Comparing exact numbers needs exact sketches.
                try #require(visitors.isExact)
                let fields: [String] = [
                    try row.get(0), "\(try row.get(1, as: Day.self))", "\(try row.get(2, as: Int64.self))",
                    "\(visitors.value)", "\(try row.get(3, as: Int64.self))",
                    "\(try row.get(4, as: Int64.self) / 1000)",
                ]
                return fields.joined(separator: "\t")
            }
        }
    }

    /// The days stored are those that the script counts; a failure shows the lines that differ.
    private static func expectCounted(_ file: URL, _ pool: PostgresPool) async throws {
        let (stored, counted) = (Set(try await days(pool)), Set(try await countedDays(of: file)))
        #expect(stored.subtracting(counted).sorted() == counted.subtracting(stored).sorted())
        #expect(!counted.isEmpty)
    }

    private static func countedDays(of file: URL) async throws -> [String] {
        let run = try await CommandLineRun.run(script, [file.path])
        #expect(run.status == 0, "\(run.error)")
        return run.output.split(separator: "\n").dropFirst().map(String.init).filter { !$0.contains("\ttotal\t") }
    }

    private static func dump(_ pool: PostgresPool) async throws -> String {
        try await pool.withConnection { connection in
            try connection.query("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM artist_traffic_hourly t")[
                0
            ]
            .get(0)
        }
    }

    private static func batches(_ pool: PostgresPool) async throws -> [String] {
        try await pool.withConnection { connection in
            try connection.query(
                "SELECT node || ' ' || seq || ' ' || beacons FROM analytics_events ORDER BY beacons, seq"
            )
            .map { try $0.get(0) }
        }
    }
}
