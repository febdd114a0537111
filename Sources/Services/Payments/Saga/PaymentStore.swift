import Core
import Platform
import Storage

/// Statements on `payments`. Each that changes a row on behalf of a worker names its lease, so that one who was given up
/// for dead changes nothing.
enum PaymentStore {
    /// What Toss told that a transition keeps.
    struct Facts: Sendable {
        var paymentKey: String?
        var approvedAt: Int64?
        var tickets: [String]?
        /// More is to be stored than this transition does: as long as that isn't done, Toss is asked again.
        var isIncomplete = false
    }

    static func find(_ id: String, on connection: PostgresConnection) throws -> PaymentRow? {
        try connection.query("SELECT \(sql: PaymentRow.columns) FROM payments WHERE payment_id = \(id)").first
            .map(PaymentRow.init)
    }

    static func find(order: String, on connection: PostgresConnection) throws -> PaymentRow? {
        try connection.query("SELECT \(sql: PaymentRow.columns) FROM payments WHERE order_id = \(order)").first
            .map(PaymentRow.init)
    }

    static func lock(_ id: String, on connection: PostgresConnection) throws -> PaymentRow? {
        try connection.query(
            "SELECT \(sql: PaymentRow.columns) FROM payments WHERE payment_id = \(id) FOR UPDATE"
        ).first.map(PaymentRow.init)
    }

    /// Nil where somebody else has the lease by now.
    static func lock(_ id: String, lease: String, on connection: PostgresConnection) throws -> PaymentRow? {
        try connection.query(
            """
            SELECT \(sql: PaymentRow.columns) FROM payments WHERE payment_id = \(id) AND lease = \(lease) FOR UPDATE
            """
        ).first.map(PaymentRow.init)
    }

    /// - Parameter isFirst: whether only the first attempt of its reservation is wanted.
    /// - Returns: whether it was stored.
    static func insert(_ row: PaymentRow, isFirst: Bool, on connection: PostgresConnection) throws -> Bool {
        try connection.execute(
            """
            INSERT INTO payments (payment_id, order_id, reservation_id, user_id, event_id, artist_id, title, tickets,
                visitor_id, amount, currency, state, next_run_at, deadline_at, created_at, updated_at)
            SELECT \(row.paymentId), \(row.orderId), \(row.reservationId), \(row.userId), \(row.eventId),
                \(row.artistId), \(row.title), \(row.tickets), \(row.visitorId), \(row.amount), \(row.currency),
                \(row.state.rawValue), \(PostgresTimestamp(ms: row.createdAt + PaymentTimes.abandoned)),
                \(PostgresTimestamp(ms: row.deadlineAt)), \(PostgresTimestamp(ms: row.createdAt)),
                \(PostgresTimestamp(ms: row.createdAt))
            WHERE NOT \(isFirst)
                OR NOT EXISTS (SELECT FROM payments WHERE reservation_id = \(row.reservationId))
            """) == 1
    }

    /// Payments whose next step is due, leased: no other worker takes them until `leaseUntil`.
    static func takeDue(
        limit: Int, lease: String, now: Int64, leaseUntil: Int64, on connection: PostgresConnection
    ) throws -> [PaymentRow] {
        try connection.query(
            """
            UPDATE payments p SET lease = \(lease), lease_until = \(PostgresTimestamp(ms: leaseUntil))
            FROM (
                SELECT payment_id FROM payments
                WHERE next_run_at <= \(PostgresTimestamp(ms: now)) AND lease_until <= \(PostgresTimestamp(ms: now))
                ORDER BY next_run_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ) due
            WHERE p.payment_id = due.payment_id
            RETURNING \(sql: PaymentRow.columnsOfP)
            """
        ).map(PaymentRow.init)
    }

    /// After a transition: for the next step, or back where there is none.
    static func renew(_ row: PaymentRow, lease: String, until: Int64, on connection: PostgresConnection) throws {
        let goesOn = PaymentSaga.isWorking(row.state) || row.isRecheck
        try connection.execute(
            """
            UPDATE payments SET lease = \(goesOn ? lease : ""),
                lease_until = CASE WHEN \(goesOn) THEN \(PostgresTimestamp(ms: until)) ELSE '-infinity' END
            WHERE payment_id = \(row.paymentId) AND lease = \(lease)
            """)
    }

