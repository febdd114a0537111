import Core
import Foundation
import Platform
import Storage

/// Statements on `refunds`, all under a lock of the payment.
enum RefundStore {
    enum Request: Sendable, Equatable {
        case made(RefundRow)
        /// Asked for before, under the same key.
        case known(RefundRow)
        /// No such payment, or it has taken no money.
        case notPaid
        case exceedsBalance(left: Int64)
    }

    static let maxReasonLength = 200

    static func newID() -> String { UUID().uuidString.lowercased() }

    /// Sets the amount aside, once by its key. It is final from here on.
    static func request(
        payment: String, key: String, amount: Int64?, tickets: Int64, reason: String, now: Int64,
        on connection: PostgresConnection
    ) throws -> Request {
        guard let row = try PaymentStore.lock(payment, on: connection) else { return .notPaid }
        if let known = try find(key: key, on: connection) { return .known(known) }
        guard row.approvedAt != nil else { return .notPaid }
        let left = row.amount - row.refundCommitted
        let amount = amount ?? left
        guard amount > 0, amount <= left else { return .exceedsBalance(left: left) }
        let id = newID()
        try connection.execute(
            """
            INSERT INTO refunds
                (refund_id, payment_id, request_key, amount, tickets, reason, state, next_run_at, created_at, updated_at)
            VALUES (\(id), \(payment), \(key), \(amount), \(Int32(clamping: tickets)),
                \(String(reason.prefix(maxReasonLength))), 'requested', \(PostgresTimestamp(ms: now)),
                \(PostgresTimestamp(ms: now)), \(PostgresTimestamp(ms: now)))
            """)
        try connection.execute(
            """
            UPDATE payments SET refund_committed = refund_committed + \(amount), updated_at = \(PostgresTimestamp(ms: now))
            WHERE payment_id = \(payment)
            """)
        return .made(try find(key: key, on: connection)!)
    }

    /// All that is left: there are no seats for what was paid.
    static func requestAll(of row: PaymentRow, now: Int64, on connection: PostgresConnection) throws {
        _ = try request(
            payment: row.paymentId, key: "lost:\(row.paymentId)", amount: nil, tickets: Int64(row.tickets),
            reason: "좌석을 확보하지 못해 자동 환불", now: now, on: connection)
    }

    static func find(key: String, on connection: PostgresConnection) throws -> RefundRow? {
        try connection.query("SELECT \(sql: RefundRow.columns) FROM refunds WHERE request_key = \(key)").first
            .map(RefundRow.init)
    }

    static func all(of payment: String, on connection: PostgresConnection) throws -> [RefundRow] {
        try connection.query(
            """
            SELECT \(sql: RefundRow.columns) FROM refunds WHERE payment_id = \(payment) ORDER BY created_at, refund_id
            """
        ).map(RefundRow.init)
    }

    /// Payments of which a refund is due, leased as for their own steps: one cancel at a time.
    static func takeDue(
        limit: Int, lease: String, now: Int64, leaseUntil: Int64, on connection: PostgresConnection
    ) throws -> [String] {
        try connection.query(
            """
            UPDATE payments p SET lease = \(lease), lease_until = \(PostgresTimestamp(ms: leaseUntil))
            FROM (
                SELECT payment_id FROM payments
                WHERE lease_until <= \(PostgresTimestamp(ms: now)) AND payment_id IN (
                    SELECT payment_id FROM refunds WHERE next_run_at <= \(PostgresTimestamp(ms: now))
                    ORDER BY next_run_at LIMIT \(limit))
                ORDER BY payment_id FOR UPDATE SKIP LOCKED
            ) due
            WHERE p.payment_id = due.payment_id
            RETURNING p.payment_id
            """
        ).map { try $0.get(0) }
    }

    /// What a payment's next cancel is; nil where there is none, or it must wait.
    struct Turn: Sendable {
        var payment: PaymentRow
        var refund: RefundRow
        /// Whether Toss may have been asked before under its number.
        var isRepeated: Bool
        var known: Set<String>
    }

