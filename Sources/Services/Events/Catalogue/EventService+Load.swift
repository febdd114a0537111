import Platform
import Storage

extension EventService {
    /// Things of a catalogue that are stored in one transaction.
    static let maxLoadedAtOnce = 200

    /// Adds what of a catalogue isn't there yet, as an admin would. What is there stays as it is: running it twice does
    /// nothing.
    ///
    /// - Returns: how many events are new.
    /// - Throws: a `Problem` where an event refers to what is nowhere, or an id is none.
    @discardableResult
    package func load(_ catalogue: Catalogue) async throws -> Int {
        let now = clock()
        let names: [(NamedThing, [(id: String, draft: NamedThing.Draft)])] = [
            (.artist, catalogue.artists.map { ($0.id, .init(name: $0.name, text: $0.description)) }),
            (.venue, catalogue.venues.map { ($0.id, .init(name: $0.name, text: $0.address)) }),
            (.category, catalogue.categories.map { ($0.id, .init(name: $0.name, position: $0.position)) }),
        ]
        for (thing, things) in names {
            _ = try await inPieces(things, id: \.id) { one, connection in
                // Before the insert: of what is there already, nothing is locked or checked.
                try thing.find(one.id, on: connection) == nil
                    && thing.insert(one.id, one.draft, now: now, on: connection)
            }
        }
        let new = try await inPieces(catalogue.events, id: \.id) { event, connection in
            guard try EventStore.find(event.id, on: connection) == nil,
                try EventStore.insert(event.id, event.draft, now: now, on: connection)
            else { return false }
            if let layout = event.layout {
                try EventStore.replaceLayout(of: event.id, layout, version: nil, now: now, on: connection)
            }
            return true
        }
        let keywords = catalogue.keywords
        try await database.pool.withConnection { connection in
            _ = try connection.execute(
                """
                INSERT INTO search_keywords (korean, english)
                SELECT * FROM unnest(\(keywords.map(\.korean)), \(keywords.map(\.english))) ON CONFLICT DO NOTHING
                """)
        }
        try await vocabulary.read()
        await cache.drop()
        return new
    }

    /// - Returns: for how many `insert` said that they are new.
    private func inPieces<Thing: Sendable>(
        _ things: [Thing], id: @escaping @Sendable (Thing) -> String,
        insert: @escaping @Sendable (Thing, PostgresConnection) throws -> Bool
    ) async throws -> Int {
        for thing in things where !CatalogueID.isValid(id(thing)) {
            throw Problem.invalid("id", "'\(id(thing))' is no id")
        }
        var new = 0
        for start in stride(from: 0, to: things.count, by: Self.maxLoadedAtOnce) {
            let piece = things[start..<min(start + Self.maxLoadedAtOnce, things.count)]
            new += try await database.pool.withConnection { connection in
                try connection.transaction { connection in
                    try piece.reduce(0) { try $0 + (insert($1, connection) ? 1 : 0) }
                }
            }
        }
        return new
    }
}
