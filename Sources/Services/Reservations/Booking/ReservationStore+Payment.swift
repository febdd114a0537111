import Core
import HTTPTypes
import Platform
import Storage

/// The steps that Payments takes: each may be repeated.
extension ReservationStore {
    func confirming(_ id: String, paymentId: String, amount: Int64) async throws {
        let now = clock()
        let isKept = try await grouped(id) { connection in
            try connection.query(Self.keepStatement(id, paymentId: paymentId, amount: amount, now: now))[0]
                .get(0, as: Bool.self)
        }
        if isKept {
            ReservationCrashPoint.confirmingRecorded.reached()
            return
        }
        // It isn't simply held. Why, and whether it is this attempt's already, is decided under its lock.
        let decision = try await transaction { connection in
            guard let reservation = try Reservation.find(id, isLocked: true, on: connection) else {
                throw Self.unknownReservation
            }
            if try ReleasedPayments.contain(paymentId, on: connection) { return Reservation.Confirming.notHeld }
            let decision = reservation.confirming(paymentId: paymentId, amount: amount, now: now)
            if decision == .keep {
                try Self.move(
                    reservation, to: .confirming, paymentId: paymentId, claims: "confirming",
                    until: now + Self.confirmingMs, now: now, on: connection)
            }
            return decision
        }
        switch decision {
        case .keep: ReservationCrashPoint.confirmingRecorded.reached()
        case .notHeld:
            throw Problem(
                .conflict, "not_held",
                detail: "the reservation has expired, was canceled or paid, another attempt is being confirmed, or "
                    + "this one was given up")
        case .amountDiffers:
            throw Problem(.conflict, "amount_differs", detail: "the amount is not the reservation's")
        }
    }

    func release(_ id: String, paymentId: String) async throws {
        let now = clock()
        try await transaction { connection in
            guard let reservation = try Reservation.find(id, isLocked: true, on: connection) else {
                throw Self.unknownReservation
            }
            try ReleasedPayments.note(paymentId, now: now, on: connection)
            try Self.letGo(reservation, paymentId: paymentId, now: now, on: connection)
        }
        ReservationCrashPoint.releaseRecorded.reached()
    }

    /// All of its money was given back, and not for tickets that were canceled: tickets that are left are void, and seats
    /// that it keeps are let go.
    func returned(_ id: String, paymentId: String) async throws {
        let now = clock()
        try await transaction { connection in
            guard let reservation = try Reservation.find(id, isLocked: true, on: connection) else {
                throw Self.unknownReservation
            }
            try ReleasedPayments.note(paymentId, isReturned: true, now: now, on: connection)
            guard reservation.state == .paid, reservation.paymentId == paymentId else {
                return try Self.letGo(reservation, paymentId: paymentId, now: now, on: connection)
            }
            let tickets = try Self.chosen(nil, of: reservation, usedToo: true, on: connection)
            _ = try Self.giveBack(
                reservation, CancellationQuote(nothingFor: tickets), reason: .returned, now: now, on: connection)
            ReservationCrashPoint.releaseWritten.reached()
        }
        ReservationCrashPoint.releaseRecorded.reached()
    }

    private static func letGo(
        _ reservation: Reservation, paymentId: String, now: Int64, on connection: PostgresConnection
    ) throws {
        switch reservation.release(paymentId: paymentId, now: now) {
        case .nothing: return
        case .holdAgain:
            try move(
                reservation, to: .held, paymentId: nil, claims: "held", until: reservation.expiresAt, now: now,
                on: connection)
        case .expire:
            try end(reservation, as: .expired, now: now, on: connection)
            try Outbox.append([reservation.message(.reservationExpired, at: now)], on: connection)
        }
        ReservationCrashPoint.releaseWritten.reached()
    }

    /// Returns the tickets' ids, in the order of their seats.
    ///
    /// - Parameter approvedAt: when the money was taken.
    func sold(_ id: String, paymentId: String, approvedAt: Int64) async throws -> [String] {
        let now = clock()
        let lost = Problem(
            .conflict, "seats_lost", detail: "the reservation can't be sold any more: give the money back")
        do {
            let sold: [String]? = try await grouped(id) { connection in
                try connection.query(
                    Self.sellStatement(id, paymentId: paymentId, approvedAt: approvedAt, now: now)
                )[0].get(0)
            }
            if let sold {
                ReservationCrashPoint.saleRecorded.reached()
                return sold
            }
            let tickets: [String]? = try await transaction { connection in
                guard let reservation = try Reservation.find(id, isLocked: true, on: connection) else {
                    throw Self.unknownReservation
                }
                if try ReleasedPayments.containReturned(paymentId, on: connection) { return nil }
                switch reservation.sale(paymentId: paymentId) {
                case .isSold: return try Self.ticketIds(of: id, on: connection)
                case .lost: return nil
                case .sell: break
                case .claimAgain:
                    let taken = try connection.query(
                        """
                        SELECT claim_seats(\(reservation.eventId), \(reservation.seatIds), \(id), \(reservation.userId),
                            'held', \(PostgresTimestamp(ms: now)), \(PostgresTimestamp(ms: now)))
                        """)[0].get(0, as: [String]?.self)
                    if taken != nil { return nil }
                }
                return try Self.sell(
                    reservation, paymentId: paymentId, approvedAt: approvedAt, now: now, on: connection)
            }
            guard let tickets else { throw lost }
            ReservationCrashPoint.saleRecorded.reached()
            return tickets
        } catch let error as PostgresError where error.sqlState == Self.takenState {
            throw lost
        }
    }

