import Core
import Storage

/// A payment or a refund, as the ledger has it: what a refund takes away is negative.
struct MoneyRow: Sendable, Equatable {
    /// The order in which both databases are read.
    struct Key: Hashable, Comparable, Sendable {
        var day: Day
        /// Of the message.
        var id: ExactText

        static func < (left: Key, right: Key) -> Bool { (left.day, left.id) < (right.day, right.id) }
    }

    var key: Key
    var paymentId: String
    var occurredAt: Int64
    var artistId: String
    var eventId: String
    var currency: String
    var orders: Int64
    var tickets: Int64
    var amount: Int64
    var isRefund: Bool
    /// Whether the outbox still has its message.
    var isOnTheWay: Bool

    init(_ row: PostgresRow) throws {
        key = Key(day: try row.get(0), id: ExactText(try row.get(1)))
        paymentId = try row.get(2)
        occurredAt = try row.get(3, as: PostgresTimestamp.self).ms
        artistId = try row.get(4)
        eventId = try row.get(5)
        currency = try row.get(6)
        orders = try row.get(7)
        tickets = try row.get(8)
        amount = try row.get(9)
        isRefund = try row.get(10)
        isOnTheWay = try row.get(11)
    }

    var moneyText: String { "\(amount) \(currency), \(tickets) tickets" }

    /// What this, the ledger's, has otherwise than payments.
    func differences(from paid: MoneyRow) -> [String] {
        var differences: [String] = []
        func compare<Value: Equatable>(_ name: String, _ value: KeyPath<MoneyRow, Value>) {
            let (own, other) = (self[keyPath: value], paid[keyPath: value])
            if own != other { differences.append("\(name) \(own), payments has \(other)") }
        }
        compare("amount", \.amount)
        compare("currency", \.currency)
        compare("tickets", \.tickets)
        compare("orders", \.orders)
        compare("kind", \.kind)
        compare("payment", \.exactPaymentId)
        compare("artist", \.exactArtistId)
        compare("event", \.exactEventId)
        compare("occurred at", \.instant)
        return differences
    }

    private var kind: String { isRefund ? "refund" : "payment" }
    private var exactPaymentId: ExactText { ExactText(paymentId) }
    private var exactArtistId: ExactText { ExactText(artistId) }
    private var exactEventId: ExactText { ExactText(eventId) }
    private var instant: String { Instant.iso8601(occurredAt) }
}

// MARK: Statements

extension MoneyRow {
    /// The ledger's, in order.
    static func booked(_ range: ClosedRange<Day>?, _ calendar: ReportingCalendar) -> SQL {
        let instants = instants(range, calendar)
        return """
            \(sql: booked(calendar)) WHERE occurred_at >= \(instants.lower) AND occurred_at < \(instants.upper)
            ORDER BY day, message_id COLLATE "C"
            """
    }

    static func booked(message: String, _ calendar: ReportingCalendar) -> SQL {
        "\(sql: booked(calendar)) WHERE message_id = \(message)"
    }

    private static func booked(_ calendar: ReportingCalendar) -> SQL {
        """
        SELECT (occurred_at AT TIME ZONE \(calendar.identifier))::date AS day, message_id, payment_id, occurred_at,
            artist_id, event_id, currency, orders, tickets, amount, kind = 'refund', false
        FROM revenue_ledger
        """
    }

    /// Payments' own, in order.
    static func paid(_ range: ClosedRange<Day>?, _ calendar: ReportingCalendar) -> SQL {
        let instants = instants(range, calendar)
        let all = paid(
            calendar, payment: "p.approved_at >= \(instants.lower) AND p.approved_at < \(instants.upper)",
            refund: "r.completed_at >= \(instants.lower) AND r.completed_at < \(instants.upper)")
        return """
            \(sql: all) ORDER BY day, m.message_id COLLATE "C"
            """
    }

    /// Nil for an id that no message of payments has.
    static func paid(message: String, _ calendar: ReportingCalendar) -> SQL? {
        if message.hasPrefix(completed) {
            let id = String(message.dropFirst(completed.count))
            return paid(calendar, payment: "p.payment_id = \(id)", refund: "false")
        }
        if message.hasPrefix(refunded) {
            let id = String(message.dropFirst(refunded.count))
            return paid(calendar, payment: "false", refund: "r.refund_id = \(id)")
        }
        return nil
    }

    /// What payments' message ids begin with.
    private static let completed = "payment.completed:"
    private static let refunded = "payment.refunded:"

    private static func paid(_ calendar: ReportingCalendar, payment: SQL, refund: SQL) -> SQL {
        """
        SELECT (m.occurred_at AT TIME ZONE \(calendar.identifier))::date AS day, m.message_id, m.payment_id, m.occurred_at,
            m.artist_id, m.event_id, m.currency, m.orders, m.tickets, m.amount, m.orders = 0,
            o.message_id IS NOT NULL
        FROM (
            SELECT \(completed) || p.payment_id AS message_id, p.payment_id, p.approved_at AS occurred_at, p.artist_id,
                p.event_id, p.currency, 1::bigint AS orders, p.tickets::bigint, p.amount
            FROM payments p WHERE p.approved_at IS NOT NULL AND \(sql: payment)
            UNION ALL
            SELECT \(refunded) || r.refund_id, r.payment_id, r.completed_at, p.artist_id, p.event_id, p.currency,
                0, -r.tickets::bigint, -r.amount
            FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
            WHERE r.completed_at IS NOT NULL AND \(sql: refund)
        ) m LEFT JOIN outbox o ON o.message_id = m.message_id
        """
    }

    private static func instants(
        _ range: ClosedRange<Day>?, _ calendar: ReportingCalendar
    ) -> (lower: PostgresTimestamp, upper: PostgresTimestamp) {
        guard let range else { return (.negativeInfinity, .infinity) }
        return (
            PostgresTimestamp(ms: calendar.start(of: range.lowerBound)),
            PostgresTimestamp(ms: calendar.start(of: range.upperBound + 1))
        )
    }
}
