import Storage

/// Keeps `event_search` in step with the catalogue. Called in the transaction of the change, which holds the event's,
/// artist's and venue's rows.
enum SearchIndex {
    /// Events whose texts are in memory at a time.
    static let maxPage = 500

    static func refresh(event id: String, on connection: PostgresConnection) throws {
        try connection.execute("DELETE FROM event_search WHERE event_id = \(id)")
        try write(try connection.query(select("e.id = \(id)")), on: connection)
    }

    /// All events of an artist or a venue whose name changed.
    static func refresh(eventsWhere condition: SQL, on connection: PostgresConnection) throws {
        var last = ""
        while true {
            let rows = try connection.query(
                select("(\(sql: condition)) AND e.id > \(last)") + " ORDER BY e.id LIMIT \(maxPage)")
            try write(rows, on: connection)
            guard rows.count == maxPage else { return }
            last = try rows[rows.count - 1].get(0)
        }
    }

    private static func select(_ condition: SQL) -> SQL {
        """
        SELECT e.id, e.starts_at, e.title, a.name, coalesce(v.name, ''), e.description
        FROM events e JOIN artists a ON a.id = e.artist_id LEFT JOIN venues v ON v.id = e.venue_id
        WHERE e.canceled_at IS NULL AND \(sql: condition)
        """
    }

    private static func write(_ rows: PostgresRows, on connection: PostgresConnection) throws {
        for row in rows {
            let texts = SearchedTexts(
                title: try row.get(2), artist: try row.get(3), venue: try row.get(4), description: try row.get(5))
            try connection.execute(
                """
                INSERT INTO event_search (event_id, starts_at, title, head, whole, terms)
                VALUES (\(try row.get(0, as: String.self)), \(try row.get(1, as: PostgresTimestamp.self)),
                    \(texts.title), \(texts.head), \(texts.whole), array_to_tsvector(\(texts.terms)))
                ON CONFLICT (event_id) DO UPDATE SET starts_at = EXCLUDED.starts_at, title = EXCLUDED.title,
                    head = EXCLUDED.head, whole = EXCLUDED.whole, terms = EXCLUDED.terms
                """)
        }
    }
}
