import HTTPTypes
import Platform
import Storage
import Synchronization

/// Counts attempts in the database, for all processes together.
///
/// Each key that is tried is a row, and strangers choose keys. A row goes an hour after its last attempt (`Sweep`); beyond
/// `maxRows` those go whose last attempt is longest ago, so that a flood makes nobody wait, and is forgotten first where it
/// is oldest.
final class Throttle: Sendable {
    /// In the database, but for what has been added since it was counted: `maxUncounted` of each process.
    static let defaultMaxRows = 1_000_000

    let maxRows: Int
    /// Rows that this process adds until all are counted again: counting takes as long as there are many.
    var maxUncounted: Int { max(1, maxRows / 1000) }
    private let pool: PostgresPool
    private let uncounted = Mutex(0)

    init(pool: PostgresPool, maxRows: Int = Throttle.defaultMaxRows) {
        self.pool = pool
        self.maxRows = maxRows
    }

    /// Counts an attempt with each key, or none.
    ///
    /// - Throws: 429 with the longest of their waits.
    func take(_ keys: [ThrottleKey], now: Int64) async throws {
        let wait = try await wait(keys, now: now)
        guard wait > 0 else { return }
        throw Problem(
            .tooManyRequests, "too_many_attempts", detail: "too many attempts; wait before the next one",
            retryAfterSeconds: Int((wait + 999) / 1000))
    }

    /// Counts an attempt with each key, or none.
    ///
    /// - Returns: milliseconds to wait; 0 where the attempt was counted.
    func wait(_ keys: [ThrottleKey], now: Int64) async throws -> Int64 {
        let wait = try await pool.withConnection { connection in
            try connection.transaction { try self.take(keys, now: now, on: $0) }
        }
        let isDue = uncounted.withLock { uncounted in
            guard uncounted >= maxUncounted else { return false }
            uncounted = 0
            return true
        }
        if isDue { _ = try await pool.withConnection { try self.trim(on: $0) } }
        return wait
    }

    /// Deletes rows beyond `maxRows`, of the oldest, `Sweep.maxRows` and what was added since the last time at most.
    ///
    /// - Returns: how many went.
    func trim(on connection: PostgresConnection) throws -> Int {
        let maxDeleted = Sweep.maxRows + maxUncounted
        return try connection.execute(
            """
            DELETE FROM throttles WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM throttles ORDER BY last_at
                LIMIT least(\(maxDeleted), greatest(0, (SELECT count(*) FROM throttles) - \(maxRows)))
                FOR UPDATE SKIP LOCKED))
            """)
    }

    /// In a transaction. Rows are locked in the order of their keys. An attempt that has to wait writes nothing, so that
    /// whoever keeps knocking costs no more than a look.
    ///
    /// - Returns: milliseconds to wait; 0 where the attempt was counted.
    func take(_ keys: [ThrottleKey], now: Int64, on connection: PostgresConnection) throws -> Int64 {
        let seen = Self.wait(try Self.rows(of: keys, on: connection), now: now)
        guard seen == 0 else { return seen }
        let rows = try locked(keys, now: now, on: connection)
        // Another may have been counted meanwhile.
        let wait = Self.wait(rows, now: now)
        guard wait == 0 else { return wait }
        let (isBesieged, isCrowded) = Self.alarms(rows, now: now)
        try Self.store(
            rows.map { row in
                var state = row.state
                state.count(row.key.policy(isBesieged: isBesieged, isCrowded: isCrowded), now: now)
                return (row.key, state)
            }, on: connection)
        return 0
    }

    private static func alarms(_ rows: [Row], now: Int64) -> (isBesieged: Bool, isCrowded: Bool) {
        var alarms = (isBesieged: false, isCrowded: false)
        for (key, state) in rows {
            let attempts = state.attempts(now: now, key.policy())
            switch key {
            case .siege: alarms.isBesieged = attempts >= ThrottleKey.maxAttemptsInPeace
            case .network(let use, _): alarms.isCrowded = attempts >= use.maxAttemptsOfNetwork
            default: break
            }
        }
        return alarms
    }

    private static func wait(_ rows: [Row], now: Int64) -> Int64 {
        rows.reduce(0) { max($0, $1.state.wait(now: now)) }
    }

    /// Takes the attempt back.
    func forgive(_ keys: [ThrottleKey], now: Int64) async throws {
        try await pool.withConnection { connection in
            try connection.transaction { connection in
                try Self.store(
                    try self.locked(keys, now: now, on: connection).map { row in
                        var state = row.state
                        state.forgive(now: now)
                        return (row.key, state)
                    }, on: connection)
            }
        }
    }

    private typealias Row = (key: ThrottleKey, state: ThrottleState)

    private func locked(_ keys: [ThrottleKey], now: Int64, on connection: PostgresConnection) throws -> [Row] {
        let hashes = keys.map(\.hash).sorted { $0.lexicographicallyPrecedes($1) }
        // What is there is locked, and nothing else: nobody deletes it before it is read.
        let added = try connection.execute(
            """
            INSERT INTO throttles (key, attempts, open_at, last_at)
            SELECT key, 0, '-infinity', \(PostgresTimestamp(ms: now)) FROM unnest(\(hashes)) AS key ORDER BY key
            ON CONFLICT (key) DO UPDATE SET key = excluded.key WHERE false
            """)
        uncounted.withLock { $0 += added }
        return try Self.rows(of: keys, on: connection)
    }

    private static func rows(of keys: [ThrottleKey], on connection: PostgresConnection) throws -> [Row] {
        let hashed = keys.map { (hash: $0.hash, key: $0) }
        let rows = try connection.query(
            "SELECT key, attempts, open_at, last_at FROM throttles WHERE key = ANY(\(hashed.map(\.hash)))")
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
        try connection.execute(
            """
            UPDATE throttles SET attempts = new.attempts, open_at = new.open_at, last_at = new.last_at
            FROM unnest(\(rows.map(\.key.hash)), \(rows.map { Int32($0.state.attempts) }),
                \(rows.map { PostgresTimestamp(ms: $0.state.openAt) }),
                \(rows.map { PostgresTimestamp(ms: $0.state.lastAt) })) AS new (key, attempts, open_at, last_at)
            WHERE throttles.key = new.key
            """)
    }
}
