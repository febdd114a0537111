import Dispatch
import Storage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct CommitGroupTests {
    /// Callers of one group: the first of all is at work until the others wait.
    private final class Crowd: Sendable {
        let pool: PostgresPool
        let commits: CommitGroups
        private let done = DispatchSemaphore(value: 0)

        init(_ pool: PostgresPool, maxWaiting: Int = 100) {
            self.pool = pool
            commits = CommitGroups(pool, maxWaiting: maxWaiting, patience: .seconds(3600), crowd: .max)
        }

        /// - Returns: what each of the bodies came to, in their order.
        func run<R: Sendable>(
            _ bodies: [@Sendable (PostgresConnection) throws -> R]
        ) async throws -> [Result<R, any Error>] {
            try await withThrowingTaskGroup(of: (Int, Result<R, any Error>).self) { group in
                let begun = AsyncStream<Void>.makeStream()
                let first = Task { [commits, done] in
                    try await commits.run("first") { _ in
                        begun.continuation.yield()
                        done.wait()
                    }
                }
                for await _ in begun.stream { break }
                for (number, body) in bodies.enumerated() {
                    group.addTask { [commits] in
                        do {
                            return (number, .success(try await commits.run("\(number)", body)))
                        } catch {
                            return (number, .failure(error))
                        }
                    }
                    while commits.waiting <= number { await Task.yield() }
                }
                done.signal()
                try await first.value
                var results: [Int: Result<R, any Error>] = [:]
                for try await (number, result) in group { results[number] = result }
                return bodies.indices.map { results[$0]! }
            }
        }
    }

    private static func insert(_ number: Int, on connection: PostgresConnection) throws -> String {
        try connection.query("INSERT INTO t VALUES (\(number), 0) RETURNING pg_current_xact_id()::text")[0].get(0)
    }

    private static func stored(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.withConnection { try $0.query("SELECT n FROM t ORDER BY n").map { try $0.get(0) } }
    }

    private func withTable(_ body: (PostgresPool) async throws -> Void) async throws {
        try await withEmptyDatabase { configuration, _ in
            // One for each group, and some for those who are by themselves.
            let pool = PostgresPool(configuration, connections: CommitGroups.maxLanes + 2, logger: testLogger)
            do {
                try await pool.withConnection {
                    _ = try $0.execute("CREATE TABLE t (n int8 PRIMARY KEY, changes int8)")
                }
                try await body(pool)
            } catch {
                await pool.shutdown()
                throw error
            }
            await pool.shutdown()
        }
    }

    @Test func whoComesMeanwhileIsOfOneCommit() async throws {
        try await withTable { pool in
            let count = CommitGroups.maxGroup + 3
            let results = try await Crowd(pool).run((0..<count).map { n in { try Self.insert(n, on: $0) } })
            let transactions = try results.map { try $0.get() }
            #expect(Set(transactions.prefix(CommitGroups.maxGroup)).count == 1)
            #expect(Set(transactions).count == 2)
            #expect(try await Self.stored(pool) == Array(0..<count))
        }
    }

    /// Each is answered as if it had been alone.
    @Test func whatOneMeetsAnotherDoesNot() async throws {
        try await withTable { pool in
            let results = try await Crowd(pool).run([1, 2, 1, 3].map { n in { try Self.insert(n, on: $0) } })
            #expect(throws: Never.self) { try results[1].get() }
            #expect(throws: Never.self) { try results[3].get() }
            let errors = [results[0], results[2]].compactMap { result in
                if case .failure(let error) = result { error as? PostgresError } else { nil }
            }
            #expect(errors.map(\.sqlState) == ["23505"])
            #expect(try await Self.stored(pool) == [1, 2, 3])
        }
    }

    @Test func whoWaitsForALockKeepsNobodyElseWaiting() async throws {
        try await withTable { pool in
            try await pool.withConnection { _ = try $0.execute("INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)") }
            let unlock = DispatchSemaphore(value: 0)
            let locked = AsyncStream<Void>.makeStream()
            let holder = Task {
                try await pool.withConnection { connection in
                    try connection.transaction { connection in
                        try connection.execute("UPDATE t SET changes = 10 WHERE n = 2")
                        locked.continuation.yield()
                        unlock.wait()
                    }
                }
            }
            for await _ in locked.stream { break }
            let freed = Task {
                // Those that nobody has locked are stored while the lock is held.
                while try await pool.withConnection({
                    try $0.query("SELECT FROM t WHERE changes = 1").count
                }) < 2 { await Task.yield() }
                unlock.signal()
            }
            let results = try await Crowd(pool).run(
                [1, 2, 3].map { n in { try $0.execute("UPDATE t SET changes = changes + 1 WHERE n = \(n)") } })
            #expect(try results.map { try $0.get() } == [1, 1, 1])
            try await freed.value
            try await holder.value
            let changes = try await pool.withConnection {
                try $0.query("SELECT changes FROM t ORDER BY n").map { try $0.get(0, as: Int.self) }
            }
            #expect(changes == [1, 11, 1])
        }
    }

    /// Nothing was committed yet: it is one caller's loss.
    @Test func aConnectionThatIsLostBeforeTheCommitIsOnes() async throws {
        try await withTable { pool in
            let results = try await Crowd(pool).run(
                (0..<3).map { n in
                    { connection in
                        if n == 2 { _ = try connection.query("SELECT pg_terminate_backend(pg_backend_pid())") }
                        return try Self.insert(n, on: connection)
                    }
                })
            for result in results.dropLast() { #expect(throws: Never.self) { try result.get() } }
            let error = #expect(throws: PostgresError.self) { try results[2].get() }
            #expect(error?.kind == .unavailable)
            #expect(try await Self.stored(pool) == [0, 1])
        }
    }

    private func atCommit(of number: Int, _ statement: SQL, on pool: PostgresPool) async throws {
        try await pool.withConnection { connection in
            try connection.execute(
                """
                CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN IF new.n = \(unescaped: "\(number)") THEN \(sql: statement); END IF; RETURN new; END $$
                """)
            try connection.execute(
                """
                CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION at_commit()
                """)
        }
    }

    @Test func whatIsRefusedAtTheCommitIsOnes() async throws {
        try await withTable { pool in
            try await atCommit(of: 1, "RAISE unique_violation", on: pool)
            let results = try await Crowd(pool).run((0..<3).map { n in { try Self.insert(n, on: $0) } })
            let error = #expect(throws: PostgresError.self) { try results[1].get() }
            #expect(error?.sqlState == "23505")
            #expect(try await Self.stored(pool) == [0, 2])
        }
    }

    /// Whether it was committed nobody can tell: nothing is done again.
    @Test func aConnectionThatIsLostAtTheCommitIsTheGroups() async throws {
        try await withTable { pool in
            try await atCommit(of: 2, "PERFORM pg_terminate_backend(pg_backend_pid())", on: pool)
            let crowd = Crowd(pool)
            let results = try await crowd.run((0..<3).map { n in { try Self.insert(n, on: $0) } })
            for result in results {
                let error = #expect(throws: PostgresError.self) { try result.get() }
                #expect(error?.kind == .unavailable)
            }
            _ = try await crowd.commits.run("later") { try Self.insert(9, on: $0) }
            #expect(try await Self.stored(pool) == [9])
        }
    }

    /// Nobody comes after him who would see that the group before is stuck.
    @Test func whoComesLastWaitsForNoStuckGroup() async throws {
        try await withTable { pool in
            let commits = CommitGroups(pool, patience: .milliseconds(10), crowd: .max)
            let end = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for stuck in 1...CommitGroups.maxLanes {
                    let begun = AsyncStream<Void>.makeStream()
                    group.addTask {
                        try await commits.run("stuck \(stuck)") { _ in
                            begun.continuation.yield()
                            end.wait()
                        }
                    }
                    for await _ in begun.stream { break }
                    // At last no further group may begin.
                    _ = try await commits.run("\(stuck)") { try Self.insert(stuck, on: $0) }
                }
                for _ in 1...CommitGroups.maxLanes { end.signal() }
                try await group.waitForAll()
            }
            #expect(try await Self.stored(pool) == Array(1...CommitGroups.maxLanes))
        }
    }

    /// A group that takes long, or that too many wait for, keeps nobody waiting.
    @Test(arguments: [(Duration.seconds(3600), 2), (.zero, Int.max)])
    func anotherGroupBegins(patience: Duration, crowd: Int) async throws {
        try await withTable { pool in
            let commits = CommitGroups(pool, patience: patience, crowd: crowd)
            let end = DispatchSemaphore(value: 0)
            let begun = AsyncStream<Void>.makeStream()
            let slow = Task {
                try await commits.run("slow") { _ in
                    begun.continuation.yield()
                    end.wait()
                }
            }
            for await _ in begun.stream { break }
            async let one = commits.run("one") { try Self.insert(1, on: $0) }
            async let two = commits.run("two") { try Self.insert(2, on: $0) }
            _ = try await (one, two)
            end.signal()
            try await slow.value
            #expect(try await Self.stored(pool) == [1, 2])
        }
    }

    @Test func moreThanMayWaitAreRefused() async throws {
        try await withTable { pool in
            let results = try await Crowd(pool, maxWaiting: 2).run([1, 2].map { n in { try Self.insert(n, on: $0) } })
            for result in results { #expect(throws: Never.self) { try result.get() } }
            let full = CommitGroups(pool, maxWaiting: 0)
            let refusal = await #expect(throws: PostgresError.self) {
                try await full.run("x") { try Self.insert(3, on: $0) }
            }
            #expect(refusal?.kind == .overloaded)
            #expect(try await Self.stored(pool) == [1, 2])
        }
    }
}
