import HTTPTypes
import Platform
import Storage

/// What is known of an event's picture. Its bytes lie elsewhere.
struct EventImage: Sendable, Equatable {
    static let maxImages = 50
    static let maxURLBytes = 2048
    static let maxAltTextBytes = 400
    static let maxPixels: Int64 = 20_000
    static let maxPosition: Int64 = 10_000

    var id: String
    var url: String
    var width: Int64
    var height: Int64
    var altText: String
    /// Images are in the order of these.
    var position: Int64

    static let members: Set<String> = ["url", "width", "height", "altText", "position"]

    init(_ fields: RequestFields) throws(Problem) {
        id = CatalogueID.make()
        url = try fields.text("url", bytes: 1...Self.maxURLBytes)
        // It becomes a page's `src`: no scheme but https, and else a key of the media store.
        guard url.wholeMatch(of: /https:\/\/[!-~]+|[A-Za-z0-9][A-Za-z0-9\/._-]*/) != nil else {
            throw fields.invalid("url", "must be an https URL or a key of letters, digits and / . _ -")
        }
        width = try fields.integer("width", in: 1...Self.maxPixels)
        height = try fields.integer("height", in: 1...Self.maxPixels)
        altText = try fields.text("altText", bytes: 0...Self.maxAltTextBytes)
        position = try fields.optionalInteger("position", in: 0...Self.maxPosition) ?? 0
    }

    private init(_ row: PostgresRow) throws {
        id = try row.get(0)
        url = try row.get(1)
        width = try row.get(2)
        height = try row.get(3)
        altText = try row.get(4)
        position = try row.get(5)
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("url", url)
            json.member("width", width)
            json.member("height", height)
            json.member("altText", altText)
            json.member("position", position)
        }
    }

    static func list(of eventId: String, on connection: PostgresConnection) throws -> [EventImage] {
        try connection.query(
            """
            SELECT id, url, width, height, alt_text, position FROM event_images WHERE event_id = \(eventId)
            ORDER BY position, id
            """
        ).map(EventImage.init)
    }

    func insert(of eventId: String, on connection: PostgresConnection) throws {
        // Under the event's row, so that the bound holds.
        let event = try connection.query("SELECT FROM events WHERE id = \(eventId) FOR NO KEY UPDATE")
        guard event.count == 1 else { throw CatalogueChange.notFound }
        guard try Self.list(of: eventId, on: connection).count < Self.maxImages else {
            throw Problem(.conflict, "too_many", detail: "an event may have \(Self.maxImages) images")
        }
        try connection.execute(
            """
            INSERT INTO event_images (id, event_id, url, width, height, alt_text, position)
            VALUES (\(id), \(eventId), \(url), \(Int32(width)), \(Int32(height)), \(altText), \(Int32(position)))
            """)
    }

    static func remove(_ id: String, of eventId: String, on connection: PostgresConnection) throws {
        let gone = try connection.execute("DELETE FROM event_images WHERE id = \(id) AND event_id = \(eventId)")
        guard gone == 1 else { throw CatalogueChange.notFound }
    }
}
