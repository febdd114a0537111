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

    /// In a transaction. Rows are locked in the order of their keys.
    ///
    /// - Returns: milliseconds to wait; 0 where the attempt was counted.
    static func take(_ keys: [ThrottleKey], now: Int64, on connection: PostgresConnection) throws -> Int64 {
        var wait: Int64 = 0
        let rows = try locked(keys, now: now, on: connection)
        for row in rows { wait = max(wait, row.state.wait(now: now)) }
        guard wait == 0 else { return wait }
        try store(
            rows.map { row in
                var state = row.state
                state.count(row.key.policy, now: now)
                return (row.key, state)
            }, on: connection)
        return 0
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
        let hashed = keys.map { (hash: $0.hash, key: $0) }.sorted { $0.hash.lexicographicallyPrecedes($1.hash) }
        let hashes = hashed.map(\.hash)
        try connection.execute(
            """
            INSERT INTO throttles (key, attempts, open_at, last_at)
            SELECT key, 0, '-infinity', \(PostgresTimestamp(ms: now)) FROM unnest(\(hashes)) AS key ORDER BY key
            ON CONFLICT (key) DO NOTHING
            """)
        let rows = try connection.query(
            """
            SELECT key, attempts, open_at, last_at FROM throttles WHERE key = ANY(\(hashes)) ORDER BY key FOR UPDATE
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
