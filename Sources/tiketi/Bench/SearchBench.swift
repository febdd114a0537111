import EventService
import Foundation
import Platform
import Storage

/// Search for events, by the service's own code and without its cache, beside what Postgres offers by itself on the same
/// rows.
struct SearchBench {
    static let events = 100_000
    static let maxPage = 20
    /// Of each kind. The slow peers are asked less often.
    static let questions = 400
    static let peerQuestions = 10
    private static let pieces = 5_000

    let seed: UInt64

    func run(_ progress: (String) -> Void) async throws -> BenchReport {
        try await BenchStage.with { stage in
            let database = try Settings(environment: stage.settings).database("EVENTS_DATABASE_URL")
            let pool = PostgresPool(database, connections: 1, logger: stage.logger)
            do {
                let report = try await measure(pool, progress)
                await pool.shutdown()
                return report
            } catch {
                await pool.shutdown()
                throw error
            }
        }
    }

    private func measure(_ pool: PostgresPool, _ progress: (String) -> Void) async throws -> BenchReport {
        _ = try await Migrator(.events).migrate(pool)
        let now = ProcessSettings.clock()
        var synthetic = SyntheticEvents(seed: seed)
        progress("loading \(grouped(Self.events)) events")
        try await load(&synthetic, now, pool)
        let words = try await SearchVocabulary(pool, clock: { now }).read()
        var report = BenchReport(
            name: "search",
            conditions:
                "\(grouped(Self.events)) events, half of them with '\(SyntheticEvents.commonWord)'; the first \(Self.maxPage) with all that is told of them, one after the other on one connection, uncached; \(Self.questions) questions of each kind (\(Self.peerQuestions) for peers, which find ids alone)"
        )
        var all = Latencies()
        var peers: [Peer: Latencies] = [:]
        for kind in Kind.allCases {
            progress("searching: \(kind.rawValue)")
            let texts = (0..<Self.questions).map { _ in kind.text(&synthetic) }
            let own = try await latencies(texts, pool) { text, connection in
                let found = try EventSearch.find(
                    SearchQuery(text, keywords: words.keywords), words: words, now: now, after: nil,
                    limit: Self.maxPage, on: connection)
                return try EventService.events(found.ids, on: connection).count
            }
            all.merge(own)
            var beside: [Figure.Peer] = []
            for peer in Peer.allCases {
                let theirs = try await latencies(Array(texts.prefix(Self.peerQuestions)), pool) { text, connection in
                    try connection.query(peer.query(text, now)).count
                }
                peers[peer, default: Latencies()].merge(theirs)
                beside.append(.init("\(peer.rawValue), this run", theirs.milliseconds(0.99)))
            }
            report.figures += [
                Figure("\(kind.rawValue): p50", own.milliseconds(0.5), "ms", better: .lower),
                Figure("  p99", own.milliseconds(0.99), "ms", better: .lower, peers: beside),
            ]
        }
        report.figures += [
            Figure("all: p50", all.milliseconds(0.5), "ms", better: .lower),
            Figure(
                "  p99", all.milliseconds(0.99), "ms", better: .lower,
                peers: Peer.allCases.map { .init("\($0.rawValue), this run", peers[$0]!.milliseconds(0.99)) }),
        ]
        return report
    }

    private enum Kind: String, CaseIterable {
        case artist = "an artist's name"
        case artistAndCommon = "an artist and a word that half have"
        case common = "a word that half have"
        case cityAndCommon = "a city and a word that half have"
        case word = "a word of titles and descriptions"
        case twoWords = "two words"
        case nothing = "what none has"

        func text(_ synthetic: inout SyntheticEvents) -> String {
            switch self {
            case .artist: synthetic.artists[synthetic.artist()]
            case .artistAndCommon: "\(synthetic.artists[synthetic.artist()]) \(SyntheticEvents.commonWord)"
            case .common: SyntheticEvents.commonWord
            case .cityAndCommon: "\(synthetic.city()) \(SyntheticEvents.commonWord)"
            case .word: synthetic.word()
            case .twoWords: "\(synthetic.word()) \(synthetic.word())"
            case .nothing: "\(synthetic.word())뷁뛟"
            }
        }
    }