    // MARK: Rows

    /// `Reservation.confirming` of one that is held, for an attempt that was not released, and carried out: one
    /// statement. Whether they are kept now.
    static func keepStatement(_ id: String, paymentId: String, amount: Int64, now: Int64) -> SQL {
        """
        SELECT keep_seats(\(id), \(paymentId), \(amount), \(PostgresTimestamp(ms: now)),
            \(PostgresTimestamp(ms: now + confirmingMs)))
        """
    }

    /// `Reservation.sale` of one that this attempt is confirming, and carried out: one statement. Null where it is something
    /// else; else the tickets' ids in the order of their seats.
    static func sellStatement(_ id: String, paymentId: String, approvedAt: Int64, now: Int64) -> SQL {
        """
        SELECT sell_seats(\(id), \(paymentId), \(PostgresTimestamp(ms: approvedAt)), \(PostgresTimestamp(ms: now)))
        """
    }

    /// The row's and its claims' next state, both by what they were.
    private static func move(
        _ reservation: Reservation, to state: Reservation.State, paymentId: String?, claims: String, until: Int64,
        now: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            WITH moved AS (
                UPDATE reservations SET state = \(state.rawValue), payment_id = \(paymentId), version = version + 1,
                    changed_at = \(PostgresTimestamp(ms: now))
                WHERE id = \(reservation.id) AND version = \(reservation.version) RETURNING id
            )
            UPDATE seat_claims c SET state = \(claims), expires_at = \(PostgresTimestamp(ms: until)),
                version = c.version + 1
            FROM moved WHERE c.reservation_id = moved.id
            """)
    }

    /// Ends it without a sale: its seats are free.
    static func end(
        _ reservation: Reservation, as state: Reservation.State, now: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            WITH ended AS (
                UPDATE reservations SET state = \(state.rawValue), version = version + 1,
                    payment_id = CASE WHEN paid_at IS NULL THEN NULL ELSE payment_id END,
                    changed_at = \(PostgresTimestamp(ms: now))
                WHERE id = \(reservation.id) AND version = \(reservation.version) RETURNING id
            )
            DELETE FROM seat_claims c USING ended WHERE c.reservation_id = ended.id
            """)
    }

    private static func sell(
        _ reservation: Reservation, paymentId: String, approvedAt: Int64, now: Int64,
        on connection: PostgresConnection
    ) throws -> [String] {
        let tickets = reservation.seatIds.map { _ in newId() }
        let sold = try connection.execute(
            """
            WITH paid AS (
                UPDATE reservations SET state = 'paid', payment_id = \(paymentId),
                    paid_at = \(PostgresTimestamp(ms: approvedAt)), version = version + 1,
                    changed_at = \(PostgresTimestamp(ms: now))
                WHERE id = \(reservation.id) AND version = \(reservation.version) RETURNING id, event_id
            ), claimed AS (
                UPDATE seat_claims c SET state = 'sold', version = c.version + 1
                FROM paid WHERE c.reservation_id = paid.id RETURNING c.seat_id
            )
            INSERT INTO tickets (id, reservation_id, event_id, seat_id, price, state)
            SELECT t.id, paid.id, paid.event_id, t.seat, t.price, 'valid'
            FROM paid, unnest(\(tickets), \(reservation.seatIds), \(reservation.prices)) AS t (id, seat, price)
            JOIN claimed ON claimed.seat_id = t.seat
            """)
        // Each seat is claimed, or nothing is sold.
        guard sold == tickets.count else {
            throw PostgresError(.server(sqlState: takenState), "a reservation has lost a claim of its own")
        }
        try Outbox.append([reservation.message(.reservationConfirmed, at: now)], on: connection)
        return tickets
    }

    private static func ticketIds(of id: String, on connection: PostgresConnection) throws -> [String] {
        try connection.query("SELECT id FROM tickets WHERE reservation_id = \(id) ORDER BY seat_id")
            .map { try $0.get(0) }
    }
}
