import Core
import Foundation
import HTTPTypes
import Platform
import Storage

/// Statements by which an order comes about and its confirmation begins.
enum OrderStore {
    private static let letters = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    /// 32 characters of a 58-letter alphabet: 187 bits.
    static func newOrderId() -> String {
        var generator = SystemRandomNumberGenerator()
        var name: [UInt8] = []
        while name.count < 32 {
            // Six bits are a letter's number, or thrown away: ten letters of one call to the system.
            var bits = generator.next()
            for _ in 0..<10 where name.count < 32 {
                let number = Int(bits & 63)
                bits >>= 6
                if number < letters.count { name.append(letters[number]) }
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    static func isPaymentKey(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2d || byte == 0x5f
        }
    }

    /// The first order of a reservation, in one round trip; nil where it has one already, or had.
    static func first(
        _ reservation: Reservation, now: Int64, on connection: PostgresConnection
    ) throws -> PaymentRow? {
        let row = PaymentRow(reservation, now: now)
        return try PaymentStore.insert(row, isFirst: true, on: connection) ? row : nil
    }

    /// The reservation's order: the live one where it is still good, else a new one.
    static func order(_ reservation: Reservation, now: Int64, on connection: PostgresConnection) throws -> PaymentRow {
        // Payments are locked in the order of their ids, everywhere.
        let attempts = try connection.query(
            """
            SELECT \(sql: PaymentRow.columns) FROM payments WHERE reservation_id = \(reservation.id)
            ORDER BY payment_id FOR UPDATE
            """
        ).map(PaymentRow.init)
        if attempts.contains(where: { $0.state == .paid || $0.state == .ticketed }) {
            throw Problem(.conflict, "already_paid", detail: "the reservation is paid")
        }
        if attempts.contains(where: { $0.state == .confirming }) {
            throw Problem(
                .conflict, "payment_under_way", detail: "a payment of the reservation is being confirmed",
                retryAfterSeconds: PaymentAPI.retryAfterSeconds)
        }
        if let ready = attempts.first(where: { $0.state == .ready }) {
            if ready.amount == reservation.amount, now < ready.createdAt + PaymentTimes.reuse { return ready }
            _ = try PaymentStore.apply(.abandoned, to: ready.paymentId, lease: nil, now: now, on: connection)
        }
        let row = PaymentRow(reservation, now: now)
        _ = try PaymentStore.insert(row, isFirst: false, on: connection)
        return row
    }

    enum Begun: Sendable {
        case begun(PaymentRow)
        /// It was asked for before.
        case known(PaymentRow)
        case notFound
        case amountDiffers
        case otherKey
    }

    /// Stores that the buyer wants to confirm, before anybody is asked: whatever happens from here on, a worker finds it.
    ///
    /// - Parameter lease: of whoever goes on at once; nil leaves it to the worker.
    static func beginConfirming(
        order: String, paymentKey: String, amount: Int64, of user: String, lease: String?, leaseUntil: Int64,
        now: Int64,
        on connection: PostgresConnection
    ) throws -> Begun {
        let next = PaymentSaga.next(.ready, .confirmAsked)!
        // Once more where the order came between the two statements: a state is never ready again.
        for _ in 0..<2 {
            // What the browser says is only compared (trap 2).
            let begun = try connection.query(
                """
                UPDATE payments SET state = \(next.state.rawValue), payment_key = \(paymentKey),
                    confirm_asked_at = \(PostgresTimestamp(ms: now)), lease = \(lease ?? ""),
                    lease_until = CASE WHEN \(lease != nil) THEN \(PostgresTimestamp(ms: leaseUntil))
                        ELSE '-infinity' END,
                    attempt = 0, stuck_reason = NULL, next_run_at = \(PostgresTimestamp(ms: now)),
                    deadline_at = \(PostgresTimestamp(ms: now + PaymentTimes.maxStep)),
                    updated_at = \(PostgresTimestamp(ms: now))
                WHERE order_id = \(order) AND user_id = \(user) AND amount = \(amount)
                    AND state = \(PaymentSaga.State.ready.rawValue)
                RETURNING \(sql: PaymentRow.columns)
                """)
            if let row = begun.first { return .begun(try PaymentRow(row)) }
            guard let row = try PaymentStore.find(order: order, on: connection), row.userId == user else {
                return .notFound
            }
            guard row.amount == amount else { return .amountDiffers }
            guard row.state == .ready else { return row.paymentKey == paymentKey ? .known(row) : .otherKey }
        }
        return .notFound
    }
}

extension PaymentRow {
    /// A new attempt to pay a reservation.
    init(_ reservation: Reservation, now: Int64) {
        paymentId = UUID().uuidString.lowercased()
        orderId = OrderStore.newOrderId()
        reservationId = reservation.id
        userId = reservation.userId
        eventId = reservation.eventId
        artistId = reservation.artistId
        title = reservation.title
        tickets = Int32(clamping: max(reservation.tickets, 1))
        visitorId = reservation.visitorId
        amount = reservation.amount
        currency = reservation.currency
        state = .ready
        paymentKey = nil
        failureCode = nil
        confirmAskedAt = nil
        approvedAt = nil
        ticketIds = []
        refundCommitted = 0
        refunded = 0
        isRecheck = false
        hints = 0
        attempt = 0
        deadlineAt = now + PaymentTimes.abandoned
        stuckReason = nil
        createdAt = now
        updatedAt = now
    }
}
