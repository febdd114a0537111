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
        case unknownPayment
        /// It has taken no money.
        case notPaid
        case exceedsBalance(left: Int64)
        /// It has not so many tickets that no refund is for.
        case exceedsTickets(left: Int64)
    }

    static let maxReasonLength = 200
    /// Of a refund that was due for a payment without money.
    static let notPaidCode = "not_paid"

    static func newID() -> String { UUID().uuidString.lowercased() }

    /// Sets the amount aside, once by its key. It is final from here on.
    ///
    /// - Parameters:
    ///   - amount: nil for all that is left.
    ///   - tickets: that it is for. One that gives back all that is left is for all tickets that are left, but where
    ///     Reservations has said which they are.
    ///   - asked: what somebody has asked for in so many words, to know a repeat by.
    static func request(
        payment: String, key: String, amount: Int64?, tickets: Int64, reason: String, asked: String? = nil, now: Int64,
        on connection: PostgresConnection
    ) throws -> Request {
        guard let row = try PaymentStore.lock(payment, on: connection) else { return .unknownPayment }
        if let known = try find(key: key, on: connection) { return .known(known) }
        guard row.approvedAt != nil else { return .notPaid }
        let left = row.amount - row.refundCommitted
        let amount = amount ?? left
        guard amount > 0, amount <= left else { return .exceedsBalance(left: left) }
        let ticketsLeft = try ticketsLeft(of: row, on: connection)
        guard tickets <= ticketsLeft else { return .exceedsTickets(left: ticketsLeft) }
        let isAll = amount == left && !key.hasPrefix(cancellationKey)
        try insert(
            payment: payment, key: key, amount: amount, tickets: isAll ? ticketsLeft : tickets, reason: reason,
            failureCode: nil, asked: asked, now: now, on: connection)
        try setAside(amount, of: payment, now: now, on: connection)
        try schedule(payment, on: connection)
        return .made(try find(key: key, on: connection)!)
    }

    /// Tickets of the payment that no refund is for.
    static func ticketsLeft(of row: PaymentRow, on connection: PostgresConnection) throws -> Int64 {
        let returned = try connection.query(
            "SELECT coalesce(sum(tickets), 0)::bigint FROM refunds WHERE payment_id = \(row.paymentId) AND set_aside"
        )[0].get(0, as: Int64.self)
        return max(0, Int64(row.tickets) - returned)
    }

    /// Tickets that Reservations has canceled, by the refunds that it has asked for.
    static func ticketsCanceled(of row: PaymentRow, on connection: PostgresConnection) throws -> Int64 {
        try connection.query(
            """
            SELECT coalesce(sum(tickets), 0)::bigint FROM refunds
            WHERE payment_id = \(row.paymentId) AND starts_with(request_key, \(cancellationKey))
            """)[0].get(0)
    }

    /// Keeps one that is due and can't be made, for somebody to look at and to retry. Nothing is set aside for it.
    static func keepRefused(
        payment: String, key: String, amount: Int64, tickets: Int64, reason: String, code: String, now: Int64,
        on connection: PostgresConnection
    ) throws {
        try insert(
            payment: payment, key: key, amount: amount, tickets: tickets, reason: reason, failureCode: code,
            asked: nil, now: now, on: connection)
    }

    /// - Parameter failureCode: why it is refused from the beginning; nil for one that is to be made.
    private static func insert(
        payment: String, key: String, amount: Int64, tickets: Int64, reason: String, failureCode: String?,
        asked: String?, now: Int64, on connection: PostgresConnection
    ) throws {
        let at = PostgresTimestamp(ms: now)
        let isRefused = failureCode != nil
        try connection.execute(
            """
            INSERT INTO refunds (refund_id, payment_id, request_key, amount, tickets, reason, state, set_aside,
                failure_code, next_run_at, started_at, created_at, updated_at, asked)
            VALUES (\(newID()), \(payment), \(key), \(amount), \(Int32(clamping: tickets)),
                \(String(reason.prefix(maxReasonLength))), \(isRefused ? "refused" : "requested"), \(!isRefused),
                \(failureCode), \(isRefused ? nil : at), \(at), \(at), \(at), \(asked))
            """)
    }

    private static func setAside(
        _ amount: Int64, of payment: String, now: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            UPDATE payments SET refund_committed = refund_committed + \(amount), updated_at = \(PostgresTimestamp(ms: now))
            WHERE payment_id = \(payment)
            """)
    }

    /// All that is left: there are no seats for what was paid.
    static func requestAll(of row: PaymentRow, now: Int64, on connection: PostgresConnection) throws {
        _ = try request(
            payment: row.paymentId, key: "lost:\(row.paymentId)", amount: nil, tickets: 0,
            reason: "좌석을 확보하지 못해 자동 환불", now: now, on: connection)
    }

    static func find(key: String, on connection: PostgresConnection) throws -> RefundRow? {
        try connection.query("SELECT \(sql: RefundRow.columns) FROM refunds WHERE request_key = \(key)").first
            .map(RefundRow.init)
    }

    static func find(_ id: String, on connection: PostgresConnection) throws -> RefundRow? {
        try connection.query("SELECT \(sql: RefundRow.columns) FROM refunds WHERE refund_id = \(id)").first
            .map(RefundRow.init)
    }

    static func all(of payment: String, on connection: PostgresConnection) throws -> [RefundRow] {
        try connection.query(
            """
            SELECT \(sql: RefundRow.columns) FROM refunds WHERE payment_id = \(payment) ORDER BY created_at, refund_id
            """
        ).map(RefundRow.init)
    }

    // MARK: Somebody has looked

    enum Retry: Sendable, Equatable {
        case retried(RefundRow)
        case unknown
        case notRefused(RefundRow)
        case notPaid
        case exceedsBalance(left: Int64)
    }

    /// A refused refund begins anew, under a number of its own; what was not set aside for it is now.
    static func retry(
        _ id: String, of payment: String, now: Int64, on connection: PostgresConnection
    ) throws -> Retry {
        let row = try PaymentStore.lock(payment, on: connection)
        guard let refund = try find(id, on: connection), refund.paymentId == payment else { return .unknown }
        guard refund.state == .refused else { return .notRefused(refund) }
        guard let row, row.approvedAt != nil else { return .notPaid }
        if !refund.isSetAside {
            let left = row.amount - row.refundCommitted
            guard refund.amount <= left else { return .exceedsBalance(left: left) }
            try setAside(refund.amount, of: payment, now: now, on: connection)
        }
        let at = PostgresTimestamp(ms: now)
        try connection.execute(
            """
            UPDATE refunds SET state = 'requested', set_aside = true, started_at = \(at), next_run_at = \(at),
                attempts = 0, failure_code = NULL, updated_at = \(at)
            WHERE refund_id = \(id)
            """)
        try schedule(payment, on: connection)
        return .retried(try find(id, on: connection)!)
    }

    /// Those that were due before it was known that the money is with us: tickets are made before that is stored, and may
    /// be canceled by then. Nothing where it isn't known yet either.
    static func retryUnpaid(of payment: String, now: Int64, on connection: PostgresConnection) throws {
        guard let row = try PaymentStore.lock(payment, on: connection), row.approvedAt != nil else { return }
        for refund in try all(of: payment, on: connection)
        where refund.state == .refused && refund.failureCode == notPaidCode {
            _ = try retry(refund.refundId, of: payment, now: now, on: connection)
        }
    }

    // MARK: What Toss has done

    /// Under the payment's lock. What it gives back is set aside by then.
    private static func complete(
        _ payment: PaymentRow, _ refund: RefundRow, transactionKey: String, at instant: Int64, now: Int64,
        on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            UPDATE refunds SET state = 'done', set_aside = true, attempts = attempts + 1, next_run_at = NULL,
                failure_code = NULL, transaction_key = \(transactionKey), completed_at = \(PostgresTimestamp(ms: instant)),
                updated_at = \(PostgresTimestamp(ms: now))
            WHERE refund_id = \(refund.refundId)
            """)
        let isWhole = try connection.query(
            """
            UPDATE payments SET refunded = refunded + \(refund.amount), updated_at = \(PostgresTimestamp(ms: now))
            WHERE payment_id = \(payment.paymentId) RETURNING refunded = amount
            """)[0].get(0, as: Bool.self)
        try schedule(payment.paymentId, on: connection)
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
        if try isWhole && isReturned(payment.paymentId, on: connection) {
            _ = try PaymentStore.apply(.returned, to: payment.paymentId, lease: nil, now: now, on: connection)
        }
    }

    /// Whether money was given back for tickets that Reservations has not canceled.
    private static func isReturned(_ payment: String, on connection: PostgresConnection) throws -> Bool {
        try !connection.query(
            """
            SELECT FROM refunds
            WHERE payment_id = \(payment) AND state = 'done' AND tickets > 0
                AND NOT starts_with(request_key, \(cancellationKey))
            LIMIT 1
            """
        ).isEmpty
    }

    /// What the keys of refunds begin with that Reservations has asked for.
    static let cancellationKey = "cancellation:"

    /// Stores what became of a refund, with its message.
    ///
    /// - Parameters:
    ///   - refund: as whoever asked Toss knows it: one that has another number by now, or that is somebody else's to
    ///     make, is left alone.
    ///   - lease: of the payment, as `takeDue` gave it.
    /// - Returns: whether it was stored.
    static func end(
        _ refund: RefundRow, _ step: RefundMachine.Step, completedAt: Int64?, lease: String, now: Int64,
        on connection: PostgresConnection
    ) throws -> Bool {
        guard let payment = try PaymentStore.lock(refund.paymentId, lease: lease, on: connection),
            let current = try find(refund.refundId, on: connection), current.state == refund.state,
            current.number == refund.number
        else { return false }
        let at = PostgresTimestamp(ms: now)
        let again = PostgresTimestamp(ms: now + PaymentTimes.backoff(current.attempts))
        switch step {
        case .done(let transactionKey):
            try complete(
                payment, current, transactionKey: transactionKey, at: completedAt ?? now, now: now, on: connection)
            return true
        case .again(let code):
            try connection.execute(
                """
                UPDATE refunds SET state = 'requested', attempts = attempts + 1, next_run_at = \(again),
                    failure_code = \(code), updated_at = \(at)
                WHERE refund_id = \(refund.refundId)
                """)
        case .stay(let code):
            try connection.execute(
                """
                UPDATE refunds SET attempts = attempts + 1, next_run_at = \(again), failure_code = \(code),
                    updated_at = \(at)
                WHERE refund_id = \(refund.refundId)
                """)
        case .refuse(let code):
            try connection.execute(
                """
                UPDATE refunds SET state = 'refused', attempts = attempts + 1, next_run_at = NULL,
                    failure_code = \(code), updated_at = \(at)
                WHERE refund_id = \(refund.refundId)
                """)
        }
        try schedule(refund.paymentId, on: connection)
        return true
    }

    /// Cancels that are no refunds of ours: somebody made them at Toss. Not while one of ours is under way, which could
    /// be among them. One that gives back what a refused refund was to give back is that refund.
    ///
    /// - Returns: how many were taken over; and whether one couldn't be, because our refunds need what is left.
    static func adopt(
        _ cancels: [TossPayment.Cancel], of payment: String, now: Int64, on connection: PostgresConnection
    ) throws -> (adopted: Int, isTooMuch: Bool) {
        guard let row = try PaymentStore.lock(payment, on: connection), row.approvedAt != nil else { return (0, false) }
        var refunds = try all(of: payment, on: connection)
        guard !refunds.contains(where: { $0.state == .sending }) else { return (0, false) }
        let known = Set(refunds.compactMap(\.transactionKey))
        var left = row.amount - row.refundCommitted
        var adopted = 0
        var isTooMuch = false
        for cancel in cancels where cancel.cancelAmount > 0 && !known.contains(cancel.transactionKey) {
            let refund: RefundRow
            if let waiting = refunds.first(where: { $0.mayBe(cancel) && ($0.isSetAside || $0.amount <= left) }) {
                refunds.removeAll { $0.refundId == waiting.refundId }
                if !waiting.isSetAside {
                    left -= waiting.amount
                    try setAside(waiting.amount, of: payment, now: now, on: connection)
                }
                refund = waiting
            } else {
                guard cancel.cancelAmount <= left,
                    case .made(let made) = try request(
                        payment: payment, key: "toss:\(cancel.transactionKey)", amount: cancel.cancelAmount,
                        tickets: 0, reason: "canceled at Toss", now: now, on: connection)
                else {
                    isTooMuch = true
                    continue
                }
                left -= cancel.cancelAmount
                refund = made
            }
            try complete(
                row, refund, transactionKey: cancel.transactionKey, at: cancel.at ?? now, now: now, on: connection)
            adopted += 1
        }
        return (adopted, isTooMuch)
    }
}