    private enum Peer: String, CaseIterable {
        case scan = "ILIKE, sequential scan"
        case trigrams = "ILIKE, pg_trgm GIN"

        /// The same rows, the nearest first; without ranking by where the words stand.
        func query(_ text: String, _ now: Int64) -> SQL {
            let table = self == .scan ? "peer_scan" : "peer_trigrams"
            var condition: SQL = "true"
            for word in text.split(separator: " ") { condition = condition + " AND whole ILIKE \("%\(word)%")" }
            let instant = PostgresTimestamp(ms: now)
            return """
                SELECT event_id FROM \(unescaped: table) WHERE \(sql: condition)
                ORDER BY starts_at < \(instant), abs(extract(epoch FROM starts_at - \(instant))) LIMIT \(SearchBench.maxPage)
                """
        }
    }

    private func latencies(
        _ texts: [String], _ pool: PostgresPool,
        _ ask: @escaping @Sendable (String, PostgresConnection) throws -> Int
    ) async throws -> Latencies {
        try await pool.withConnection { connection in
            // So that what is prepared is.
            for text in texts.prefix(texts.count / 10) { _ = try ask(text, connection) }
            var latencies = Latencies()
            for text in texts {
                let start = ContinuousClock.now
                _ = try ask(text, connection)
                latencies.add(ns: UInt64((ContinuousClock.now - start).inSeconds * 1e9))
            }
            return latencies
        }
    }

    private func load(_ synthetic: inout SyntheticEvents, _ now: Int64, _ pool: PostgresPool) async throws {
        let artists = synthetic.artists
        try await pool.withConnection { connection in
            try connection.run(
                script: """
                    CREATE EXTENSION pg_trgm;
                    CREATE TABLE peer_scan (event_id text, starts_at timestamptz, whole text);
                    CREATE TABLE loading (id text, title text, artist text, description text, starts_at timestamptz,
                        search_title text, head text, whole text, terms text[]);
                    """)
            try connection.execute(
                """
                INSERT INTO artists (id, name, updated_at)
                SELECT 'artist-' || n, name, now() FROM unnest(\(artists)) WITH ORDINALITY AS a (name, n)
                """)
        }
        for first in stride(from: 0, to: Self.events, by: Self.pieces) {
            let rows: [[any PostgresEncodable]] = (first..<(first + Self.pieces)).map { number in
                let event = synthetic.event(number, now: now)
                let texts = SearchedTexts(
                    title: event.title, artist: artists[event.artist], venue: "", description: event.description)
                return [
                    event.id, event.title, "artist-\(event.artist + 1)", event.description,
                    PostgresTimestamp(ms: event.startsAt), texts.title, texts.head, texts.whole, texts.terms,
                ]
            }
            try await pool.withConnection { connection in
                _ = try connection.copyIn(
                    "loading",
                    columns: [
                        "id", "title", "artist", "description", "starts_at", "search_title", "head", "whole", "terms",
                    ], rows: rows)
            }
        }
        try await pool.withConnection { connection in
            try connection.withStatementTimeout(.zero) {
                try connection.run(
                    script: """
                        INSERT INTO events (id, title, description, artist_id, starts_at, sales_open_at, sales_close_at,
                            currency, max_seats_per_buyer, needs_admission, taxable, created_at, updated_at)
                        SELECT id, title, description, artist, starts_at, starts_at - INTERVAL '30 days', starts_at,
                            'KRW', 4, false, true, now(), now() FROM loading;
                        INSERT INTO event_search
                        SELECT id, starts_at, search_title, head, whole, array_to_tsvector(terms) FROM loading;
                        INSERT INTO peer_scan
                        SELECT l.id, l.starts_at, l.title || ' ' || a.name || ' ' || l.description
                        FROM loading l JOIN artists a ON a.id = l.artist;
                        CREATE TABLE peer_trigrams AS SELECT * FROM peer_scan;
                        CREATE INDEX ON peer_trigrams USING gin (whole gin_trgm_ops);
                        DROP TABLE loading;
                        """)
                for table in ["artists", "events", "event_search", "peer_scan", "peer_trigrams"] {
                    try connection.run(script: "VACUUM ANALYZE \(table)")
                }
            }
        }
    }
}
