import Storage
import TestSupport
import Testing

@Suite struct PostgresConnectionTests {
    private struct Refused: Error {}

    @Test func transactionsCommitAndRollBack() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (n bigint)")
                try connection.transaction { _ = try $0.execute("INSERT INTO t VALUES (\(1))") }
                #expect(throws: Refused.self) {
                    try connection.transaction { connection in
                        try connection.execute("INSERT INTO t VALUES (\(2))")
                        throw Refused()
                    }
                }
                #expect(throws: PostgresError.self) {
                    try connection.transaction { connection in
                        try connection.execute("INSERT INTO t VALUES (\(3))")
                        try connection.execute("SELECT 1 / \(0)")
                    }
                }
                #expect(try connection.query("SELECT n FROM t").map { try $0.get(0, as: Int.self) } == [1])
            }
        }
    }

    /// Its locks would be held for as long as its process hangs.
    @Test func aTransactionThatIsLeftIdleIsEndedByTheServer() async throws {
        try await withEmptyDatabase { configuration, _ in
            let connection = try PostgresConnection(configuration)
            let setting = try connection.query("SHOW idle_in_transaction_session_timeout")[0].get(0, as: String.self)
            #expect(setting == "\(PostgresConfiguration.maxIdleInTransaction.components.seconds / 60)min")
            let watching = try PostgresConnection(configuration)
            let error = #expect(throws: PostgresError.self) {
                try connection.transaction { connection in
                    try connection.execute("SET LOCAL idle_in_transaction_session_timeout = 10")
                    let pid = try connection.query("SELECT pg_backend_pid()")[0].get(0, as: Int32.self)
                    while try !watching.query("SELECT FROM pg_stat_activity WHERE pid = \(pid)").isEmpty {}
                    try connection.execute("SELECT 1")
                }
            }
            #expect(error?.kind == .unavailable)
            #expect(!connection.isHealthy)
        }
    }

    @Test func aSwallowedErrorDoesNotLookLikeACommit() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (n bigint PRIMARY KEY)")
                let error = #expect(throws: PostgresError.self) {
                    try connection.transaction { connection in
                        try connection.execute("INSERT INTO t VALUES (\(1))")
                        _ = try? connection.execute("INSERT INTO t VALUES (\(1))")
                    }
                }
                #expect(error?.sqlState == "25P02")
                #expect(try connection.query("SELECT n FROM t").isEmpty)
            }
        }
    }

    @Test func repeatableReadSeesOneState() async throws {
        try await withEmptyDatabase { configuration, pool in
            try await pool.withConnection { connection in
                let other = try PostgresConnection(configuration)
                try connection.execute("CREATE TABLE t (n bigint)")
                let counts = try connection.transaction(isolation: .repeatableRead) { connection in
                    let before = try connection.query("SELECT count(*) FROM t")[0].get(0, as: Int.self)
                    try other.execute("INSERT INTO t VALUES (1)")
                    let after = try connection.query("SELECT count(*) FROM t")[0].get(0, as: Int.self)
                    return [before, after]
                }
                #expect(counts == [0, 0])
            }
        }
    }

    @Test func serverErrorsTellWhatAndWhereButNoValues() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (email text PRIMARY KEY)")
                try connection.execute("INSERT INTO t VALUES (\("who@example.com"))")
                let error = #expect(throws: PostgresError.self) {
                    try connection.execute("INSERT INTO t VALUES (\("who@example.com"))")
                }
                #expect(error?.kind == .server(sqlState: "23505"))
                #expect(error?.statement == "INSERT INTO t VALUES ($1)")
                #expect(error?.description.contains("who@example.com") == false)
                // The connection goes on.
                #expect(connection.isHealthy)
                #expect(try connection.query("SELECT 1").count == 1)
            }
        }
    }

    @Test func affectedRowsAreCounted() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (n bigint)")
                #expect(try connection.execute("INSERT INTO t SELECT generate_series(1, \(5))") == 5)
                #expect(try connection.execute("UPDATE t SET n = 0 WHERE n > \(3)") == 2)
                #expect(try connection.execute("DELETE FROM t WHERE n = \(99)") == 0)
            }
        }
    }

    @Test func preparedStatementsAreBounded() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                for number in 0..<PostgresConnection.maxPreparedStatements + 50 {
                    let sql: SQL = "SELECT \(number) AS c\(unescaped: String(number))"
                    #expect(try connection.query(sql)[0].get(0, as: Int.self) == number)
                }
                let prepared = try connection.query("SELECT count(*) FROM pg_prepared_statements")[0].get(
                    0, as: Int.self)
                #expect(prepared == PostgresConnection.maxPreparedStatements)
                // The first was deallocated, and is prepared again.
                #expect(try connection.query("SELECT \(1) AS c\(unescaped: "0")").count == 1)
            }
        }
    }

    @Test func statementsSurviveChangedTables() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (a int8)")
                try connection.execute("INSERT INTO t VALUES (1)")
                #expect(try connection.query("SELECT * FROM t")[0].get(0, as: Int.self) == 1)
                try connection.run(script: "ALTER TABLE t ALTER a TYPE text; ALTER TABLE t ADD b int4")
                #expect(try connection.query("SELECT * FROM t")[0].get("a", as: String.self) == "1")
                try connection.run(script: "DEALLOCATE ALL")
                #expect(try connection.query("SELECT * FROM t").count == 1)
            }
        }
    }

    @Test func sameTextWithOtherTypesIsAnotherStatement() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                let number = try connection.query("SELECT \(1)")[0].get(0, as: Int.self)
                let text = try connection.query("SELECT \("x")")[0].get(0, as: String.self)
                #expect(number == 1)
                #expect(text == "x")
            }
        }
    }

    @Test func rowsAreStreamed() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                var sum = 0
                try connection.stream("SELECT generate_series(1, \(100_000))") { sum += try $0.get(0, as: Int.self) }
                #expect(sum == 5_000_050_000)
                // Leaving early stops the statement.
                var seen = 0
                #expect(throws: Refused.self) {
                    try connection.stream("SELECT generate_series(1, \(1_000_000_000_000))") { _ in
                        seen += 1
                        if seen == 10 { throw Refused() }
                    }
                }
                #expect(connection.isHealthy)
                #expect(try connection.query("SELECT 1").count == 1)
                // An error that comes after some rows.
                #expect(throws: PostgresError.self) {
                    try connection.stream("SELECT 1 / (\(5) - n) FROM generate_series(1, 10) n") { _ in }
                }
                #expect(connection.isHealthy)
            }
        }
    }

    @Test func copyAppendsRows() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (id int8, name text, \"at\" timestamptz, data bytea)")
                let rows = (0..<20_000).lazy.map { number -> [any PostgresEncodable] in
                    [
                        number, number % 2 == 0 ? nil as String? : "n\(number)", PostgresTimestamp(ms: 0),
                        [1, 2] as [UInt8],
                    ]
                }
                #expect(try connection.copyIn("t", columns: ["id", "name", "at", "data"], rows: rows) == 20_000)
                let row = try connection.query("SELECT count(*), count(name), sum(id)::int8 FROM t")[0]
                #expect(try row.get(0, as: Int.self) == 20_000)
                #expect(try row.get(1, as: Int.self) == 10_000)
                #expect(try row.get(2, as: Int.self) == 199_990_000)
                #expect(throws: PostgresError.self) {
                    try connection.copyIn("t", columns: ["id", "name"], rows: [[1, "a"], [2]])
                }
                #expect(throws: PostgresError.self) {
                    try connection.copyIn("t", columns: ["name"], rows: [[[0xff] as [UInt8]]])
                }
                #expect(throws: PostgresError.self) { try connection.copyIn("missing", columns: ["a"], rows: [[1]]) }
                #expect(connection.isHealthy)
                #expect(try connection.query("SELECT count(*) FROM t")[0].get(0, as: Int.self) == 20_000)
            }
        }
    }

    @Test func copiesByStatementAreRefused() async throws {
        try await withEmptyDatabase { _, pool in
            let kinds = try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (n int)")
                return ["COPY t FROM STDIN", "COPY t TO STDOUT"].map { (statement: String) in
                    #expect(throws: PostgresError.self) { try connection.query("\(unescaped: statement)") }?.kind
                }
            }
            #expect(kinds == [.server(sqlState: "57014"), .decoding])
            let rows = try await pool.withConnection { try $0.query("SELECT 1").count }
            #expect(rows == 1)
        }
    }

    @Test func statementTimeoutEndsAStatement() async throws {
        var configuration = try PostgresConfiguration(url: await TestServers.shared.postgresURL())
        configuration.statementTimeout = .seconds(1)
        let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withConnection { _ = try $0.query("SELECT pg_sleep(\(60.0))") }
        }
        #expect(error?.kind == .server(sqlState: "57014"))
        let timeouts = try await pool.withConnection { connection in
            let inside = try connection.withStatementTimeout(.seconds(7)) {
                try connection.query("SHOW statement_timeout")[0].get(0, as: String.self)
            }
            let failed = #expect(throws: PostgresError.self) {
                try connection.withStatementTimeout(.zero) { _ = try connection.query("SELECT \(1) / 0") }
            }
            #expect(failed?.sqlState == "22012")
            return [inside, try connection.query("SHOW statement_timeout")[0].get(0, as: String.self)]
        }
        #expect(timeouts == ["7s", "1s"])
        await pool.shutdown()
    }

    @Test func largeValuesGoBothWays() async throws {
        try await withEmptyDatabase { _, pool in
            var generator = SeededGenerator(seed: 1)
            let data = (0..<8_000_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let echo = try await pool.withConnection { connection in
                try connection.query("SELECT \(data)")[0].get(0, as: [UInt8].self)
            }
            #expect(echo == data)
        }
    }

    @Test func tooManyParametersAreAnErrorAndNoMore() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { connection in
                var sql: SQL = "SELECT 1 WHERE \(1) = 1"
                for _ in 0..<16 { sql = sql + " AND " + "\(sql: sql)".self }
                #expect(sql.binds.count == 65_536)
                #expect(throws: PostgresError.self) { try connection.query(sql) }
                let rows = try connection.query("SELECT 1")
                #expect(rows.count == 1)
            }
        }
    }

    @Test(arguments: [
        "postgresql://user:s3cret@host:port/db", "postgresql://user:s3cr%zzet@host/db",
        "postgresql://user:p@s3cret@host/db",
        "host=x password='s3cret", "password=s3cret nonsense",
        "postgresql://user:s3cret@127.0.0.1:1/db?connect_timeout=2",
        "http://user:s3cret@host/",
    ])
    func errorsNeverShowThePassword(url: String) throws {
        let error = #expect(throws: PostgresError.self) { try PostgresConnection(PostgresConfiguration(url: url)) }
        #expect(error?.kind == .unavailable)
        #expect(error?.description.contains("cret") == false)
        if let configuration = try? PostgresConfiguration(url: url) {
            #expect(!"\(configuration)".contains("cret"))
            #expect(!String(reflecting: configuration).contains("cret"))
            var dumped = ""
            dump(configuration, to: &dumped)
            #expect(!dumped.contains("cret"))
        }
    }

    @Test func anotherDatabaseOfTheSameServer() throws {
        let configuration = try PostgresConfiguration(url: "postgresql://me:it's@h/one?sslmode=require").database("two")
        let again = try PostgresConfiguration(url: configuration.url)
        #expect(again.description == "host=h dbname=two user=me sslmode=require")
        #expect(again.database("x").url.contains(#"password='it\'s'"#))
    }
}
