import Storage

/// A row of `payments`. Instants are milliseconds since 1970.
struct PaymentRow: Sendable, Equatable {
    var paymentId: String
    var orderId: String
    var reservationId: String
    var userId: String
    var eventId: String
    var artistId: String
    var title: String
    var tickets: Int32
    var visitorId: String?
    var amount: Int64
    var currency: String
    var state: PaymentSaga.State
    var paymentKey: String?
    var failureCode: String?
    var confirmAskedAt: Int64?
    var approvedAt: Int64?
    var ticketIds: [String]
    var refundCommitted: Int64
    var refunded: Int64
    /// A hint has come, and Toss hasn't been asked, or hasn't answered, since.
    var isRecheck: Bool
    /// How many have come.
    var hints: Int64
    var attempt: Int
    var deadlineAt: Int64
    var stuckReason: String?
    var createdAt: Int64
    var updatedAt: Int64

    static let columns: SQL = """
        payment_id, order_id, reservation_id, user_id, event_id, artist_id, title, tickets, visitor_id, amount, currency,
        state, payment_key, failure_code, confirm_asked_at, approved_at, ticket_ids, refund_committed, refunded, recheck,
        attempt, deadline_at, stuck_reason, created_at, updated_at, hints
        """

    init(_ row: PostgresRow) throws {
        paymentId = try row.get(0)
        orderId = try row.get(1)
        reservationId = try row.get(2)
        userId = try row.get(3)
        eventId = try row.get(4)
        artistId = try row.get(5)
        title = try row.get(6)
        tickets = try row.get(7)
        visitorId = try row.get(8)
        amount = try row.get(9)
        currency = try row.get(10)
        let text = try row.get(11, as: String.self)
        guard let state = PaymentSaga.State(stored: text) else {
            throw PostgresError(.decoding, "a payment has the state \(text)")
        }
        self.state = state
        paymentKey = try row.get(12)
        failureCode = try row.get(13)
        confirmAskedAt = try row.get(14, as: PostgresTimestamp?.self)?.ms
        approvedAt = try row.get(15, as: PostgresTimestamp?.self)?.ms
        ticketIds = try row.get(16)
        refundCommitted = try row.get(17)
        refunded = try row.get(18)
        isRecheck = try row.get(19)
        attempt = try row.get(20)
        deadlineAt = try row.get(21, as: PostgresTimestamp.self).ms
        stuckReason = try row.get(22)
        createdAt = try row.get(23, as: PostgresTimestamp.self).ms
        updatedAt = try row.get(24, as: PostgresTimestamp.self).ms
        hints = try row.get(25)
    }
}
