import Core
import HTTPTypes
import Platform
import Storage

/// The database's copies of events: made when one is first asked for, and again when it has changed.
actor EventCopies {
    /// Events whose copy is known to be there, and ids that are known to be no event's.
    static let maxKnown = 10_000
    /// Fetched at the same time; others are told to come again.
    static let maxFetches = 8
    /// For so long an id that is no event's is not asked for again.
    static let unknownMs: Int64 = 5_000

    private let source: CatalogueSource
    private let postgres: PostgresPool
    private let clock: @Sendable () -> Int64
    private var copied: Set<String> = []
    private var unknown: [String: Int64] = [:]
    private var lookingUp: [String: Task<Bool, any Error>] = [:]
    private var fetching: [String: Task<Bool, any Error>] = [:]

    init(source: CatalogueSource, postgres: PostgresPool, clock: @escaping @Sendable () -> Int64) {
        self.source = source
        self.postgres = postgres
        self.clock = clock
    }

    /// Returns once there is a copy.
    ///
    /// - Throws: 404 where there is no such event.
    func require(_ eventId: String) async throws {
        if copied.contains(eventId) { return }
        if let since = unknown[eventId], abs(clock() - since) < Self.unknownMs { throw Self.notFound }
        guard try await isThere(eventId) else {
            if unknown.count >= Self.maxKnown { unknown = [:] }
            unknown[eventId] = clock()
            throw Self.notFound
        }
        if copied.count >= Self.maxKnown { copied = [] }
        copied.insert(eventId)
        unknown[eventId] = nil
    }

    /// Whether there is a copy, made now where there was none. Looked up by one for all who ask meanwhile.
    private func isThere(_ eventId: String) async throws -> Bool {
        if let task = lookingUp[eventId] { return try await task.value }
        let task = Task {
            let isThere = try await postgres.withConnection {
                try !$0.query("SELECT FROM events WHERE event_id = \(eventId)").isEmpty
            }
            return try await isThere ? true : copy(eventId)
        }
        lookingUp[eventId] = task
        defer { lookingUp[eventId] = nil }
        return try await task.value
    }

    /// Copies it anew; false where Events doesn't know it. Whoever asks while it is fetched waits for the same.
    func copy(_ eventId: String) async throws -> Bool {
        if let task = fetching[eventId] { return try await task.value }
        guard fetching.count < Self.maxFetches else { throw Problem.overloaded }
        let task = Task { [source, postgres, clock] in
            let asked = clock()
            guard let event = try await source.event(eventId) else { return false }
            try await postgres.withConnection { connection in
                try connection.transaction { try Self.store(event, askedAt: asked, on: $0) }
            }
            return true
        }
        fetching[eventId] = task
        defer { fetching[eventId] = nil }
        return try await task.value
    }

    /// Events that `event.upserted` told of after their copy was asked for: copied again, some at a time.
    ///
    /// - Returns: how many there were.
    func copyStale() async throws -> Int {
        let stale = try await postgres.withConnection { connection in
            try connection.query(
                """
                SELECT event_id FROM events WHERE stale_since IS NOT NULL ORDER BY event_id LIMIT \(Self.maxFetches)
                """
            ).map { try $0.get(0, as: String.self) }
        }
        for eventId in stale where try await !copy(eventId) {
            // Events has it no more. What was sold of it stays sold.
            try await postgres.withConnection {
                _ = try $0.execute(
                    "UPDATE events SET stale_since = NULL, status = 'closed' WHERE event_id = \(eventId)")
            }
        }
        return stale.count
    }

    static let notFound = Problem(.notFound, "not_found", detail: "there is no such event")

    // MARK: Rows

    /// A message may be on its way while the change that it tells of is copied already: clocks may be so far apart.
    static let leewayMs: Int64 = 60_000

    /// Remembers that these events have changed. In the transaction that takes the messages.
    static func markStale(_ messages: [Message], on connection: PostgresConnection) throws {
        var changed: [String: Int64] = [:]
        for message in messages {
            guard case .eventUpserted(let body) = message.body else { continue }
            changed[body.eventId] = max(changed[body.eventId] ?? 0, message.occurredAt)
        }
        guard !changed.isEmpty else { return }
        let sorted = changed.sorted { $0.key < $1.key }
        try connection.execute(
            """
            UPDATE events e SET stale_since = greatest(e.stale_since, t.occurred)
            FROM unnest(\(sorted.map(\.key)), \(sorted.map { PostgresTimestamp(ms: $0.value) })) AS t (event, occurred)
            WHERE e.event_id = t.event AND t.occurred + make_interval(secs => \(Double(leewayMs) / 1000)) >= e.copied_at
            """)
    }

    /// Writes what Events says, unless a newer copy is there. Seats that the layout has lost stay for those who have
    /// them, and are offered no more.
    static func store(_ event: CatalogueEvent, askedAt: Int64, on connection: PostgresConnection) throws {
        let rows = try connection.query(
            """
            INSERT INTO events AS e (event_id, title, artist_id, status, sales_open_at, sales_close_at, starts_at,
                currency, max_seats, needs_admission, version, copied_at, canceling)
            VALUES (\(event.id), \(event.title), \(event.artistId), \(event.status.rawValue),
                \(PostgresTimestamp(ms: event.salesOpenAt)), \(PostgresTimestamp(ms: event.salesCloseAt)),
                \(PostgresTimestamp(ms: event.startsAt)), \(event.currency), \(Int32(event.maxSeatsPerBuyer)),
                \(event.needsAdmission), \(event.version), \(PostgresTimestamp(ms: askedAt)),
                \(event.status == .canceled))
            ON CONFLICT (event_id) DO UPDATE SET title = EXCLUDED.title, artist_id = EXCLUDED.artist_id,
                status = EXCLUDED.status, sales_open_at = EXCLUDED.sales_open_at,
                sales_close_at = EXCLUDED.sales_close_at, starts_at = EXCLUDED.starts_at,
                currency = EXCLUDED.currency, max_seats = EXCLUDED.max_seats,
                needs_admission = EXCLUDED.needs_admission, version = EXCLUDED.version,
                copied_at = EXCLUDED.copied_at, canceling = EXCLUDED.canceling,
                stale_since = CASE WHEN e.stale_since <= EXCLUDED.copied_at THEN NULL ELSE e.stale_since END
            WHERE e.version <= EXCLUDED.version
            RETURNING stale_since
            """)
        guard !rows.isEmpty else {
            // Ours is newer than what was asked for. What changed after the asking is still to be copied.
            try connection.execute(
                """
                UPDATE events SET stale_since = NULL
                WHERE event_id = \(event.id) AND stale_since <= \(PostgresTimestamp(ms: askedAt))
                """)
            return
        }
        let seats = event.seats.enumerated().sorted { $0.element.id < $1.element.id }
        try connection.execute(
            """
            INSERT INTO seats AS s (event_id, seat_id, position, section, "row", number, price)
            SELECT \(event.id), t.* FROM unnest(\(seats.map(\.element.id)), \(seats.map { Int32($0.offset) }),
                \(seats.map(\.element.section)), \(seats.map(\.element.row)), \(seats.map(\.element.number)),
                \(seats.map(\.element.price))) AS t
            ON CONFLICT (event_id, seat_id) DO UPDATE SET position = EXCLUDED.position, section = EXCLUDED.section,
                "row" = EXCLUDED."row", number = EXCLUDED.number, price = EXCLUDED.price, is_offered = true
            WHERE (s.position, s.section, s."row", s.number, s.price, s.is_offered)
                IS DISTINCT FROM (EXCLUDED.position, EXCLUDED.section, EXCLUDED."row", EXCLUDED.number, EXCLUDED.price, true)
            """)
        try connection.execute(
            """
            UPDATE seats SET is_offered = false
            WHERE event_id = \(event.id) AND is_offered AND NOT seat_id = ANY (\(seats.map(\.element.id)))
            """)
    }
}
