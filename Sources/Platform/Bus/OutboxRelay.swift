package import Logging
package import Storage

/// Publishes a database's outbox to the message stream, and removes what every group has confirmed.
///
/// One relay of a database works at a time, under a lease; the others wait. A row stays until all groups have confirmed
/// its entry, so that a Redis that loses its memory loses no message: when the stream begins another life, all rows are
/// published again. An entry may thus come more than once; whoever reads keeps an inbox.
package struct OutboxRelay: Sendable {
    /// Rows published at a time.
    package static let maxBatch = 512
    /// Published rows that may wait for confirmation; beyond it the outbox keeps the rest, and Redis stays small.
    package static let maxUnconfirmed = 100_000
    /// For how long another relay waits for one that is gone.
    package static let leaseSeconds = 10
    static let idle = Duration.milliseconds(100)
    static let maxRetry = Duration.seconds(5)

    private let postgres: PostgresPool
    private let redis: RedisPool
    private let groups: [MessageGroup]
    private let maxUnconfirmed: Int
    private let leaseSeconds: Int
    private let holder = "\(UInt64.random(in: 0 ... .max))"
    private let logger: Logger

    /// - Parameter groups: whose confirmation a row waits for.
    package init(
        postgres: PostgresPool, redis: RedisPool, groups: [MessageGroup] = MessageGroup.allCases,
        maxUnconfirmed: Int = OutboxRelay.maxUnconfirmed, leaseSeconds: Int = OutboxRelay.leaseSeconds, logger: Logger
    ) {
        self.postgres = postgres
        self.redis = redis
        self.groups = groups
        self.maxUnconfirmed = maxUnconfirmed
        self.leaseSeconds = leaseSeconds
        self.logger = logger
    }

    /// Runs until the task is cancelled; what fails is tried again.
    package func run() async {
        var delay = Self.idle
        while !Task.isCancelled {
            do {
                let published = try await step()
                delay = Self.idle
                if published == Self.maxBatch { continue }
            } catch {
                if Task.isCancelled { return }
                if delay == Self.idle {
                    logger.warning("publishing messages failed; trying again", metadata: ["error": "\(error)"])
                }
                delay = min(delay * 2, Self.maxRetry)
            }
            try? await Task.sleep(for: delay)
        }
    }

    private struct Row: Sendable {
        var seq: Int64
        var fields: [(name: String, value: String)]
    }

    /// Publishes what waits, up to `maxBatch`, and removes what is confirmed.
    ///
    /// - Returns: how many were published; 0 also where another relay holds the lease.
    package func step() async throws -> Int {
        guard let (life, rows) = try await take() else { return 0 }
        let state = try await redis.withConnection { [groups] in try StreamState.read(groups: groups, on: $0) }
        guard state.life == life else {
            try await beginAnew(state.life, after: life)
            return 0
        }
        if !rows.isEmpty { BusCrashPoint.outboxTaken.reached() }
        let entries = try await redis.withConnection { connection in
            try MessageStream.publish(rows.map(\.fields), on: connection)
        }
        if !rows.isEmpty { BusCrashPoint.outboxPublished.reached() }
        try await record(rows.map(\.seq), entries, state)
        if !rows.isEmpty { BusCrashPoint.outboxRecorded.reached() }
        return rows.count
    }

    /// The lease, and with it the stream's life as it is known and the rows to publish; nil where another holds it.
    private func take() async throws -> (String, [Row])? {
        try await postgres.withConnection { [holder, maxUnconfirmed, leaseSeconds] connection in
            // Most steps find the lease good for a while: those write nothing.
            var leases = try connection.query(
                """
                SELECT stream_life FROM outbox_relay
                WHERE holder = \(holder) AND held_until > now() + make_interval(secs => \(leaseSeconds / 2))
                """)
            if leases.isEmpty {
                leases = try connection.query(
                    """
                    UPDATE outbox_relay SET holder = \(holder), held_until = now() + make_interval(secs => \(leaseSeconds))
                    WHERE holder = \(holder) OR held_until < now() RETURNING stream_life
                    """)
            }
            guard let life = try leases.first?.get(0, as: String.self) else { return nil }
            let rows = try connection.query(
                """
                SELECT seq, message_id, type, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), data
                FROM outbox WHERE entry_ms IS NULL
                    AND (SELECT count(*) FROM (SELECT FROM outbox WHERE entry_ms IS NOT NULL LIMIT \(maxUnconfirmed)) p)
                        < \(maxUnconfirmed)
                ORDER BY seq LIMIT \(Self.maxBatch)
                """
            ).map { row in
                Row(
                    seq: try row.get(0),
                    fields: [
                        ("id", try row.get(1)), ("type", try row.get(2)), ("occurredAt", try row.get(3)),
                        ("data", try row.get(4)),
                    ])
            }
            return (life, rows)
        }
    }

    /// What was published in another life may be lost.
    private func beginAnew(_ life: String, after old: String) async throws {
        let again = try await postgres.withConnection { [holder] connection in
            try connection.transaction { connection in
                let isOurs = try connection.execute(
                    "UPDATE outbox_relay SET stream_life = \(life) WHERE holder = \(holder) AND stream_life = \(old)")
                guard isOurs == 1 else { return 0 }
                return try connection.execute(
                    "UPDATE outbox SET entry_ms = NULL, entry_seq = NULL WHERE entry_ms IS NOT NULL")
            }
        }
        if again > 0 {
            logger.notice(
                "the message stream began anew: what is unconfirmed is published again",
                metadata: ["messages": "\(again)"]
            )
        }
    }

    private func record(_ seqs: [Int64], _ entries: [EntryID], _ state: StreamState) async throws {
        let confirmed = state.confirmed(by: groups)
        guard !seqs.isEmpty || confirmed != nil else { return }
        try await postgres.withConnection { [holder] connection in
            // The groups have nearly always confirmed something, and most of the times it is removed already: nothing is
            // locked or written for it then.
            guard try !seqs.isEmpty || Self.isAny(confirmed, on: connection) else { return }
            try connection.transaction { connection in
                // Whoever took the lease meanwhile may have begun another life.
                let held = try connection.query(
                    """
                    SELECT FROM outbox_relay WHERE holder = \(holder) AND stream_life = \(state.life) FOR UPDATE
                    """)
                guard held.count == 1 else { return }
                if !seqs.isEmpty {
                    try connection.execute(
                        """
                        UPDATE outbox o SET entry_ms = e.ms, entry_seq = e.seq
                        FROM unnest(\(seqs), \(entries.map(\.milliseconds)), \(entries.map(\.sequence)))
                            AS e (row, ms, seq)
                        WHERE o.seq = e.row
                        """)
                }
                if let confirmed {
                    try connection.execute(
                        """
                        DELETE FROM outbox
                        WHERE (entry_ms, entry_seq) <= (\(confirmed.milliseconds), \(confirmed.sequence))
                        """)
                }
            }
        }
    }

    private static func isAny(_ confirmed: EntryID?, on connection: PostgresConnection) throws -> Bool {
        guard let confirmed else { return false }
        return try !connection.query(
            """
            SELECT FROM outbox WHERE (entry_ms, entry_seq) <= (\(confirmed.milliseconds), \(confirmed.sequence)) LIMIT 1
            """
        ).isEmpty
    }
}