    /// Takes the refund whose turn it is, and gives it a number: it is committed to before Toss is asked.
    static func begin(_ payment: String, lease: String, now: Int64, on connection: PostgresConnection) throws -> Turn? {
        guard let row = try PaymentStore.lock(payment, on: connection) else { return nil }
        let sent = try connection.query(
            "SELECT cancel_sent_at, cancels_sent FROM payments WHERE payment_id = \(payment) AND lease = \(lease)")
        guard let sentRow = sent.first else { return nil }
        let earliest = try sentRow.get(0, as: PostgresTimestamp.self)
        let number = try sentRow.get(1, as: Int32.self) + 1
        // The one that is under way comes first, however late it is due: no other may be sent beside it.
        guard
            let refund = try connection.query(
                """
                SELECT \(sql: RefundRow.columns) FROM refunds WHERE payment_id = \(payment) AND next_run_at IS NOT NULL
                ORDER BY (state = 'sending') DESC, created_at, refund_id LIMIT 1
                """
            ).first.map(RefundRow.init)
        else { return nil }
        if earliest != .negativeInfinity, now < earliest.ms + PaymentTimes.cancelInterval {
            try connection.execute(
                """
                UPDATE refunds SET next_run_at = \(PostgresTimestamp(ms: earliest.ms + PaymentTimes.cancelInterval))
                WHERE refund_id = \(refund.refundId)
                """)
            return nil
        }
        let known = Set(
            try connection.query(
                "SELECT transaction_key FROM refunds WHERE payment_id = \(payment) AND transaction_key IS NOT NULL"
            ).map { try $0.get(0, as: String.self) })
        let isRepeated = refund.state == .sending
        if !isRepeated {
            try connection.execute(
                """
                UPDATE refunds SET state = 'sending', number = \(number), sent_at = \(PostgresTimestamp(ms: now)),
                    failure_code = NULL, updated_at = \(PostgresTimestamp(ms: now))
                WHERE refund_id = \(refund.refundId)
                """)
        }
        try connection.execute(
            """
            UPDATE payments SET cancel_sent_at = \(PostgresTimestamp(ms: now)),
                cancels_sent = cancels_sent + \(isRepeated ? 0 : 1)
            WHERE payment_id = \(payment)
            """)
        return Turn(
            payment: row, refund: try find(key: refund.requestKey, on: connection)!, isRepeated: isRepeated,
            known: known)
    }

    /// Gives a refund that is being sent a new number: the last one has surely done nothing.
    static func renumber(_ refund: RefundRow, now: Int64, on connection: PostgresConnection) throws -> RefundRow {
        try connection.execute(
            """
            WITH p AS (
                UPDATE payments SET cancels_sent = cancels_sent + 1 WHERE payment_id = \(refund.paymentId)
                RETURNING cancels_sent)
            UPDATE refunds r SET number = p.cancels_sent, sent_at = \(PostgresTimestamp(ms: now)), failure_code = NULL
            FROM p WHERE r.refund_id = \(refund.refundId) AND r.state = 'sending'
            """)
        return try find(key: refund.requestKey, on: connection)!
    }

    /// Stores what became of it, with its message.
    static func end(
        _ refund: RefundRow, _ step: RefundMachine.Step, completedAt: Int64?, now: Int64,
        on connection: PostgresConnection
    ) throws {
        guard let payment = try PaymentStore.lock(refund.paymentId, on: connection),
            let current = try find(key: refund.requestKey, on: connection), current.state == .sending
        else { return }
        let wait = PostgresTimestamp(ms: now + max(PaymentTimes.cancelInterval, PaymentTimes.backoff(current.attempts)))
        switch step {
        case .done(let transactionKey):
            try complete(
                payment, current, transactionKey: transactionKey, at: completedAt ?? now, now: now, on: connection)
        case .again(let code):
            try connection.execute(
                """
                UPDATE refunds SET state = 'requested', attempts = attempts + 1, next_run_at = \(wait),
                    failure_code = \(code), updated_at = \(PostgresTimestamp(ms: now))
                WHERE refund_id = \(refund.refundId)
                """)
        case .stay(let code):
            try connection.execute(
                """
                UPDATE refunds SET attempts = attempts + 1, next_run_at = \(wait), failure_code = \(code),
                    updated_at = \(PostgresTimestamp(ms: now))
                WHERE refund_id = \(refund.refundId)
                """)
        case .refuse(let code):
            try connection.execute(
                """
                UPDATE refunds SET state = 'refused', attempts = attempts + 1, next_run_at = NULL,
                    failure_code = \(code), updated_at = \(PostgresTimestamp(ms: now))
                WHERE refund_id = \(refund.refundId)
                """)
        }
    }

