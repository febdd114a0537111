import HTTPTypes
import Platform
import Storage

/// Counts attempts in the database, for all processes together.
struct Throttle: Sendable {
    let pool: PostgresPool

    /// Counts an attempt with each key, or none.
    ///
    /// - Throws: 429 with the longest of their waits.
    func take(_ keys: [ThrottleKey], now: Int64) async throws {
        let wait = try await pool.withConnection { connection in
            try connection.transaction { try Self.take(keys, now: now, on: $0) }
        }
        guard wait > 0 else { return }
        throw Problem(
            .tooManyRequests, "too_many_attempts", detail: "too many attempts; wait before the next one",
            retryAfterSeconds: Int((wait + 999) / 1000))
    }

    /// In a transaction. Rows are locked in the order of their keys. An attempt that has to wait writes nothing, so that
    /// whoever keeps knocking costs no more than a look.
    ///
    /// - Returns: milliseconds to wait; 0 where the attempt was counted.
    static func take(_ keys: [ThrottleKey], now: Int64, on connection: PostgresConnection) throws -> Int64 {
        let seen = wait(try rows(of: keys, on: connection), now: now)
        guard seen == 0 else { return seen }
        let rows = try locked(keys, now: now, on: connection)
        // Another may have been counted meanwhile.
        let wait = wait(rows, now: now)
        guard wait == 0 else { return wait }
        let isBesieged = rows.contains { row in
            guard case .siege = row.key else { return false }
            return row.state.attempts(now: now, row.key.policy()) >= ThrottleKey.maxAttemptsInPeace
        }
        try store(
            rows.map { row in
                var state = row.state
                state.count(row.key.policy(isBesieged: isBesieged), now: now)
                return (row.key, state)
            }, on: connection)
        return 0
    }

    private static func wait(_ rows: [Row], now: Int64) -> Int64 {
        rows.reduce(0) { max($0, $1.state.wait(now: now)) }
    }

    /// Takes the attempt back.
    func forgive(_ keys: [ThrottleKey], now: Int64) async throws {
        try await pool.withConnection { connection in
            try connection.transaction { connection in
                try Self.store(
                    try Self.locked(keys, now: now, on: connection).map { row in
                        var state = row.state
                        state.forgive(now: now)
                        return (row.key, state)
                    }, on: connection)
            }
        }
    }

    private typealias Row = (key: ThrottleKey, state: ThrottleState)

    private static func locked(_ keys: [ThrottleKey], now: Int64, on connection: PostgresConnection) throws -> [Row] {
        let hashes = keys.map(\.hash).sorted { $0.lexicographicallyPrecedes($1) }
        try connection.execute(
            """
            INSERT INTO throttles (key, attempts, open_at, last_at)
            SELECT key, 0, '-infinity', \(PostgresTimestamp(ms: now)) FROM unnest(\(hashes)) AS key ORDER BY key
            ON CONFLICT (key) DO NOTHING
            """)
        return try rows(of: keys, isLocked: true, on: connection)
    }

    private static func rows(
        of keys: [ThrottleKey], isLocked: Bool = false, on connection: PostgresConnection
    ) throws -> [Row] {
        let hashed = keys.map { (hash: $0.hash, key: $0) }
        let rows = try connection.query(
            """
            SELECT key, attempts, open_at, last_at FROM throttles WHERE key = ANY(\(hashed.map(\.hash)))
            ORDER BY key \(unescaped: isLocked ? "FOR UPDATE" : "")
            """)
        return try rows.compactMap { row in
            let hash: [UInt8] = try row.get(0)
            guard let key = hashed.first(where: { $0.hash == hash })?.key else { return nil }
            let state = ThrottleState(
                attempts: try row.get(1), openAt: try row.get(2, as: PostgresTimestamp.self).ms,
                lastAt: try row.get(3, as: PostgresTimestamp.self).ms)
            return (key, state)
        }
    }

    private static func store(_ rows: [Row], on connection: PostgresConnection) throws {
        for row in rows {
            try connection.execute(
                """
                UPDATE throttles SET attempts = \(row.state.attempts)::bigint::integer,
                    open_at = \(PostgresTimestamp(ms: row.state.openAt)),
                    last_at = \(PostgresTimestamp(ms: row.state.lastAt))
                WHERE key = \(row.key.hash)
                """)
        }
    }
}
