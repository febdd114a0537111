import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Platform
import Query
import Storage
import TestSupport
import Testing

@testable import tiketi

@Suite struct QueryCommandTests {
    /// A day of traffic and revenue, known to be complete up to a moment of the past: the same whenever it is asked.
    private func fill(_ pool: PostgresPool) async throws {
        try await pool.withConnection { connection in
            try connection.execute(
                "INSERT INTO spool_positions (node, last_seq, shipped_through) VALUES ('n', 1, '2025-12-03T00:00:00Z')")
            try connection.execute("INSERT INTO message_progress VALUES ('analytics', '2025-12-03T00:00:00Z')")
            try connection.execute(
                "INSERT INTO artist_names (artist_id, name, changed_at) VALUES ('iu', '아이유', now())")
            for (table, id) in [
                ("artist_traffic_daily", "iu"), ("event_traffic_daily", "e1"), ("site_traffic_daily", "all"),
            ] {
                try connection.execute(
                    """
                    INSERT INTO \(unescaped: table)
                    VALUES (\(id), '2025-12-01', 1234567, 5, 1234572, 3, 200000, \(VisitorSketch().bytes))
                    """)
            }
            for (kind, value, views) in [("value", "/a", 1_000_000), ("remainder", "", 200_000)]
                as [(String, String, Int64)]
            {
                try connection.execute(
                    """
                    INSERT INTO traffic_breakdown_daily
                    VALUES ('', '2025-12-01', 'path', \(kind), \(value), \(views), \(views), \(VisitorSketch().bytes))
                    """)
            }
            try connection.execute("INSERT INTO dropped_event_days (day) VALUES ('2025-12-02')")
            var visitor = VisitorSketch()
            visitor.add(hash: 7)
            try connection.execute(
                "INSERT INTO event_funnel_daily VALUES ('e1', '2025-12-01', \(visitor.bytes), \(VisitorSketch().bytes))"
            )
            try connection.execute(
                """
                INSERT INTO event_booking_daily
                VALUES ('e1', '2025-12-01', \(VisitorSketch().bytes), \(visitor.bytes), 0, 3)
                """)
            try connection.execute(
                "INSERT INTO revenue_daily VALUES ('2025-12-01', 'KRW', 'iu', 'e1', 132000, 33000, 4, 4, 1)")
        }
    }

    /// What the API answers, and what the command prints, to the same question.
    private func both(
        _ path: String, _ arguments: [String], _ configuration: PostgresConfiguration
    ) async throws -> (api: String, command: CommandLineRun) {
        let key = SigningKey.generate()
        let token = try await key.mint(
            audience: [.analytics], subject: "a", role: .analyst, lifetimeSeconds: 60,
            now: Int64(Date().timeIntervalSince1970))
        let engine = QueryEngine(database: configuration, redis: nil, calendar: .seoul, logger: testLogger)
        let api = QueryAPI(
            engine: engine, verifier: TokenVerifier(.fixed(try await VerifyingKeys(key)), audience: .analytics),
            metrics: Metrics())
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        api.addRoutes(to: router)
        let body = try await Application(router: router).test(.router) { client in
            try await client.execute(
                uri: "/api/analytics/\(path)", method: .get, headers: [.authorization: "Bearer \(token)"])
        }.body
        await engine.shutdown()
        let command = try await CommandLineRun.tiketi(
            ["query"] + arguments, settings: ["ANALYTICS_DATABASE_URL": configuration.url])
        return (String(buffer: body), command)
    }

