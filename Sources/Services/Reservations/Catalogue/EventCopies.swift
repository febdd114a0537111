import Core
import HTTPTypes
import Logging
import Platform
import Storage

/// The database's copies of events: made when one is first asked for, and again when it has changed.
actor EventCopies {
    /// Events whose copy is known to be there, and ids that are known to be no event's.
    static let maxKnown = 10_000
    /// Ids looked up in the database at the same time, and those being fetched among them; others are told to come again.
    static let maxLookups = 64
    /// Fetched at the same time, of events that Events has told of. With guesses and a change that makes eight, as many
    /// as the HTTP client has connections to one server.
    static let maxFetches = 5
    /// The same of ids that it hasn't told of: anybody can make them up, and they take nothing from the others.
    static let maxGuesses = 2
    /// Copied again in one step.
    static let maxStale = 8
    /// How long an event that could not be copied again waits: twice as long each time.
    static let retryMs: ClosedRange<Int64> = 1_000...60_000
    /// For so long an id that is no event's is not asked for again.
    static let unknownMs: Int64 = 5_000

    /// Who wants an event fetched.
    enum Asker {
        /// It has changed. One after the other: these don't wait behind anybody.
        case change
        /// Somebody, about an event that Events has told of.
        case buyer
        /// Somebody, about an id that may be no event's.
        case guess
    }

    /// What Events has said: it is copied by then, where there is such an event.
    struct Answer {
        let isThere: Bool
        /// How often the event had been told of before it was asked for.
        let told: Int64
    }

    private struct Fetch {
        let asker: Asker
        let task: Task<Answer, any Error>
    }

    private let source: CatalogueSource
    private let postgres: PostgresPool
    private let clock: @Sendable () -> Int64
    private var copied: Set<String> = []
    private var unknown: [String: Int64] = [:]
    private var lookingUp: [String: Task<Bool, any Error>] = [:]
    private var fetching: [String: Fetch] = [:]

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
        guard lookingUp.count < Self.maxLookups else { throw Problem.overloaded }
        let task = Task {
            let (isThere, isAnnounced) = try await postgres.withConnection { connection in
                let row = try connection.query(Self.lookup(eventId))[0]
                return (try row.get(0, as: Bool.self), try row.get(1, as: Bool.self))
            }
            return try await isThere ? true : copy(eventId, for: isAnnounced ? .buyer : .guess).isThere
        }
        lookingUp[eventId] = task
        defer { lookingUp[eventId] = nil }
        return try await task.value
    }

    static func lookup(_ eventId: String) -> SQL {
        """
        SELECT EXISTS (SELECT FROM events WHERE event_id = \(eventId)),
            EXISTS (SELECT FROM announced_events WHERE event_id = \(eventId))
        """
    }

    /// Copies it anew. Whoever asks while it is fetched waits for the same.
    @discardableResult
    func copy(_ eventId: String, for asker: Asker = .change) async throws -> Answer {
        if let fetch = fetching[eventId] { return try await fetch.task.value }
        let fetches = fetching.values.count { $0.asker == asker }
        switch asker {
        case .change: break
        case .buyer: guard fetches < Self.maxFetches else { throw Problem.overloaded }
        case .guess: guard fetches < Self.maxGuesses else { throw Problem.overloaded }
        }
        let task = Task { [source, postgres, clock] in
            let told = try await postgres.withConnection { try Self.told(of: eventId, on: $0) }
            let asked = clock()
            guard let event = try await source.event(eventId) else { return Answer(isThere: false, told: told) }
            try await postgres.withConnection { connection in
                try connection.transaction { try Self.store(event, told: told, askedAt: asked, on: $0) }
            }
            return Answer(isThere: true, told: told)
        }
        fetching[eventId] = Fetch(asker: asker, task: task)
        defer { fetching[eventId] = nil }
        return try await task.value
    }

    /// Copies again what `event.upserted` told of, some at a time. What can't be copied
    /// waits for a while, and stops none of the others.
    ///
    /// - Returns: how many were copied.
    func copyStale() async throws -> Int {
        let now = clock()
        let stale = try await postgres.withConnection { connection in
            try connection.query(Self.stale(now)).map { row in
                (id: try row.get(0, as: String.self), told: try row.get(1, as: Int64.self))
            }
        }
        var copied = 0
        for (eventId, told) in stale {
            let answer: Answer
            do {
                answer = try await copy(eventId)
                copied += 1
            } catch {
                if error is CancellationError { throw error }
                // What the source throws it has told of.
                if !(error is Problem) {
                    source.logger.warning(
                        "an event could not be copied", metadata: ["event": "\(eventId)", "error": "\(error)"])
                }
                try await change { [now = clock()] in try Self.postpone(eventId, told: told, now: now, on: $0) }
                continue
            }
            guard !answer.isThere else { continue }
            try await change { [now = clock()] in try Self.close(eventId, told: answer.told, now: now, on: $0) }
        }
        return copied
    }

    private func change(_ body: @escaping @Sendable (PostgresConnection) throws -> Void) async throws {
        try await postgres.withConnection { connection in try connection.transaction { try body($0) } }
    }

    static func stale(_ now: Int64) -> SQL {
        """
        SELECT event_id, coalesce((SELECT a.told FROM announced_events a WHERE a.event_id = e.event_id), 0)
        FROM events e WHERE stale_since IS NOT NULL AND copy_due_at <= \(PostgresTimestamp(ms: now))
        ORDER BY copy_due_at, event_id LIMIT \(maxStale)
        """
    }

    static let notFound = Problem(.notFound, "not_found", detail: "there is no such event")
}
