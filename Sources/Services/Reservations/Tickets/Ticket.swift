import Core
import Foundation
import Platform
import Storage

/// Somebody's right to one seat.
struct Ticket: Sendable, Equatable {
    enum State: String, CaseIterable, Sendable {
        case valid, used, void
    }

    var id: String
    var reservationId: String
    var eventId: String
    var seatId: String
    var price: Int64
    var state: State
    var issue: UInt16
    var usedAt: Int64?
    var section: String
    var row: String
    var number: String
    var userId: String
    var title: String
    var startsAt: Int64
    var currency: String

    static let select: SQL = """
        SELECT t.id, t.reservation_id, t.event_id, t.seat_id, t.price, t.state, t.issue, t.used_at, s.section, s."row",
            s.number, r.user_id, e.title, e.starts_at, r.currency
        FROM tickets t
            JOIN reservations r ON r.id = t.reservation_id
            JOIN events e ON e.event_id = t.event_id
            JOIN seats s ON s.event_id = t.event_id AND s.seat_id = t.seat_id
        """

    init(_ row: PostgresRow) throws {
        id = try row.get(0)
        reservationId = try row.get(1)
        eventId = try row.get(2)
        seatId = try row.get(3)
        price = try row.get(4)
        guard let state = State(rawValue: try row.get(5)) else {
            throw PostgresError(.decoding, "an unknown state of a ticket")
        }
        self.state = state
        issue = UInt16(clamping: try row.get(6, as: Int32.self))
        usedAt = try row.get(7, as: PostgresTimestamp?.self)?.ms
        section = try row.get(8)
        self.row = try row.get(9)
        number = try row.get(10)
        userId = try row.get(11)
        title = try row.get(12)
        startsAt = try row.get(13, as: PostgresTimestamp.self).ms
        currency = try row.get(14)
    }

    static func find(_ id: String, on connection: PostgresConnection) throws -> Ticket? {
        try connection.query("\(sql: select) WHERE t.id = \(id)").first.map(Ticket.init)
    }

    static func of(reservation id: String, on connection: PostgresConnection) throws -> [Ticket] {
        try connection.query("\(sql: select) WHERE t.reservation_id = \(id) ORDER BY t.seat_id").map(Ticket.init)
    }

    /// What its QR code says.
    func payload(_ key: TicketKey) throws -> String {
        guard let ticketId = UUID(uuidString: id) else { preconditionFailure("ids of tickets are UUIDs") }
        return try TicketPayload(ticketId: ticketId, eventId: eventId, seatId: seatId, issue: issue).signed(with: key)
    }
}
