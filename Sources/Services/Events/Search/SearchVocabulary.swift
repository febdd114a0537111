package import Storage
import Synchronization

/// What search knows of its words: other names for them, and which of them many events have.
///
/// Frequencies are those that Postgres keeps of the commonest terms (`pg_stats`), as of its last ANALYZE; a term that it
/// doesn't name is rare. They decide how a search is done, never what it finds first.
package final class SearchVocabulary: Sendable {
    /// Keywords that another process changed are known after so long.
    static let maxAgeMs: Int64 = 10_000

    package struct Words: Sendable {
        package var keywords = Keywords()
        /// Events that have the term.
        package var frequencies: [String: Double] = [:]
    }

    private struct State {
        var words: Words?
        var readAt: Int64 = 0
        var isReading = false
    }

    private let pool: PostgresPool
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())

    package init(_ pool: PostgresPool, clock: @escaping @Sendable () -> Int64) {
        self.pool = pool
        self.clock = clock
    }

    /// What is known; where that is old, it is read again meanwhile.
    package func words() async throws -> Words {
        let now = clock()
        let (known, isDue) = state.withLock { state in
            let isDue = !state.isReading && (state.words == nil || abs(now - state.readAt) >= Self.maxAgeMs)
            if isDue, state.words != nil { state.isReading = true }
            return (state.words, isDue)
        }
        guard let known else { return try await read() }
        if isDue {
            Task {
                _ = try? await read()
                state.withLock { $0.isReading = false }
            }
        }
        return known
    }

    /// Reads them from the database, now.
    @discardableResult
    package func read() async throws -> Words {
        let now = clock()
        let words = try await pool.withConnection { connection in
            let pairs = try connection.query(Self.keywordPairs).map {
                KeywordPair(korean: try $0.get(0), english: try $0.get(1))
            }
            var frequencies: [String: Double] = [:]
            for row in try connection.query(Self.commonTerms) { frequencies[try row.get(0)] = try row.get(1) }
            return Words(keywords: Keywords(pairs), frequencies: frequencies)
        }
        state.withLock { state in
            state.words = words
            state.readAt = now
        }
        return words
    }

    static let keywordPairs: SQL =
        "SELECT korean, english FROM search_keywords ORDER BY korean, english LIMIT \(KeywordPair.maxPairs)"

    /// After the terms' own, `most_common_elem_freqs` has the least, the greatest and that of NULL.
    private static let commonTerms: SQL = """
        SELECT term, frequency * (SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'event_search'::regclass)::float8
        FROM (SELECT most_common_elems::text::text[] AS terms, most_common_elem_freqs AS frequencies FROM pg_stats
            WHERE schemaname = current_schema AND tablename = 'event_search' AND attname = 'terms') s,
            unnest(terms, frequencies[:cardinality(terms)]) AS t (term, frequency)
        """
}