    @Test(arguments: [
        (
            "artist/iu/traffic?startDate=2025-11-30&endDate=2025-12-02",
            "traffic --artist iu --from 2025-11-30 --to 2025-12-02"
        ),
        (
            "event/e1/traffic?startDate=2025-11-30&endDate=2025-12-02&granularity=weekly",
            "traffic --event e1 --from 2025-11-30 --to 2025-12-02 --granularity weekly"
        ),
        (
            "traffic?startDate=2025-11-01&endDate=2025-12-31&granularity=monthly",
            "traffic --from 2025-11-01 --to 2025-12-31 --granularity monthly"
        ),
        (
            "artist/iu/traffic?startDate=2025-12-01&endDate=2025-12-01&granularity=hourly&timezone=UTC",
            "traffic --artist iu --from 2025-12-01 --to 2025-12-01 --granularity hourly --timezone UTC"
        ),
        ("revenue/stats?startDate=2025-11-30&endDate=2025-12-02", "revenue --from 2025-11-30 --to 2025-12-02"),
        (
            "revenue/monthly?startDate=2025-11-30&endDate=2025-12-02&artistId=iu",
            "revenue --from 2025-11-30 --to 2025-12-02 --period monthly --artist iu"
        ),
        (
            "revenue/daily?startDate=2025-12-01&endDate=2025-12-02&currency=USD",
            "revenue --from 2025-12-01 --to 2025-12-02 --granularity daily --currency USD"
        ),
        ("top?by=artist&startDate=2025-11-30&endDate=2025-12-02", "top --from 2025-11-30 --to 2025-12-02"),
        (
            "top?by=event&metric=revenue&limit=3&startDate=2025-11-30&endDate=2025-12-02",
            "top --by event --metric revenue --limit 3 --from 2025-11-30 --to 2025-12-02"
        ),
        (
            "top?by=path&artistId=iu&startDate=2025-11-30&endDate=2025-12-02",
            "top --by path --artist iu --from 2025-11-30 --to 2025-12-02"
        ),
        (
            "top?by=path&startDate=2025-09-01&endDate=2025-12-02",
            "top --by path --from 2025-09-01 --to 2025-12-02"
        ),
        (
            "top?by=country&metric=uniqueVisitors&artistId=iu&startDate=2025-09-01&endDate=2025-12-02",
            "top --by country --metric uniqueVisitors --artist iu --from 2025-09-01 --to 2025-12-02"
        ),
        (
            "artist/iu/traffic?startDate=2025-12-02&endDate=2025-12-02&compare=previous",
            "traffic --artist iu --from 2025-12-02 --to 2025-12-02 --compare previous"
        ),
        ("dashboard", "dashboard"),
        (
            "event/e1/funnel?startDate=2025-11-30&endDate=2025-12-02",
            "funnel --event e1 --from 2025-11-30 --to 2025-12-02"
        ),
    ])
    func theCommandAnswersAsTheAPIDoes(_ path: String, _ command: String) async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await fill(pool)
            let arguments = command.split(separator: " ").map(String.init) + ["--format", "json"]
            let answers = try await both(path, arguments, configuration)
            #expect(answers.command.status == 0, "\(answers.command.error)")
            #expect(answers.command.error == "")
            #expect(answers.command.output == answers.api + "\n")
            #expect(answers.api.contains("\"asOf\":\"2025-12-03T00:00:00.000Z\""))
        }
    }

    /// What is exact, and what is not, is said to people too.
    @Test func aRankingSaysThatItIsNotExact() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await fill(pool)
            let answers = try await both(
                "top?by=path&startDate=2025-09-01&endDate=2025-12-02",
                ["top", "--by", "path", "--from", "2025-09-01", "--to", "2025-12-02"], configuration)
            #expect(
                answers.api.contains(
                    #""items":[{"rank":1,"path":"/a","pageViews":1000000,"atMost":1034567}],"exact":false,"#
                        + #""total":1234567,"missing":0,"remainder":234567,"#))
            #expect(
                answers.command.output.contains(
                    "234567 of 1234567 page views are of path values that are not kept apart: each number is a lower bound"
                ), "\(answers.command.output)")
        }
    }

    @Test func tablesAndLinesCarryTheSameNumbers() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await fill(pool)
            func run(_ format: String) async throws -> String {
                try await CommandLineRun.tiketi(
                    [
                        "query", "traffic", "--artist", "iu", "--from", "2025-12-01", "--to", "2025-12-02", "--format",
                        format,
                    ],
                    settings: ["ANALYTICS_DATABASE_URL": configuration.url]
                ).output
            }
            #expect(
                try await run("table") == """
                    아이유 (artist iu), 2025-12-01 to 2025-12-02, daily, Asia/Seoul

                    date        page views  unique visitors  avg session  sessions
                    ──────────  ──────────  ───────────────  ───────────  ────────
                    2025-12-01   1,234,567                0       1m 07s         3
                    2025-12-02           0                0           0s         0
                    ──────────  ──────────  ───────────────  ───────────  ────────
                    total        1,234,567                0       1m 07s         3

                    as of 2025-12-03T00:00:00.000Z

                    """)
            #expect(
                try await run("csv") == "date,pageViews,uniqueVisitors,avgSessionDuration,sessions\r\n"
                    + "2025-12-01,1234567,0,67,3\r\n2025-12-02,0,0,0,0\r\n")
            #expect(
                try await run("ndjson") == """
                    {"date":"2025-12-01","pageViews":1234567,"uniqueVisitors":0,"avgSessionDuration":67,"sessions":3}
                    {"date":"2025-12-02","pageViews":0,"uniqueVisitors":0,"avgSessionDuration":0,"sessions":0}

                    """)
        }
    }

    @Test(
        arguments: [
            (
                "traffic --from 2025-12-02 --to 2025-12-01", 2, "tiketi: --from must not be after --to\n"
            ),
            (
                "traffic --granularity yearly", 2,
                "tiketi: --granularity must be one of hourly, daily, weekly, monthly\n"
            ),
            (
                "top --by path --from 2025-10-01 --to 2025-12-01 --timezone UTC", 2,
                "tiketi: --from to --to may span at most 31 days for --by path outside Asia/Seoul; these are 62\n"
            ),
            ("top --by artist --limit many", 2, "tiketi: --limit must be a whole number from 1 to 100\n"),
            ("events --limit 0", 2, "tiketi: --limit must be a whole number from 1 to 1000000000\n"),
        ] as [(String, Int32, String)])
    func badQuestionsAreOneLine(_ command: String, _ status: Int32, _ error: String) async throws {
        try await withAnalyticsDatabase { configuration, _ in
            let run = try await CommandLineRun.tiketi(
                ["query"] + command.split(separator: " ").map(String.init),
                settings: ["ANALYTICS_DATABASE_URL": configuration.url])
            #expect(run.status == status)
            #expect(run.error == error)
            #expect(run.output == "")
        }
    }

    @Test func chartsAreDrawnOfTheSameNumbers() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await fill(pool)
            let run = try await CommandLineRun.tiketi(
                ["query", "traffic", "--artist", "iu", "--from", "2025-12-01", "--to", "2025-12-02", "--chart", "bar"],
                settings: ["ANALYTICS_DATABASE_URL": configuration.url])
            #expect(run.status == 0)
            #expect(run.output.contains("2025-12-01  1,234,567  ████"))
            #expect(run.output.contains("2025-12-02          0\n"))
            let both = try await CommandLineRun.tiketi(
                ["query", "traffic", "--chart", "bar", "--format", "csv"],
                settings: ["ANALYTICS_DATABASE_URL": configuration.url])
            #expect(both.status == 64)
        }
    }

    @Test func anAnswerIsExplainedBesideIt() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await fill(pool)
            let arguments = ["query", "traffic", "--artist", "iu", "--from", "2025-12-01", "--to", "2025-12-02"]
            let settings = ["ANALYTICS_DATABASE_URL": configuration.url]
            let plain = try await CommandLineRun.tiketi(arguments + ["--format", "csv"], settings: settings)
            let explained = try await CommandLineRun.tiketi(
                arguments + ["--format", "csv", "--explain"], settings: settings)
            #expect(explained.output == plain.output)
            #expect(
                explained.error.hasPrefix(
                    "artist_traffic_daily: 2025-12-01 to 2025-12-02\nas of 2025-12-03T00:00:00.000Z, "))
        }
    }

    @Test func watchingGoesOnUntilItIsStopped() async throws {
        try await withTemporaryFolder { folder in
            try await withAnalyticsDatabase { configuration, pool in
                try await fill(pool)
                let program = try RunningProgram(
                    ["query", "top", "--from", "2025-12-01", "--to", "2025-12-01", "--watch", "1", "--format", "csv"],
                    settings: ["ANALYTICS_DATABASE_URL": configuration.url], name: "watch", in: folder)
                try await eventually {
                    guard program.output.components(separatedBy: "1,iu,").count > 2 else {
                        throw NotYet(what: program.output + program.error)
                    }
                }
                program.signal(SIGINT)
                #expect(await program.end() == .exited(0), "\(program.error)")
                // Nothing but text where it is no terminal.
                #expect(!program.output.contains("\u{1B}"))
            }
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func shellsCanCompleteIt(_ shell: String) async throws {
        let run = try await CommandLineRun.tiketi(["--generate-completion-script", shell])
        #expect(run.status == 0)
        #expect(run.output.contains("funnel"))
        for value in ["sparkline", "hourly", "weekly", "referrer", "uniqueVisitors", "previous", "ndjson"] {
            #expect(run.output.contains(value), "\(value)")
        }
    }

    @Test func withoutADatabaseItSaysWhatIsMissing() async throws {
        let unset = try await CommandLineRun.tiketi(["query", "dashboard"])
        #expect(unset.status == 2)
        #expect(unset.error.hasPrefix("tiketi: ANALYTICS_DATABASE_URL: missing"))
        #expect(unset.error.split(separator: "\n").count == 1)
        let away = try await CommandLineRun.tiketi(
            ["query", "dashboard"], settings: ["ANALYTICS_DATABASE_URL": "postgresql:///x?host=/nonexistent"])
        #expect(away.status == 75)
        #expect(away.error.hasPrefix("tiketi: Postgres unavailable: "))
        #expect(away.error.hasSuffix("; start it, or set ANALYTICS_DATABASE_URL to where it runs\n"))
        #expect(away.error.split(separator: "\n").count == 1, "\(away.error)")
    }

    @Test func aFullDiskIsOneLine() async throws {
        try await withAnalyticsDatabase { configuration, _ in
            for command in ["dashboard", "events --format csv"] {
                let run = try await CommandLineRun.run(
                    URL(filePath: "/bin/bash"),
                    ["-c", "exec \(CommandLineRun.binary.path) query \(command) > /dev/full"],
                    settings: ["ANALYTICS_DATABASE_URL": configuration.url])
                #expect(run.status == 1)
                #expect(run.error == "tiketi: standard output can't be written: No space left on device\n")
            }
        }
    }

    /// One of a terminal, another of a file, which these tests have for standard output.
    @Test func colourIsForTerminals() async throws {
        try await withAnalyticsDatabase { configuration, _ in
            func output(_ arguments: [String], _ settings: [String: String] = [:]) async throws -> String {
                try await CommandLineRun.tiketi(
                    ["query", "dashboard"] + arguments,
                    settings: settings.merging(["ANALYTICS_DATABASE_URL": configuration.url]) { $1 }
                ).output
            }
            for (arguments, settings, isStyled) in [
                ([], [:], false), (["--color", "always"], [:], true), (["--color", "always"], ["NO_COLOR": "1"], true),
                (["--color", "always", "--format", "csv"], [:], false),
            ] as [([String], [String: String], Bool)] {
                let text = try await output(arguments, settings)
                #expect(text.contains("\u{1b}[1mperiod") == isStyled, "\(arguments)")
                #expect(text.contains("\u{1b}") == isStyled, "\(arguments)")
            }
            // script(1) has a terminal for whom it runs.
            let script = URL(filePath: "/usr/bin/script")
            guard FileManager.default.isExecutableFile(atPath: script.path) else { return }
            func onTerminal(_ environment: String) async throws -> String {
                try await CommandLineRun.run(
                    script,
                    ["-qec", "\(environment) \(CommandLineRun.binary.path) query dashboard", "/dev/null"],
                    settings: ["ANALYTICS_DATABASE_URL": configuration.url]
                ).output
            }
            let coloured = try await onTerminal("")
            #expect(coloured.contains("\u{1b}[1mperiod"), "\(coloured)")
            let plain = try await onTerminal("NO_COLOR=1")
            #expect(plain.contains("period") && !plain.contains("\u{1b}[1m"), "\(plain)")
        }
    }

    @Test(arguments: [
        ("dashboard", ["--chart", "line"]), ("events", ["--chart", "line"]), ("events", ["--explain"]),
        ("events", ["--watch", "1"]),
    ])
    func whatACommandDoesNotHaveItDoesNotOffer(_ command: String, _ option: [String]) async throws {
        let run = try await CommandLineRun.tiketi(["query", command] + option)
        #expect(run.status == 64)
        #expect(run.error.contains("Unknown option '\(option[0])'"), "\(run.error)")
        let help = try await CommandLineRun.tiketi(["query", command, "--help"])
        #expect(!help.output.contains("\(option[0]) "), "\(help.output)")
    }

    @Test func theZoneIsNamedAsItWasAskedFor() async throws {
        try await withAnalyticsDatabase { configuration, _ in
            for command in ["traffic", "revenue", "top", "funnel --event e1"] {
                let run = try await CommandLineRun.tiketi(
                    ["query"] + command.split(separator: " ").map(String.init)
                        + ["--from", "2025-12-01", "--to", "2025-12-01", "--timezone", "UTC"],
                    settings: ["ANALYTICS_DATABASE_URL": configuration.url])
                #expect(run.output.prefix { $0 != "\n" }.hasSuffix(", UTC"), "\(run.output)")
            }
        }
    }

    @Test func settingsMayComeFromAFile() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await fill(pool)
            try await withTemporaryFolder { folder in
                let key = SigningKey.generate()
                let file = folder.appending(path: "env")
                try "# made by a test\nANALYTICS_DATABASE_URL=\(configuration.url)\n\nJWT_SIGNING_KEY=\(key.seed)\n"
                    .write(to: file, atomically: true, encoding: .utf8)
                let query = try await CommandLineRun.tiketi(
                    [
                        "query", "top", "--from", "2025-12-01", "--to", "2025-12-02", "--env-file", file.path,
                        "--format", "csv",
                    ])
                #expect(query.output == "rank,id,name,pageViews\r\n1,iu,아이유,1234567\r\n")
                let token = try await CommandLineRun.tiketi(
                    ["token", "--role", "analyst", "--expires", "2h", "--subject", "kim", "--env-file", file.path])
                let verifier = TokenVerifier(.fixed(try await VerifyingKeys(key)), audience: .analytics)
                let claims = try await verifier.verify(token.output.dropLast())
                #expect(claims.subject == "kim")
                #expect(claims.role == .analyst)
                #expect(claims.expiresAt - claims.issuedAt == 7200)
                let absent = try await CommandLineRun.tiketi(
                    ["query", "top", "--env-file", folder.appending(path: "none").path])
                #expect(absent.status == 2)
                #expect(absent.error == "tiketi: --env-file: cannot read \(folder.appending(path: "none").path)\n")
            }
        }
    }

    @Test func tokensNeedAKey() async throws {
        let unset = try await CommandLineRun.tiketi(["token", "--role", "admin"])
        #expect(unset.status == 2)
        let wrong = try await CommandLineRun.tiketi(
            ["token", "--role", "admin"], settings: ["JWT_SIGNING_KEY": "hunter2"])
        #expect(wrong.status == 2)
        #expect(
            wrong.error
                == "tiketi: JWT_SIGNING_KEY: must be an Ed25519 private key, as PKCS#8 PEM or as 32 bytes in base64url\n"
        )
        let role = try await CommandLineRun.tiketi(["token", "--role", "root"])
        #expect(role.status == 64)
    }
}
