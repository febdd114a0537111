import Core
import Platform
import Storage

/// What of an event's seat map stays: everything but who has which seat.
struct SeatLayout: Sendable {
    let eventId: String
    let version: Int64
    /// The seats in the order of the layout, by their place in it.
    let indexes: [String: Int]
    /// The JSON text before, between and after the seats' statuses.
    private let pieces: [[UInt8]]

    /// Larger than any: marks where a status goes, since JSON has it in no text.
    private static let mark = "\u{1}"

    static func load(_ eventId: String, on connection: PostgresConnection) throws -> SeatLayout? {
        guard
            let event = try connection.query(
                """
                SELECT title, status, sales_open_at, sales_close_at, starts_at, currency, max_seats, needs_admission,
                    version
                FROM events WHERE event_id = \(eventId)
                """
            ).first
        else { return nil }
        let rows = try connection.query(
            """
            SELECT seat_id, section, "row", number, price FROM seats s WHERE event_id = \(eventId) AND (is_offered
                OR EXISTS (SELECT FROM seat_claims c WHERE c.event_id = s.event_id AND c.seat_id = s.seat_id
                    AND c.state IN ('held', 'confirming', 'sold')))
            ORDER BY position, seat_id
            """)
        let seats = try rows.map {
            CatalogueEvent.Seat(
                id: try $0.get(0), section: try $0.get(1), row: try $0.get(2), number: try $0.get(3),
                price: try $0.get(4))
        }
        return try SeatLayout(eventId, event, seats)
    }

    private init(_ eventId: String, _ event: PostgresRow, _ seats: [CatalogueEvent.Seat]) throws {
        self.eventId = eventId
        version = try event.get("version")
        // A section that comes twice, or a row, is one: the order is that of their first seats.
        var sections: [(name: String, rows: [(name: String, seats: [CatalogueEvent.Seat])])] = []
        var sectionAt: [String: Int] = [:]
        var rowAt: [[String]: Int] = [:]
        for seat in seats {
            if sectionAt[seat.section] == nil {
                sectionAt[seat.section] = sections.count
                sections.append((seat.section, []))
            }
            let section = sectionAt[seat.section]!
            if rowAt[[seat.section, seat.row]] == nil {
                rowAt[[seat.section, seat.row]] = sections[section].rows.count
                sections[section].rows.append((seat.row, []))
            }
            sections[section].rows[rowAt[[seat.section, seat.row]]!].seats.append(seat)
        }
        var indexes: [String: Int] = [:]
        for seat in sections.flatMap(\.rows).flatMap(\.seats) { indexes[seat.id] = indexes.count }
        self.indexes = indexes
        let title: String = try event.get("title")
        let status: String = try event.get("status")
        let opens: PostgresTimestamp = try event.get("sales_open_at")
        let closes: PostgresTimestamp = try event.get("sales_close_at")
        let starts: PostgresTimestamp = try event.get("starts_at")
        let currency: String = try event.get("currency")
        let maxSeats: Int32 = try event.get("max_seats")
        let needsAdmission: Bool = try event.get("needs_admission")
        let version = version
        var json = JSONWriter()
        json.object { json in
            json.member("eventId", eventId)
            json.member("title", title)
            json.member("status", status)
            json.member("version", version)
            json.member("salesOpenAt", Instant.iso8601(opens.ms))
            json.member("salesCloseAt", Instant.iso8601(closes.ms))
            json.member("startsAt", Instant.iso8601(starts.ms))
            json.member("currency", currency)
            json.member("maxSeatsPerBuyer", Int64(maxSeats))
            json.member("needsAdmission", needsAdmission)
            json.member("sections", array: sections) { json, section in
                json.object { json in
                    json.member("name", section.name)
                    json.member("rows", array: section.rows) { json, row in
                        json.object { json in
                            json.member("name", row.name)
                            json.member("seats", array: row.seats) { json, seat in
                                json.object { json in
                                    json.member("id", seat.id)
                                    json.member("number", seat.number)
                                    json.member("price", seat.price)
                                    json.member("status", raw: Self.mark)
                                }
                            }
                        }
                    }
                }
            }
        }
        pieces = json.bytes.split(separator: 1, omittingEmptySubsequences: false).map(Array.init)
    }

    func json(_ statuses: [SeatStatus]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count } + statuses.count * 8)
        for (piece, status) in zip(pieces, statuses) {
            bytes += piece
            bytes += status.quoted
        }
        return bytes + (pieces.last ?? [])
    }

    /// One letter a seat, in the order of the layout.
    func compactJSON(_ statuses: [SeatStatus]) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("eventId", eventId)
            json.member("version", version)
            json.member("statuses", String(decoding: statuses.map(\.letter), as: UTF8.self))
        }
        return json.bytes
    }
}

enum SeatStatus: UInt8, Sendable {
    case free, held, sold, mine

    private static let words = [#""free""#, #""held""#, #""sold""#, #""mine""#].map { Array($0.utf8) }

    var quoted: [UInt8] { Self.words[Int(rawValue)] }
    /// The word's first.
    var letter: UInt8 { quoted[1] }
}
