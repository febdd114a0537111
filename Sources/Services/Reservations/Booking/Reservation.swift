import Core
import Platform
import Storage

/// A reservation as its row has it, with what its event says now.
struct Reservation: Sendable, Equatable {
    enum State: String, CaseIterable, Sendable {
        case held, confirming, paid, expired, canceled
    }

    var id: String
    var eventId: String
    var artistId: String
    var userId: String
    var visitorId: String?
    var state: State
    /// In the order of their ids, with the prices at which they were held.
    var seatIds: [String]
    var prices: [Int64]
    var amount: Int64
    var currency: String
    /// The hold's first deadline.
    var expiresAt: Int64
    /// The attempt that is being confirmed, or that has paid.
    var paymentId: String?
    var paidAt: Int64?
    /// As JSON.
    var policy: String
    var version: Int64
    var createdAt: Int64
    var title: String
    var startsAt: Int64
    var isEventCanceled: Bool

    /// All columns that `init(_:)` reads; what narrows it down follows.
    static let select: SQL = """
        SELECT r.id, r.event_id, r.artist_id, r.user_id, r.visitor_id, r.state, r.seat_ids, r.prices, r.amount,
            r.currency, r.expires_at, r.payment_id, r.paid_at, r.policy, r.version, r.created_at, e.title,
            e.starts_at, e.status = 'canceled'
        FROM reservations r JOIN events e ON e.event_id = r.event_id
        """

    static func find(_ id: String, isLocked: Bool = false, on connection: PostgresConnection) throws -> Reservation? {
        let lock: SQL = isLocked ? " FOR UPDATE OF r" : ""
        return try connection.query("\(sql: select) WHERE r.id = \(id)\(sql: lock)").first.map(Reservation.init)
    }

    /// What the others are told of it.
    func message(_ kind: Message.Kind, at now: Int64) -> Message {
        let changed = ReservationChanged(
            reservationId: id, eventId: eventId, artistId: artistId, visitorId: visitorId)
        let body: Message.Body =
            switch kind {
            case .reservationHeld: .reservationHeld(changed)
            case .reservationConfirmed: .reservationConfirmed(changed)
            case .reservationExpired: .reservationExpired(changed)
            case .reservationCanceled: .reservationCanceled(changed)
            default: preconditionFailure("\(kind) is no reservation's")
            }
        return Message(id: "\(kind.rawValue):\(id)", occurredAt: now, body: body)
    }
}

extension Reservation {
    /// - Parameter row: of `select`.
    init(_ row: PostgresRow) throws {
        id = try row.get(0)
        eventId = try row.get(1)
        artistId = try row.get(2)
        userId = try row.get(3)
        visitorId = try row.get(4)
        guard let state = State(rawValue: try row.get(5)) else {
            throw PostgresError(.decoding, "an unknown state of a reservation")
        }
        self.state = state
        seatIds = try row.get(6)
        prices = try row.get(7)
        amount = try row.get(8)
        currency = try row.get(9)
        expiresAt = try row.get(10, as: PostgresTimestamp.self).ms
        paymentId = try row.get(11)
        paidAt = try row.get(12, as: PostgresTimestamp?.self)?.ms
        policy = try row.get(13)
        version = try row.get(14)
        createdAt = try row.get(15, as: PostgresTimestamp.self).ms
        title = try row.get(16)
        startsAt = try row.get(17, as: PostgresTimestamp.self).ms
        isEventCanceled = try row.get(18)
    }
}
