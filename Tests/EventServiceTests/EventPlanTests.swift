import Core
import Platform
import Storage
import TestSupport
import Testing

@testable import EventService

/// The hot questions find their rows by an index, on tables large enough for a choice.
@Suite(.timeLimit(.minutes(5))) struct EventPlanTests {
    private func fill(_ pool: PostgresPool) async throws {
        try await pool.withConnection { connection in
            try connection.run(
                script: """
                    INSERT INTO artists (id, name, updated_at) SELECT 'a' || n, '아이유', now() FROM generate_series(1, 200) n;
                    INSERT INTO venues (id, name, updated_at) SELECT 'v' || n, '공원', now() FROM generate_series(1, 100) n;
                    INSERT INTO categories (id, name, updated_at) SELECT 'c' || n, '공연', now() FROM generate_series(1, 50) n;
                    INSERT INTO events (id, title, artist_id, venue_id, category_id, starts_at, sales_open_at, sales_close_at,
                        currency, max_seats_per_buyer, needs_admission, taxable, sold_out, canceled_at, created_at, updated_at)
                    SELECT 'e' || n, '밤', 'a' || 1 + n % 200, 'v' || 1 + n % 100, 'c' || 1 + n % 50, at,
                        at - INTERVAL '30 days', at, 'KRW', 4, false, true, n % 100 = 0,
                        CASE WHEN n % 101 = 0 THEN at END, now(), now()
                    FROM (SELECT n, TIMESTAMPTZ '2025-01-01Z' + n * INTERVAL '1 hour' AS at FROM generate_series(1, 20000) n) t;
                    INSERT INTO event_search SELECT id, starts_at, ' 밤 ', ' 밤  아이유 ', ' 밤  아이유 ',
                        array_to_tsvector(ARRAY['^밤', '아이', '이유', md5(id)]) FROM events;
                    ANALYZE;
                    """)
        }
    }

    private func plan(_ sql: SQL, _ pool: PostgresPool) async throws -> String {
        try await pool.withConnection { connection in
            try connection.query("EXPLAIN \(sql: sql)").map { try $0.get(0, as: String.self) }.joined(separator: "\n")
        }
    }

    @Test func listsWalkAnIndexInTheirOrder() async throws {
        try await withDatabase(of: .events) { _, pool in
            try await fill(pool)
            let now = Lab.start
            func list(_ change: (inout EventList) -> Void) -> EventList {
                var list = EventList()
                change(&list)
                return list
            }
            for (list, index) in [
                (list { _ in }, "events_by_start"),
                (list { $0.after = ListCursor(startsAt: now, id: "e1") }, "events_by_start"),
                (list { $0.artistId = "a7" }, "events_by_artist"), (list { $0.venueId = "v7" }, "events_by_venue"),
                (list { $0.categoryId = "c7" }, "events_by_category"),
                (list { $0.status = .onSale }, "events_by_start"),
                (list { $0.status = .upcoming }, "events_by_start"), (list { $0.status = .ended }, "events_by_start"),
                (list { $0.status = .soldOut }, "events_sold_out"), (list { $0.status = .canceled }, "events_canceled"),
            ] {
                let plan = try await plan(list.query(at: now), pool)
                #expect(plan.contains("using \(index) on events e"), "\(list): \(plan)")
                #expect(!plan.contains("Seq Scan on events e") && !plan.contains("Sort"), "\(list): \(plan)")
            }
        }
    }

    @Test func searchesAskTheIndexOfTermsOrWalkThatOfStarts() async throws {
        try await withDatabase(of: .events) { _, pool in
            try await fill(pool)
            let rare = SearchQuery("아이유 d41d8cd98f00b204e9800998ecf8427e", keywords: Keywords())
            let index = try await pool.withConnection { connection in
                try connection.transaction { connection in
                    try connection.execute("SET LOCAL enable_seqscan = off")
                    let sql = EventSearch.page(rare, EventSearch.index(rare, .init()), Lab.start, nil, 20)
                    return try connection.query("EXPLAIN \(sql: sql)").map { try $0.get(0, as: String.self) }
                        .joined(separator: "\n")
                }
            }
            #expect(index.contains("Bitmap Index Scan on event_search_terms"), "\(index)")
            #expect(!index.contains("Seq Scan"), "\(index)")
            let common = SearchQuery("아이유", keywords: Keywords())
            let walk = try await plan(
                EventSearch.page(common, EventSearch.walk(common, Lab.start), Lab.start, nil, 20), pool)
            #expect(walk.contains("Index Scan using event_search_by_start"), "\(walk)")
            #expect(walk.contains("Index Scan Backward using event_search_by_start"), "\(walk)")
            #expect(!walk.contains("Seq Scan"), "\(walk)")
        }
    }

    /// Words that many events have are known after ANALYZE, and looked for among the nearest; words of which each is
    /// common, but which rarely stand together, are found all the same.
    @Test func commonWordsAreWalkedForAndRareOnesNot() async throws {
        try await withDatabase(of: .events) { _, pool in
            try await fill(pool)
            let words = try await SearchVocabulary(pool, clock: { Lab.start }).read()
            let common = SearchQuery("아이유", keywords: Keywords())
            #expect(common.estimate { words.frequencies[$0] } > Double(EventSearch.maxRanked))
            let rare = SearchQuery("아이유 없다", keywords: Keywords())
            #expect(rare.estimate { words.frequencies[$0] } == 0)
            let found = try await pool.withConnection { connection in
                try EventSearch.find(common, words: words, now: Lab.start, after: nil, limit: 3, on: connection)
            }
            // Those that start next.
            #expect(found.ids == ["e8760", "e8761", "e8762"])
            try await pool.withConnection { connection in
                try connection.run(
                    script: "UPDATE event_search SET whole = whole || ' 둘이서 ' WHERE event_id IN ('e1', 'e20000')")
            }
            let together = SearchQuery("아이유 둘이서", keywords: Keywords())
            var believed = words
            for term in ["둘이", "이서"] { believed.frequencies[term] = 1e6 }
            try await pool.withConnection { connection in
                _ = try connection.execute(
                    """
                    UPDATE event_search SET terms = array_to_tsvector(ARRAY['^밤', '둘이', '아이', '이서', '이유'])
                    WHERE event_id IN ('e1', 'e20000')
                    """)
            }
            let all = try await pool.withConnection { [believed] connection in
                try EventSearch.find(together, words: believed, now: Lab.start, after: nil, limit: 3, on: connection)
            }
            #expect(all.ids == ["e20000", "e1"])
        }
    }
}
