import Storage

/// A row of `refunds`. Instants are milliseconds since 1970.
struct RefundRow: Sendable, Equatable {
    enum State: String, CaseIterable, Sendable {
        /// The amount is set aside; Toss was not asked, or has surely not done it.
        case requested
        /// Toss is asked, and may have done it.
        case sending
        case done
        /// Toss won't: somebody must look.
        case refused
    }

    var refundId: String
    var paymentId: String
    var requestKey: String
    var amount: Int64
    var tickets: Int32
    var reason: String
    var state: State
    var number: Int32?
    var attempts: Int
    var sentAt: Int64?
    var transactionKey: String?
    var failureCode: String?
    var completedAt: Int64?
    var createdAt: Int64

    static let columns: SQL = """
        refund_id, payment_id, request_key, amount, tickets, reason, state, number, attempts, sent_at, transaction_key,
        failure_code, completed_at, created_at
        """

    init(_ row: PostgresRow) throws {
        refundId = try row.get(0)
        paymentId = try row.get(1)
        requestKey = try row.get(2)
        amount = try row.get(3)
        tickets = try row.get(4)
        reason = try row.get(5)
        let text = try row.get(6, as: String.self)
        guard let state = State(rawValue: text) else {
            throw PostgresError(.decoding, "a refund has the state \(text)")
        }
        self.state = state
        number = try row.get(7)
        attempts = try row.get(8)
        sentAt = try row.get(9, as: PostgresTimestamp?.self)?.ms
        transactionKey = try row.get(10)
        failureCode = try row.get(11)
        completedAt = try row.get(12, as: PostgresTimestamp?.self)?.ms
        createdAt = try row.get(13, as: PostgresTimestamp.self).ms
    }
}