    private static func complete(
        _ payment: PaymentRow, _ refund: RefundRow, transactionKey: String, at instant: Int64, now: Int64,
        on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            UPDATE refunds SET state = 'done', attempts = attempts + 1, next_run_at = NULL, failure_code = NULL,
                transaction_key = \(transactionKey), completed_at = \(PostgresTimestamp(ms: instant)),
                updated_at = \(PostgresTimestamp(ms: now))
            WHERE refund_id = \(refund.refundId)
            """)
        try connection.execute(
            """
            UPDATE payments SET refunded = refunded + \(refund.amount), updated_at = \(PostgresTimestamp(ms: now))
            WHERE payment_id = \(payment.paymentId)
            """)
        try Outbox.append(
            [
                Message(
                    id: "payment.refunded:\(refund.refundId)", occurredAt: instant,
                    body: .paymentRefunded(
                        .init(
                            refundId: refund.refundId, paymentId: payment.paymentId, eventId: payment.eventId,
                            artistId: payment.artistId, amount: refund.amount, currency: payment.currency,
                            tickets: Int64(refund.tickets), visitorId: payment.visitorId)))
            ], on: connection)
    }

    /// A refused refund is tried again, because somebody has looked at it.
    static func retry(_ refund: String, of payment: String, now: Int64, on connection: PostgresConnection) throws
        -> Bool
    {
        try connection.execute(
            """
            UPDATE refunds SET state = 'requested', next_run_at = \(PostgresTimestamp(ms: now)), attempts = 0,
                failure_code = NULL, updated_at = \(PostgresTimestamp(ms: now))
            WHERE refund_id = \(refund) AND payment_id = \(payment) AND state = 'refused'
            """) == 1
    }

    /// Cancels that are no refunds of ours: somebody made them at Toss. Not while one of ours is under way, which could
    /// be among them.
    ///
    /// - Returns: how many were taken over; and whether one couldn't be, because our refunds need what is left.
    static func adopt(
        _ cancels: [TossPayment.Cancel], of payment: String, now: Int64, on connection: PostgresConnection
    ) throws -> (adopted: Int, isTooMuch: Bool) {
        guard let row = try PaymentStore.lock(payment, on: connection), row.approvedAt != nil else { return (0, false) }
        let refunds = try all(of: payment, on: connection)
        guard !refunds.contains(where: { $0.state == .sending }) else { return (0, false) }
        let known = Set(refunds.compactMap(\.transactionKey))
        var left = row.amount - row.refundCommitted
        var adopted = 0
        for cancel in cancels where !known.contains(cancel.transactionKey) {
            guard cancel.cancelAmount > 0, cancel.cancelAmount <= left else { return (adopted, true) }
            left -= cancel.cancelAmount
            let key = "toss:\(cancel.transactionKey)"
            guard
                case .made(let refund) = try request(
                    payment: payment, key: key, amount: cancel.cancelAmount, tickets: 0, reason: "canceled at Toss",
                    now: now, on: connection)
            else { continue }
            try complete(
                row, refund, transactionKey: cancel.transactionKey, at: cancel.at ?? now, now: now, on: connection)
            adopted += 1
        }
        return (adopted, false)
    }
}
