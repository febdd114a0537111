import Platform
import Storage

/// Whose turn it is. The queue is one of payments, each with its next refund: one cancel of a payment at a time, and many
/// refunds of one payment keep nobody else waiting.
extension RefundStore {
    /// Payments of which a refund is due, leased as for their own steps.
    static func takeDue(
        limit: Int, lease: String, now: Int64, leaseUntil: Int64, on connection: PostgresConnection
    ) throws -> [String] {
        try connection.query(
            """
            UPDATE payments p SET lease = \(lease), lease_until = \(PostgresTimestamp(ms: leaseUntil))
            FROM (\(sql: due(now, limit: limit)) FOR UPDATE SKIP LOCKED) due
            WHERE p.payment_id = due.payment_id
            RETURNING p.payment_id
            """
        ).map { try $0.get(0) }
    }

    static func due(_ now: Int64, limit: Int) -> SQL {
        """
        SELECT payment_id FROM payments
        WHERE refund_due_at <= \(PostgresTimestamp(ms: now)) AND lease_until <= \(PostgresTimestamp(ms: now))
        ORDER BY refund_due_at LIMIT \(limit)
        """
    }

    /// The refund of a payment whose turn is next: the one that is under way, however late it is due, since no other may
    /// be sent beside it; else the one that is due first.
    private static func next(of payment: String) -> SQL {
        """
        SELECT \(sql: RefundRow.columns) FROM refunds WHERE payment_id = \(payment) AND next_run_at IS NOT NULL
        ORDER BY (state = 'sending') DESC, next_run_at, created_at, refund_id LIMIT 1
        """
    }

    /// Writes down when a payment's next refund is due, Toss's wait between two cancels included.
    ///
    /// - Returns: when that is; nil where there is none.
    @discardableResult
    static func schedule(_ payment: String, on connection: PostgresConnection) throws -> Int64? {
        try connection.query(
            """
            UPDATE payments SET refund_due_at = (
                SELECT greatest(r.next_run_at, cancel_sent_at + \(PaymentTimes.cancelInterval) * interval '1 ms')
                FROM (\(sql: next(of: payment))) r)
            WHERE payment_id = \(payment) RETURNING refund_due_at
            """
        ).first?.get(0, as: PostgresTimestamp?.self)?.ms
    }

    /// What a payment's next cancel is.
    struct Turn: Sendable {
        var payment: PaymentRow
        var paymentKey: String
        var refund: RefundRow
        /// Transactions that are no cancel of this refund.
        var known: Set<String>
    }

    /// - Returns: nil where there is none, it must wait, or the lease is lost.
    static func turn(
        _ payment: String, lease: String, now: Int64, on connection: PostgresConnection
    ) throws -> Turn? {
        guard let row = try PaymentStore.lock(payment, lease: lease, on: connection), let paymentKey = row.paymentKey,
            let due = try schedule(payment, on: connection), due <= now,
            let refund = try connection.query(next(of: payment)).first.map(RefundRow.init)
        else { return nil }
        let done = try all(of: payment, on: connection).compactMap(\.transactionKey)
        return Turn(
            payment: row, paymentKey: paymentKey, refund: refund, known: Set(done).union(refund.cancelsBefore ?? []))
    }

    /// Gives a refund the number that it is sent under, and says when that is: committed to before Toss is asked.
    ///
    /// - Parameters:
    ///   - before: cancels that Toss showed before this refund was sent for the first time.
    ///   - isNumbered: whether it gets a number of its own; else it is sent again under the one it has.
    /// - Returns: nil where somebody else has taken it over.
    static func send(
        _ refund: RefundRow, before: [String], isNumbered: Bool, lease: String, leaseUntil: Int64, now: Int64,
        on connection: PostgresConnection
    ) throws -> RefundRow? {
        guard try PaymentStore.lock(refund.paymentId, lease: lease, on: connection) != nil,
            let current = try find(refund.refundId, on: connection), current.state == refund.state,
            current.number == refund.number
        else { return nil }
        let at = PostgresTimestamp(ms: now)
        try connection.execute(
            """
            WITH p AS (
                UPDATE payments SET cancel_sent_at = \(at), cancels_sent = cancels_sent + \(isNumbered ? 1 : 0),
                    lease_until = \(PostgresTimestamp(ms: leaseUntil))
                WHERE payment_id = \(refund.paymentId) RETURNING cancels_sent)
            UPDATE refunds SET state = 'sending', sent_at = \(at), failure_code = NULL, updated_at = \(at),
                number = CASE WHEN \(isNumbered) THEN p.cancels_sent ELSE number END,
                cancels_before = coalesce(cancels_before, \(before))
            FROM p WHERE refund_id = \(refund.refundId)
            """)
        try schedule(refund.paymentId, on: connection)
        return try find(refund.refundId, on: connection)
    }
}
