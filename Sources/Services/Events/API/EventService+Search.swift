import Hummingbird
import Platform
import Storage

/// `/api/events/search` and `/api/events/keywords`
extension EventService {
    func addSearchRoutes(_ open: Routes, _ admin: Routes) {
        open.get("events/search") { request, _ in
            let parameters = try parameters(request, ["q", "limit", "cursor"])
            guard let text = parameters["q"] else { throw Problem.invalid("q", "is missing") }
            guard text.unicodeScalars.count <= SearchQuery.maxCharacters else {
                throw Problem.invalid("q", "must have \(SearchQuery.maxCharacters) characters at most")
            }
            var after: SearchCursor?
            if let cursor = parameters["cursor"] {
                after = SearchCursor(cursor)
                guard after != nil else { throw Problem.invalid("cursor", "must be the nextCursor of an answer") }
            }
            return Self.answer(try await search(text, after: after, limit: try Self.limit(parameters)), to: request)
        }
        admin.get("events/keywords") { request, _ in
            _ = try parameters(request)
            let pairs = try await database.pool.withConnection { connection in
                try connection.query(SearchVocabulary.keywordPairs).map {
                    KeywordPair(korean: try $0.get(0), english: try $0.get(1))
                }
            }
            return Self.answer(.ok) { Self.write(pairs, to: &$0) }
        }
        admin.put("events/keywords") { request, _ in
            let fields = try await RequestFields(
                of: request, known: ["pairs"], maxBytes: Self.maxKeywordBytes)
            var pairs: [KeywordPair] = []
            for pair in try fields.objects("pairs", count: 0...KeywordPair.maxPairs, known: ["korean", "english"]) {
                pairs.append(
                    KeywordPair(korean: try Self.keyword("korean", pair), english: try Self.keyword("english", pair)))
            }
            let replaced = pairs
            try await change { connection in
                // One replacement at a time.
                try connection.execute("LOCK TABLE search_keywords IN SHARE ROW EXCLUSIVE MODE")
                try connection.execute("DELETE FROM search_keywords")
                try connection.execute(
                    """
                    INSERT INTO search_keywords (korean, english)
                    SELECT * FROM unnest(\(replaced.map(\.korean)), \(replaced.map(\.english))) ON CONFLICT DO NOTHING
                    """)
            }
            try await vocabulary.read()
            await cache.drop()
            return Self.answer(.ok) { Self.write(replaced, to: &$0) }
        }
    }

    static let maxKeywordBytes = 512 * 1024

    private static func keyword(_ name: String, _ fields: RequestFields) throws -> String {
        let text = try fields.text(name, bytes: 1...KeywordPair.maxBytes)
        guard !SearchText(text).runs.isEmpty else { throw fields.invalid(name, "must have a letter or a digit") }
        return text
    }

    private static func write(_ pairs: [KeywordPair], to json: inout JSONWriter) {
        json.object { json in
            json.member("pairs", array: pairs) { json, pair in
                json.object { json in
                    json.member("korean", pair.korean)
                    json.member("english", pair.english)
                }
            }
        }
    }

    private func search(_ text: String, after: SearchCursor?, limit: Int) async throws -> String {
        let words = try await vocabulary.words()
        @Sendable func make() async throws -> CatalogueCache.Entry {
            let now = clock()
            let query = SearchQuery(text, keywords: words.keywords)
            let (events, last) = try await database.pool.withConnection { connection in
                let found = try EventSearch.find(
                    query, words: words, now: after?.now ?? now, after: after?.rank, limit: limit, on: connection)
                return (try EventStore.find(found.ids, on: connection), found.last)
            }
            let next = last.map { SearchCursor(now: after?.now ?? now, rank: $0).text }
            return Self.write(events, next: next, at: now)
        }
        guard after == nil else { return try await make().json }
        // However it was written: what is looked for is the same.
        return try await cache.json(.search, "\(limit)\(SearchText(text).normalized)", make: make)
    }
}