    /// The next attempt at the step where a payment stands.
    ///
    /// A hint that comes meanwhile is kept. It ends no wait of a step that is to be tried again: else it would end all waits
    /// for good, and such payments keep the others from their turns.
    ///
    /// - Parameter stuck: why somebody has to look at it, where that is so.
    static func postpone(
        _ row: PaymentRow, lease: String, until: Int64?, stuck: String?, now: Int64, on connection: PostgresConnection
    ) throws {
        let isWorking = PaymentSaga.isWorking(row.state)
        let hasAsked = row.state == .confirming
        try connection.execute(
            """
            UPDATE payments SET lease = '', lease_until = '-infinity', attempt = attempt + 1,
                rechecked_at = CASE WHEN \(hasAsked) THEN \(PostgresTimestamp(ms: now)) ELSE rechecked_at END,
                next_run_at = CASE WHEN recheck AND NOT \(isWorking)
                    THEN least(\(until.map { PostgresTimestamp(ms: $0) }), next_run_at)
                    ELSE \(until.map { PostgresTimestamp(ms: $0) }) END,
                stuck_reason = \(stuck), updated_at = \(PostgresTimestamp(ms: now))
            WHERE payment_id = \(row.paymentId) AND lease = \(lease)
            """)
    }

    /// A question that a hint had asked for is about to be put. The hint stays until it is answered, and is due again by
    /// then: whoever asks may die.
    static func beginRecheck(
        _ row: PaymentRow, lease: String, now: Int64, on connection: PostgresConnection
    ) throws {
        let again = now + max(PaymentTimes.recheck, PaymentTimes.backoff(row.attempt))
        try connection.execute(
            """
            UPDATE payments SET rechecked_at = \(PostgresTimestamp(ms: now)),
                next_run_at = CASE WHEN \(PaymentSaga.isWorking(row.state)) THEN next_run_at
                    ELSE \(PostgresTimestamp(ms: again)) END
            WHERE payment_id = \(row.paymentId) AND lease = \(lease)
            """)
    }

    /// It was answered, and all that follows from that is stored. Hints that have come since the row was read stay.
    static func endRecheck(_ row: PaymentRow, lease: String, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            UPDATE payments SET recheck = hints <> \(row.hints), attempt = 0
            WHERE payment_id = \(row.paymentId) AND lease = \(lease)
            """)
    }

    /// Something outside says that Toss knows more of these: they are asked about, and not too often.
    ///
    /// - Returns: how many there are.
    @discardableResult
    static func hint(
        orders: [String], keys: [String], now: Int64, on connection: PostgresConnection
    ) throws -> Set<String> {
        guard !orders.isEmpty || !keys.isEmpty else { return [] }
        // Locked in one order: several of us may wake the same.
        let rows = try connection.query(
            """
            UPDATE payments p SET \(sql: hinted(now))
            FROM (SELECT payment_id FROM payments WHERE order_id = ANY(\(orders)) OR payment_key = ANY(\(keys))
                ORDER BY payment_id FOR UPDATE) named
            WHERE p.payment_id = named.payment_id
            RETURNING p.order_id, p.payment_key
            """)
        var found: Set<String> = []
        for row in rows {
            found.insert(try row.get(0))
            if let key = try row.get(1, as: String?.self) { found.insert(key) }
        }
        return found
    }

    /// The same of one, whose lock the caller has.
    static func hint(payment id: String, now: Int64, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            UPDATE payments p SET \(sql: hinted(now))
            WHERE p.payment_id = \(id)
            """)
    }

    /// What a hint makes of a payment `p`.
    private static func hinted(_ now: Int64) -> SQL {
        """
        recheck = true, hints = p.hints + 1, next_run_at = least(p.next_run_at,
            greatest(\(PostgresTimestamp(ms: now)), p.rechecked_at + \(PaymentTimes.recheck) * interval '1 ms'))
        """
    }

    /// Stores what an event does, with its messages.
    ///
    /// - Parameter lease: of the worker, which it keeps for the next step; nil for a transition that anybody may make.
    /// - Returns: the row as it is afterwards; nil where the event changes nothing, or the lease is lost.
    static func apply(
        _ event: PaymentSaga.Event, to id: String, lease: String?, facts: Facts = Facts(), now: Int64,
        on connection: PostgresConnection
    ) throws -> PaymentRow? {
        let locked =
            if let lease { try lock(id, lease: lease, on: connection) } else { try lock(id, on: connection) }
        guard var row = locked else { return nil }
        guard let transition = PaymentSaga.next(row.state, event) else { return nil }
        let messages = row.take(transition, facts, now: now)
        try connection.execute(
            """
            UPDATE payments SET state = \(row.state.rawValue), payment_key = \(row.paymentKey),
                failure_code = \(row.failureCode), approved_at = \(row.approvedAt.map { PostgresTimestamp(ms: $0) }),
                ticket_ids = \(row.ticketIds), attempt = 0, stuck_reason = NULL,
                recheck = recheck OR \(facts.isIncomplete),
                next_run_at = CASE WHEN \(PaymentSaga.isWorking(row.state)) THEN \(PostgresTimestamp(ms: now))
                    WHEN recheck OR \(facts.isIncomplete)
                    THEN coalesce(next_run_at, \(PostgresTimestamp(ms: now))) END,
                deadline_at = \(PostgresTimestamp(ms: now + PaymentTimes.maxStep)),
                updated_at = \(PostgresTimestamp(ms: now))
            WHERE payment_id = \(id)
            """)
        if transition.commands.contains(.refundAll) { try RefundStore.requestAll(of: row, now: now, on: connection) }
        // A failed attempt may fail again after it was thought alive: the message is one.
        try Outbox.append(messages.filter { try !isPublished($0.id, on: connection) }, on: connection)
        return try find(id, on: connection)
    }

    /// One transition by one statement, with its messages, where the row is as the worker has read it under its lease. The
    /// lease is renewed, or given back where there is no next step.
    ///
    /// - Returns: the row as it is afterwards; nil where nothing was stored: then `apply` decides.
    static func advance(
        _ row: PaymentRow, _ event: PaymentSaga.Event, lease: String, leaseUntil: Int64, facts: Facts, now: Int64,
        on connection: PostgresConnection
    ) throws -> PaymentRow? {
        guard let transition = PaymentSaga.next(row.state, event), !transition.commands.contains(.refundAll) else {
            return nil
        }
        var next = row
        let messages = next.take(transition, facts, now: now)
        let isWorking = PaymentSaga.isWorking(next.state)
        let told: SQL =
            messages.isEmpty ? "" : ", told AS (\(sql: try Outbox.insertion(of: messages, from: "moved")))"
        return try connection.query(
            """
            WITH moved AS (
                UPDATE payments SET state = \(next.state.rawValue), payment_key = \(next.paymentKey),
                    failure_code = \(next.failureCode),
                    approved_at = \(next.approvedAt.map { PostgresTimestamp(ms: $0) }),
                    ticket_ids = \(next.ticketIds), attempt = 0, stuck_reason = NULL,
                    recheck = recheck OR \(facts.isIncomplete),
                    next_run_at = CASE WHEN \(isWorking) THEN \(PostgresTimestamp(ms: now))
                        WHEN recheck OR \(facts.isIncomplete)
                        THEN coalesce(next_run_at, \(PostgresTimestamp(ms: now))) END,
                    lease = CASE WHEN \(isWorking) OR recheck OR \(facts.isIncomplete) THEN lease ELSE '' END,
                    lease_until = CASE WHEN \(isWorking) OR recheck OR \(facts.isIncomplete) THEN \(PostgresTimestamp(ms: leaseUntil))
                        ELSE '-infinity' END,
                    deadline_at = \(PostgresTimestamp(ms: now + PaymentTimes.maxStep)),
                    updated_at = \(PostgresTimestamp(ms: now))
                WHERE payment_id = \(row.paymentId) AND lease = \(lease) AND state = \(row.state.rawValue)
                RETURNING \(sql: PaymentRow.columns)
            )\(sql: told)
            SELECT * FROM moved
            """
        ).first.map(PaymentRow.init)
    }

    private static func isPublished(_ id: String, on connection: PostgresConnection) throws -> Bool {
        try connection.query("SELECT FROM outbox WHERE message_id = \(id)").count > 0
    }
}

