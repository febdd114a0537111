import HTTPTypes
import Storage
import TestSupport
import Testing

@testable import UserService

/// Strangers choose the keys that attempts are counted by, not how many are kept.
@Suite(.timeLimit(.minutes(5))) struct ThrottleRowsTests {
    @Test func rowsBeyondTheBoundGoOldestFirst() async throws {
        let maxRows = 20
        try await withUsers {
            $0.maxThrottleRows = maxRows
        } _: { users in
            let throttle = users.service.throttle
            var mostRows = 0
            for number in 0..<100 {
                _ = try await throttle.wait([.mail("\(number)"), .siege("\(number)")], now: users.clock.now)
                mostRows = max(mostRows, try await users.count("SELECT count(*) FROM throttles"))
                users.clock.advance(seconds: 1)
            }
            #expect(mostRows == maxRows)
            // The newest are there, whose attempts count on; what was older is forgotten, and makes nobody wait.
            let kept = try await users.count(
                """
                SELECT count(*) FROM throttles WHERE key = ANY(\(
                    (90..<100).flatMap { [ThrottleKey.mail("\($0)").hash, ThrottleKey.siege("\($0)").hash] }))
                """)
            #expect(kept == maxRows)
            #expect(try await throttle.wait([.mail("0")], now: users.clock.now) == 0)
        }
    }

    /// A flood keeps nobody out, and nobody who hammers gets free of what he has just been told.
    @Test func atTheBoundAttemptsAreStillCounted() async throws {
        try await withUsers {
            $0.maxThrottleRows = 20
        } _: { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            for number in 0..<30 {
                _ = try await users.service.throttle.wait([.mail("\(number)")], now: users.clock.now)
            }
            users.clock.advance(seconds: 1)
            var tried = 0
            while try await users.browser("198.51.100.1").logIn("kim@example.com", "a guess").status == .unauthorized {
                tried += 1
                guard tried < 10 else { break }
            }
            #expect(tried == 5)
            #expect(try await users.browser("192.0.2.1").logIn("kim@example.com", RunningUsers.password).status == .ok)
            #expect(try await users.count("SELECT count(*) FROM throttles") <= 20)
        }
    }

    /// What others have added is found by the next that counts, and goes in batches.
    @Test func whatIsFarBeyondTheBoundGoesInBatches() async throws {
        try await withUsers { users in
            let throttle = Throttle(pool: users.pool, maxRows: 1000)
            let counts = try await users.pool.withConnection { connection in
                try connection.transaction { connection in
                    try Self.fill(3500, lastAt: users.clock.now, on: connection)
                    return try (0..<4).map { _ in try throttle.trim(on: connection) }
                }
            }
            let batch = Sweep.maxRows + throttle.maxUncounted
            #expect(counts == [batch, batch, 2500 - 2 * batch, 0])
            #expect(try await users.count("SELECT count(*) FROM throttles") == 1000)
        }
    }

    /// Counting takes long where there are many.
    @Test func rowsAreCountedOnceInAThousandth() async throws {
        try await withUsers { users in
            let throttle = Throttle(pool: users.pool, maxRows: 10_000)
            #expect(throttle.maxUncounted == 10)
            try await users.pool.withConnection {
                try Self.fill(10_000, lastAt: users.clock.now - 1000, on: $0)
            }
            var counts: [Int] = []
            for number in 0..<11 {
                _ = try await throttle.wait([.mail("\(number)")], now: users.clock.now)
                counts.append(try await users.count("SELECT count(*) FROM throttles"))
            }
            #expect(counts == Array(10_001...10_009) + [10_000, 10_001])
        }
    }

    private static func fill(_ count: Int, lastAt: Int64, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            INSERT INTO throttles SELECT int8send(n), 1, '-infinity', \(PostgresTimestamp(ms: lastAt))
            FROM generate_series(1, \(count)) AS n
            """)
    }
}
