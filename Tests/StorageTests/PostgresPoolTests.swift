import Foundation
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct PostgresPoolTests {
    @Test func cancellingATaskEndsItsStatement() async throws {
        try await withEmptyDatabase { _, pool in
            let pids = AsyncStream<Int>.makeStream()
            let sleeping = Task {
                try await pool.withConnection { connection in
                    pids.continuation.yield(try connection.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self))
                    _ = try connection.query("SELECT pg_sleep(\(3600.0))")
                }
            }
            for await _ in pids.stream { break }
            sleeping.cancel()
            let error = await #expect(throws: PostgresError.self) { try await sleeping.value }
            #expect(error?.kind == .canceled)
            let count = try await pool.withConnection { try $0.query("SELECT 1").count }
            #expect(count == 1)
        }
    }

    @Test func theCancelledConnectionIsUsedAgain() async throws {
        try await withEmptyDatabase { configuration, _ in
            let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
            let before = try await pool.withConnection {
                try $0.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self)
            }
            let started = AsyncStream<Void>.makeStream()
            let sleeping = Task {
                try await pool.withConnection { connection in
                    try connection.transaction { connection in
                        try connection.execute("CREATE TABLE never (n int)")
                        started.continuation.yield()
                        _ = try connection.query("SELECT pg_sleep(\(3600.0))")
                    }
                }
            }
            for await _ in started.stream { break }
            sleeping.cancel()
            await #expect(throws: PostgresError.self) { try await sleeping.value }
            let (after, table) = try await pool.withConnection { connection in
                (
                    try connection.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self),
                    try connection.query("SELECT to_regclass('never')::text")[0].get(0, as: String?.self)
                )
            }
            #expect(after == before)
            #expect(table == nil)
            await pool.shutdown()
        }
    }

    @Test func cancellationComesBetweenStatementsButNotBeforeACommit() async throws {
        try await withEmptyDatabase { _, pool in
            try await pool.withConnection { _ = try $0.execute("CREATE TABLE t (n int8)") }
            for (number, isLast) in [(1, false), (2, true)] {
                let started = AsyncStream<Void>.makeStream()
                let gate = DispatchSemaphore(value: 0)
                let work = Task {
                    try await pool.withConnection { connection in
                        try connection.transaction { connection in
                            try connection.execute("INSERT INTO t VALUES (\(number))")
                            started.continuation.yield()
                            gate.wait()
                            if !isLast { _ = try connection.query("SELECT 1") }
                        }
                    }
                }
                for await _ in started.stream { break }
                work.cancel()
                gate.signal()
                switch await work.result {
                case .success: #expect(isLast)
                case .failure(let error): #expect((error as? PostgresError)?.kind == .canceled && !isLast)
                }
            }
            let stored = try await pool.withConnection {
                try $0.query("SELECT n FROM t").map { try $0.get(0, as: Int.self) }
            }
            #expect(stored == [2])
        }
    }

    @Test func aServerThatFallsSilentIsGivenUp() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivatePostgres(folder: folder, isDurable: false)
            try await server.start()
            var configuration = try PostgresConfiguration(url: server.url(database: "postgres"))
            configuration.statementTimeout = .seconds(1)
            let pool = PostgresPool(configuration, connections: 1, logger: silentLogger)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection { connection in
                    let backend = try connection.query("SELECT pg_backend_pid()")[0].get(0, as: Int32.self)
                    kill(backend, SIGSTOP)
                    defer { kill(backend, SIGCONT) }
                    _ = try connection.query("SELECT 1")
                }
            }
            #expect(error?.kind == .unavailable)
            let rows = try await pool.withConnection { try $0.query("SELECT 1").count }
            #expect(rows == 1)
            await pool.shutdown()
            await server.stop()
        }
    }

    @Test func cancelledWorkLeavesTheQueue() async throws {
        try await withEmptyDatabase { configuration, _ in
            let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
            let gate = DispatchSemaphore(value: 0)
            let started = AsyncStream<Void>.makeStream()
            let running = Task {
                try await pool.withConnection { _ in
                    started.continuation.yield()
                    gate.wait()
                }
            }
            for await _ in started.stream { break }
            let ran = Mutex(false)
            let queued = Task { try await pool.withConnection { _ in ran.withLock { $0 = true } } }
            queued.cancel()
            let error = await #expect(throws: PostgresError.self) { try await queued.value }
            #expect(error?.kind == .canceled)
            gate.signal()
            try await running.value
            await pool.shutdown()
            #expect(ran.withLock { $0 } == false)
        }
    }

    @Test func moreThanMayWaitIsRefused() async throws {
        try await withEmptyDatabase { configuration, _ in
            let pool = PostgresPool(configuration, connections: 1, maxWaiting: 2, logger: testLogger)
            let gate = DispatchSemaphore(value: 0)
            let outcomes = await withTaskGroup(of: PostgresError.Kind?.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        do {
                            try await pool.withConnection { _ in gate.wait() }
                            return nil
                        } catch { return (error as? PostgresError)?.kind }
                    }
                }
                var outcomes: [PostgresError.Kind?] = []
                // One runs, two wait, so two are refused while nothing else moves.
                for _ in 0..<2 { outcomes.append(await group.next()!) }
                for _ in 0..<3 { gate.signal() }
                for await outcome in group { outcomes.append(outcome) }
                return outcomes
            }
            #expect(outcomes == [.overloaded, .overloaded, nil, nil, nil])
            await pool.shutdown()
        }
    }

    @Test func anOpenTransactionIsNotHandedOn() async throws {
        try await withEmptyDatabase { configuration, _ in
            let pool = PostgresPool(configuration, connections: 1, logger: testLogger)
            try await pool.withConnection { connection in
                try connection.execute("CREATE TABLE t (n int)")
                try connection.run(script: "BEGIN; INSERT INTO t VALUES (1)")
            }
            #expect(try await pool.withConnection { try $0.query("SELECT n FROM t").count } == 0)
            await pool.shutdown()
        }
    }

    @Test func afterShutdownWorkIsRefused() async throws {
        try await withEmptyDatabase { configuration, _ in
            let pool = PostgresPool(configuration, connections: 2, logger: testLogger)
            try await pool.withConnection { _ = try $0.query("SELECT 1") }
            await pool.shutdown()
            await pool.shutdown()
            let error = await #expect(throws: PostgresError.self) { try await pool.withConnection { _ in } }
            #expect(error?.kind == .unavailable)
        }
    }

    @Test func aServerThatBecameAStandbyIsLeft() async throws {
        try await withEmptyDatabase { configuration, _ in
            let own = PostgresPool(configuration, connections: 1, logger: testLogger)
            func pid() async throws -> Int {
                try await own.withConnection { try $0.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self) }
            }
            let before = try await pid()
            let error = await #expect(throws: PostgresError.self) {
                try await own.withConnection { connection in
                    // What a standby answers to whoever writes.
                    try connection.execute("SET default_transaction_read_only = on")
                    try connection.execute("CREATE TABLE never (n int)")
                }
            }
            #expect(error?.kind == .unavailable)
            // The next connection may reach the primary, under the same name.
            #expect(try await eventually { try await pid() } != before)
            await own.shutdown()
        }
    }

    @Test func aKilledServerIsFoundAgainAfterItsRestart() async throws {
        try await withTemporaryFolder { folder in
            let server = try PrivatePostgres(folder: folder, isDurable: false)
            try await server.start()
            let pool = try PostgresPool(
                PostgresConfiguration(url: server.url(database: "postgres")), connections: 3, logger: silentLogger)
            try await pool.withConnection { _ = try $0.execute("CREATE TABLE t (n int8)") }
            server.kill9()
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withConnection { _ = try $0.execute("INSERT INTO t VALUES (\(1))") }
            }
            #expect(error?.kind == .unavailable)
            try await server.start()
            try await eventually { try await pool.withConnection { _ = try $0.execute("INSERT INTO t VALUES (\(2))") } }
            #expect(try await pool.withConnection { try $0.query("SELECT n FROM t").count } == 1)
            // An idle connection whose server was restarted meanwhile is replaced before it is used.
            try await server.restart()
            #expect(try await pool.withConnection { try $0.query("SELECT n FROM t").count } == 1)
            await pool.shutdown()
            await server.stop()
        }
    }
}

@Suite struct ReconnectPaceTests {
    @Test func delaysDoubleUpToTheirBound() {
        var pace = ReconnectPace()
        var now = ContinuousClock.now
        #expect(pace.refusal(at: now) == nil)
        for expected in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            pace.failed("down", at: now, jitter: 0)
            #expect(pace.refusal(at: now + .milliseconds(expected - 1)) == "down")
            #expect(pace.refusal(at: now + .milliseconds(expected)) == nil)
            now += .milliseconds(expected)
        }
        pace.succeeded()
        #expect(pace.refusal(at: now) == nil)
        pace.failed("down", at: now, jitter: 1)
        #expect(pace.refusal(at: now + .milliseconds(25)) == nil)
    }

    @Test func failuresAtTheSameTimeAreOne() {
        var pace = ReconnectPace()
        let now = ContinuousClock.now
        for _ in 0..<8 { pace.failed("down", at: now, jitter: 0) }
        #expect(pace.failures == 1)
        #expect(pace.refusal(at: now + .milliseconds(50)) == nil)
    }
}