extension PaymentRow {
    static let columnsOfP: SQL = """
        p.payment_id, p.order_id, p.reservation_id, p.user_id, p.event_id, p.artist_id, p.title, p.tickets, p.visitor_id,
        p.amount, p.currency, p.state, p.payment_key, p.failure_code, p.confirm_asked_at, p.approved_at, p.ticket_ids,
        p.refund_committed, p.refunded, p.recheck, p.attempt, p.deadline_at, p.stuck_reason, p.created_at, p.updated_at,
        p.hints
        """

    /// What a transition makes of it.
    ///
    /// - Returns: the messages that belong to it.
    mutating func take(_ transition: PaymentSaga.Transition, _ facts: PaymentStore.Facts, now: Int64) -> [Message] {
        state = transition.state
        paymentKey = facts.paymentKey ?? paymentKey
        var messages: [Message] = []
        for command in transition.commands {
            switch command {
            case .recordApproval:
                let instant = facts.approvedAt ?? now
                approvedAt = instant
                failureCode = nil
                messages.append(completed(at: instant))
            case .recordFailure(let code):
                failureCode = code
                messages.append(failed(code, at: now))
            case .recordTickets: ticketIds = facts.tickets ?? []
            case .refundAll: break
            }
        }
        return messages
    }

    func completed(at instant: Int64) -> Message {
        Message(
            id: "payment.completed:\(paymentId)", occurredAt: instant,
            body: .paymentCompleted(
                .init(
                    paymentId: paymentId, eventId: eventId, artistId: artistId, amount: amount, currency: currency,
                    tickets: Int64(tickets), visitorId: visitorId)))
    }

    func failed(_ code: String, at instant: Int64) -> Message {
        Message(
            id: "payment.failed:\(paymentId)", occurredAt: instant,
            body: .paymentFailed(.init(paymentId: paymentId, reservationId: reservationId, code: code)))
    }
}
