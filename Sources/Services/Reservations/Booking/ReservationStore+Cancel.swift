import Core
import HTTPTypes
import Platform
import Storage

/// Why a paid ticket was canceled.
enum CancellationReason: String, Sendable {
    case buyer, admin, organizer
    /// All of its money was given back elsewhere.
    case returned
}

extension ReservationStore {
    /// What cancelling brings.
    struct Cancellation: Sendable, Equatable {
        /// Nil where there is nothing to be given back for: it was only held.
        var id: String?
        var ticketIds: [String] = []
        var amount: Int64 = 0
        /// Of the hold, for whoever keeps notes of taken seats.
        var freedSeats: [String] = []
    }

    /// Cancels a hold, or a paid reservation, or some of its tickets. Where all of that is canceled already it is a
    /// repeat, and brings nothing more.
    ///
    /// - Parameters:
    ///   - ticketIds: nil for all.
    ///   - isFull: an admin gives back all of it, whatever the policy says and whenever.
    ///   - subject: who wants it; nil for the buyer.
    func cancel(
        _ id: String, ticketIds: Set<String>? = nil, isFull: Bool = false, by subject: String? = nil,
        isAllowed: @escaping @Sendable (Reservation) -> Bool
    ) async throws -> Cancellation {
        let now = clock()
        let cancellation: Cancellation = try await transaction { connection in
            guard let reservation = try Reservation.find(id, isLocked: true, on: connection), isAllowed(reservation)
            else { throw Self.notFound }
            switch reservation.state {
            case .held:
                guard ticketIds == nil else { throw Self.noTickets }
                try Self.end(reservation, as: .canceled, now: now, on: connection)
                try Outbox.append([reservation.message(.reservationCanceled, at: now)], on: connection)
                return Cancellation(freedSeats: reservation.seatIds)
            case .confirming:
                throw Problem(
                    .conflict, "confirming", detail: "it is being paid at this moment: try again when that is over",
                    retryAfterSeconds: 5)
            case .expired:
                throw Problem(.conflict, "expired", detail: "the reservation has expired")
            case .canceled: return Cancellation()
            case .paid: break
            }
            let tickets = try Self.chosen(ticketIds, of: reservation, usedToo: isFull, on: connection)
            if tickets.isEmpty { return Cancellation() }
            let refund = try CancellationQuote(reservation, tickets, isFull: isFull, now: now)
            let isBuyer = !isFull && (subject ?? reservation.userId) == reservation.userId
            let cancellation = try Self.giveBack(
                reservation, refund, reason: isBuyer ? .buyer : .admin, now: now, on: connection)
            ReservationCrashPoint.cancellationWritten.reached()
            return cancellation
        }
        if cancellation.id != nil { ReservationCrashPoint.cancellationRecorded.reached() }
        return cancellation
    }

    private static let noTickets = Problem.invalid("ticketIds", "has tickets that are not of this reservation")

    static func chosen(
        _ ids: Set<String>?, of reservation: Reservation, usedToo: Bool, on connection: PostgresConnection
    ) throws -> [Ticket] {
        // A gate may be taking one just now: it has, or it finds a ticket that is void.
        _ = try connection.query(
            "SELECT FROM tickets WHERE reservation_id = \(reservation.id) ORDER BY id FOR UPDATE")
        let all = try Ticket.of(reservation: reservation.id, on: connection)
        if let ids, !ids.isSubset(of: all.map(\.id)) { throw noTickets }
        let chosen = all.filter { $0.state != .void && ids?.contains($0.id) != false }
        if !usedToo, chosen.contains(where: { $0.state == .used }) {
            throw Problem(.conflict, "ticket_used", detail: "a ticket that has been used can't be canceled")
        }
        return chosen
    }

    /// Voids the tickets, frees their seats and says what is due for them. Under the reservation's lock.
    static func giveBack(
        _ reservation: Reservation, _ quote: CancellationQuote, reason: CancellationReason, now: Int64,
        on connection: PostgresConnection
    ) throws -> Cancellation {
        let id = newId()
        let tickets = quote.parts.map(\.ticket)
        let left = try connection.query(
            """
            WITH voided AS (
                UPDATE tickets SET state = 'void'
                WHERE reservation_id = \(reservation.id) AND id = ANY (\(tickets.map(\.id))) AND state <> 'void'
                RETURNING seat_id
            ), freed AS (
                DELETE FROM seat_claims c USING voided
                WHERE c.reservation_id = \(reservation.id) AND c.seat_id = voided.seat_id
            ), noted AS (
                INSERT INTO cancellations (id, reservation_id, ticket_ids, amount, reason, canceled_at)
                VALUES (\(id), \(reservation.id), \(tickets.map(\.id)), \(quote.amount), \(reason.rawValue),
                    \(PostgresTimestamp(ms: now)))
            )
            SELECT count(*) FROM tickets
            WHERE reservation_id = \(reservation.id) AND state <> 'void' AND NOT id = ANY (\(tickets.map(\.id)))
            """)[0].get(0, as: Int64.self)
        try connection.execute(
            """
            UPDATE reservations SET state = \(left == 0 ? "canceled" : "paid"), version = version + 1,
                changed_at = \(PostgresTimestamp(ms: now))
            WHERE id = \(reservation.id) AND version = \(reservation.version)
            """)
        var messages: [Message] = []
        // Nothing was paid for a seat that costs nothing.
        if quote.amount > 0 {
            let due = RefundDue(
                cancellationId: id, reservationId: reservation.id, paymentId: reservation.paymentId ?? "",
                amount: quote.amount, currency: reservation.currency, tickets: Int64(tickets.count),
                reason: reason.rawValue)
            messages.append(Message(id: "refund.due:\(id)", occurredAt: now, body: .refundDue(due)))
        }
        if left == 0 {
            messages.append(reservation.message(.reservationCanceled, at: now))
        } else {
            // No message says that seats of it are free.
            try AvailabilityFeed.mark([reservation.eventId], on: connection)
        }
        try Outbox.append(messages, on: connection)
        return Cancellation(
            id: id, ticketIds: tickets.map(\.id), amount: quote.amount, freedSeats: tickets.map(\.seatId))
    }
}
