import Core
import HTTPTypes
import Platform
import Storage

/// Artists, venues and categories: a name, a text or a place beside it, and a version.
enum NamedThing: Sendable {
    case artist, venue, category

    static let maxTextBytes = 4000
    static let maxAddressBytes = 400
    static let maxPosition: Int64 = 1_000_000
    /// They are answered all at once.
    static let maxCategories = 200

    var table: String {
        switch self {
        case .artist: "artists"
        case .venue: "venues"
        case .category: "categories"
        }
    }

    var maxNameBytes: Int { self == .category ? 100 : 200 }

    /// The member beside the name.
    var other: String {
        switch self {
        case .artist: "description"
        case .venue: "address"
        case .category: "position"
        }
    }

    var members: Set<String> { ["name", other] }

    struct Draft: Sendable, Equatable {
        var name: String
        /// Of an artist or a venue.
        var text = ""
        /// Of a category.
        var position: Int64 = 0
    }

    struct Stored: Sendable, Equatable {
        var id: String
        var draft: Draft
        var version: Int64
    }

    func draft(_ fields: RequestFields) throws(Problem) -> Draft {
        var draft = Draft(name: try fields.text("name", bytes: 1...maxNameBytes))
        switch self {
        case .artist:
            draft.text = try fields.optionalText(other, bytes: 0...Self.maxTextBytes, isMultiline: true) ?? ""
        case .venue: draft.text = try fields.optionalText(other, bytes: 0...Self.maxAddressBytes) ?? ""
        case .category: draft.position = try fields.optionalInteger(other, in: 0...Self.maxPosition) ?? 0
        }
        return draft
    }

    func write(_ stored: Stored, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", stored.id)
            json.member("name", stored.draft.name)
            if self == .category {
                json.member(other, stored.draft.position)
            } else {
                json.member(other, stored.draft.text)
            }
            json.member("version", stored.version)
        }
    }

    // MARK: In the database

    private var columns: SQL {
        self == .category
            ? "id, name, '' AS text, position::bigint, version"
            : "id, name, \(unescaped: other) AS text, 0::bigint AS position, version"
    }

    private func stored(_ row: PostgresRow) throws -> Stored {
        Stored(
            id: try row.get(0), draft: Draft(name: try row.get(1), text: try row.get(2), position: try row.get(3)),
            version: try row.get(4))
    }

    func find(_ id: String, on connection: PostgresConnection) throws -> Stored? {
        try connection.query("SELECT \(sql: columns) FROM \(unescaped: table) WHERE id = \(id)").first.map(stored)
    }

    /// In the order of the ids, categories in that of their positions.
    func list(after: String, limit: Int, on connection: PostgresConnection) throws -> [Stored] {
        let order: SQL = self == .category ? "position, id" : "id"
        return try connection.query(
            """
            SELECT \(sql: columns) FROM \(unescaped: table) WHERE id > \(after) ORDER BY \(sql: order) LIMIT \(limit)
            """
        ).map(stored)
    }

    /// - Returns: whether it is new: one of this id stays as it is.
    func insert(_ id: String, _ draft: Draft, now: Int64, on connection: PostgresConnection) throws -> Bool {
        let instant = PostgresTimestamp(ms: now)
        let new: Int
        if self == .category {
            // One after the other, so that the bound holds.
            try connection.execute("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE")
            let count = try connection.query("SELECT count(*) FROM categories")[0].get(0, as: Int64.self)
            guard count < Int64(Self.maxCategories) else {
                throw Problem(.conflict, "too_many", detail: "there may be \(Self.maxCategories) categories")
            }
            new = try connection.execute(
                """
                INSERT INTO categories (id, name, position, updated_at)
                VALUES (\(id), \(draft.name), \(draft.position), \(instant)) ON CONFLICT (id) DO NOTHING
                """)
        } else {
            new = try connection.execute(
                """
                INSERT INTO \(unescaped: table) (id, name, \(unescaped: other), updated_at)
                VALUES (\(id), \(draft.name), \(draft.text), \(instant)) ON CONFLICT (id) DO NOTHING
                """)
        }
        if new == 1, self == .artist {
            try Outbox.append([CatalogueChange.artistUpserted(id, name: draft.name, at: now)], on: connection)
        }
        return new == 1
    }

    func update(
        _ id: String, _ draft: Draft, version: Int64, now: Int64, on connection: PostgresConnection
    ) throws {
        // One renaming at a time: each writes names that the other may be changing into what search knows of events.
        try connection.execute("SELECT pg_advisory_xact_lock(hashtext('tiketi:events:renaming'))")
        let rows = try connection.query(
            "SELECT version, name FROM \(unescaped: table) WHERE id = \(id) FOR NO KEY UPDATE")
        guard let row = rows.first else { throw CatalogueChange.notFound }
        guard try row.get(0, as: Int64.self) == version else { throw CatalogueChange.versionDiffers }
        let other: SQL =
            self == .category ? "position = \(draft.position)" : "\(unescaped: other) = \(draft.text)"
        let changed = try connection.query(
            """
            UPDATE \(unescaped: table) SET name = \(draft.name), \(sql: other), version = version + 1,
                updated_at = greatest(\(PostgresTimestamp(ms: now)), updated_at + INTERVAL '1 millisecond')
            WHERE id = \(id) RETURNING updated_at
            """)
        if try row.get(1, as: String.self) != draft.name {
            switch self {
            case .artist: try SearchIndex.refresh(eventsWhere: "e.artist_id = \(id)", on: connection)
            case .venue: try SearchIndex.refresh(eventsWhere: "e.venue_id = \(id)", on: connection)
            case .category: break
            }
        }
        if self == .artist {
            let instant = try changed[0].get(0, as: PostgresTimestamp.self).ms
            try Outbox.append([CatalogueChange.artistUpserted(id, name: draft.name, at: instant)], on: connection)
        }
    }

    /// Only a category, which no event is in.
    func remove(_ id: String, on connection: PostgresConnection) throws {
        do {
            guard try connection.execute("DELETE FROM \(unescaped: table) WHERE id = \(id)") == 1 else {
                throw CatalogueChange.notFound
            }
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Problem(.conflict, "in_use", detail: "events are in it")
        }
    }
}
