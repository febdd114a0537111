package import Storage

/// Finds events by words, the best first: those to come before those that were; then by where the words stand, in the
/// title, in title and artist, or anywhere; then the nearest in time.
package enum EventSearch {
    /// Events that are ranked: of words that no more have, all are.
    package static let maxRanked = 2_000
    /// Where more have them, those that start next and those that started last are looked at, so many of each.
    package static let maxWalkedAhead = 1_250
    package static let maxWalkedBack = 250
    /// Where a walk finds fewer, the words don't stand together as often as each alone, and the index is asked.
    static let minWalked = 20

    /// Where an event stands in a search's answer.
    package struct Rank: Sendable, Equatable {
        package var isPast: Bool
        /// 0 title, 1 title and artist, 2 anywhere.
        package var tier: Int
        /// Milliseconds from now.
        package var distance: Int64
        package var id: String
    }

    package struct Found: Sendable, Equatable {
        package var ids: [String]
        /// Of the last one, where there are more.
        package var last: Rank?
    }

    /// - Parameters:
    ///   - now: milliseconds since 1970: that of the first page.
    ///   - after: the last of the page before.
    package static func find(
        _ query: SearchQuery, words: SearchVocabulary.Words, now: Int64, after: Rank?, limit: Int,
        on connection: PostgresConnection
    ) throws -> Found {
        guard !query.isEmpty else { return Found(ids: [], last: nil) }
        if query.estimate({ words.frequencies[$0] }) > Double(maxRanked) {
            let walked = try connection.query(page(query, walk(query, now), now, after, limit))
            // Counted before the page is cut, and the same for every page.
            if let row = walked.first, try row.get(4, as: Int64.self) >= Int64(minWalked) {
                return try found(walked, limit)
            }
            if walked.isEmpty, after != nil {
                let all = try connection.query(page(query, walk(query, now), now, nil, 1)).first
                if let all, try all.get(4, as: Int64.self) >= Int64(minWalked) { return Found(ids: [], last: nil) }
            }
        }
        return try connection.transaction { connection in
            // A table that is small, or of terms that it takes for common, Postgres would rather read whole.
            try connection.execute("SET LOCAL enable_seqscan = off")
            return try found(try connection.query(page(query, index(query, words), now, after, limit)), limit)
        }
    }

    private static func found(_ rows: PostgresRows, _ limit: Int) throws -> Found {
        let ranks = try rows.prefix(limit).map { row in
            Rank(
                isPast: try row.get(1), tier: Int(try row.get(2, as: Int32.self)), distance: try row.get(3),
                id: try row.get(0))
        }
        return Found(ids: ranks.map(\.id), last: rows.count > limit ? ranks.last : nil)
    }

    /// Rows that have the words, by the index on terms.
    static func index(_ query: SearchQuery, _ words: SearchVocabulary.Words) -> SQL {
        let terms = query.tsquery(common: Double(maxRanked)) { words.frequencies[$0] }
        return """
            SELECT event_id, starts_at, title, head FROM event_search
            WHERE terms @@ CAST(\(terms) AS tsquery) AND \(sql: query.condition(on: "whole")) LIMIT \(maxRanked)
            """
    }

    /// Rows that have the words among the nearest in time.
    static func walk(_ query: SearchQuery, _ now: Int64) -> SQL {
        """
        SELECT event_id, starts_at, title, head FROM (
            (SELECT event_id, starts_at, title, head, whole FROM event_search
            WHERE starts_at >= \(PostgresTimestamp(ms: now)) ORDER BY starts_at, event_id LIMIT \(maxWalkedAhead))
            UNION ALL
            (SELECT event_id, starts_at, title, head, whole FROM event_search
            WHERE starts_at < \(PostgresTimestamp(ms: now)) ORDER BY starts_at DESC, event_id DESC LIMIT \(maxWalkedBack))
        ) near WHERE \(sql: query.condition(on: "whole"))
        """
    }

    /// One more than the page has tells that there are more.
    static func page(_ query: SearchQuery, _ rows: SQL, _ now: Int64, _ after: Rank?, _ limit: Int) -> SQL {
        let instant = PostgresTimestamp(ms: now)
        var beyond: SQL = "true"
        if let after {
            beyond = """
                (is_past, tier, distance, event_id)
                    > (\(after.isPast), \(Int32(after.tier)), \(after.distance), \(after.id))
                """
        }
        return """
            SELECT event_id, is_past, tier, distance, found FROM (
                SELECT event_id, starts_at < \(instant) AS is_past,
                    CASE WHEN \(sql: query.condition(on: "title")) THEN 0
                        WHEN \(sql: query.condition(on: "head")) THEN 1 ELSE 2 END AS tier,
                    floor(abs(extract(epoch FROM starts_at - \(instant))) * 1000)::bigint AS distance,
                    count(*) OVER () AS found
                FROM (\(sql: rows)) rows
            ) ranked WHERE \(sql: beyond) ORDER BY is_past, tier, distance, event_id LIMIT \(limit + 1)
            """
    }
}
