import Storage

/// A row of `refunds`. Instants are milliseconds since 1970.
struct RefundRow: Sendable, Equatable {
    enum State: String, CaseIterable, Sendable {
        /// The amount is set aside; Toss was not asked, or has surely not done it.
        case requested
        /// Toss is asked, and may have done it.
        case sending
        case done
        /// Toss won't, or there is not so much to give back: somebody must look.
        case refused
    }

    var refundId: String
    var paymentId: String
    var requestKey: String
    var amount: Int64
    var tickets: Int32
    var reason: String
    var state: State
    /// Whether the payment's `refund_committed` has its amount.
    var isSetAside: Bool
    var number: Int32?
    var attempts: Int
    /// When it was sent last.
    var sentAt: Int64?
    /// Transactions that Toss showed before it was sent for the first time: none of them is ours. Nil until then.
    var cancelsBefore: [String]?
    var transactionKey: String?
    var failureCode: String?
    var completedAt: Int64?
    var createdAt: Int64
    /// When it was asked for, or was retried last.
    var startedAt: Int64
    /// What somebody has asked for in so many words; nil where nobody has.
    var asked: String?

    static let columns: SQL = """
        refund_id, payment_id, request_key, amount, tickets, reason, state, set_aside, number, attempts, sent_at,
        cancels_before, transaction_key, failure_code, completed_at, created_at, started_at, asked, next_run_at
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
        isSetAside = try row.get(7)
        number = try row.get(8)
        attempts = try row.get(9)
        sentAt = try row.get(10, as: PostgresTimestamp?.self)?.ms
        cancelsBefore = try row.get(11)
        transactionKey = try row.get(12)
        failureCode = try row.get(13)
        completedAt = try row.get(14, as: PostgresTimestamp?.self)?.ms
        createdAt = try row.get(15, as: PostgresTimestamp.self).ms
        startedAt = try row.get(16, as: PostgresTimestamp.self).ms
        asked = try row.get(17)
    }

    /// Whether a cancel that Toss shows, and that no refund is known to be, may be this one: made by hand because it was
    /// refused, or by an attempt of ours that seemed to have come to nothing.
    func mayBe(_ cancel: TossPayment.Cancel) -> Bool {
        guard amount == cancel.cancelAmount else { return false }
        return switch state {
        case .refused: true
        case .requested: number != nil && cancelsBefore?.contains(cancel.transactionKey) != true
        case .sending, .done: false
        }
    }
}
