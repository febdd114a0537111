import Logging
import Platform
import Storage

extension PaymentWorker {
    /// One step from where a payment stands.
    ///
    /// - Returns: the row after it; nil where nothing could be decided, and it is to be tried later.
    func step(_ row: PaymentRow, lease: String, isFresh: Bool) async throws -> PaymentRow? {
        switch row.state {
        case .confirming: return try await confirm(row, lease, isFresh: isFresh)
        case .releasing: return try await released(row, lease, by: reservations.release)
        case .returning: return try await released(row, lease, by: reservations.returned)
        case .paid: return try await sell(row, lease)
        case .ready, .failed, .ticketed, .unfulfilled: return try await recheck(row, lease)
        }
    }

    private func isConfirmable(_ row: PaymentRow) -> Bool {
        clock() < (row.confirmAskedAt ?? 0) + PaymentTimes.confirmation
    }

    // MARK: Toss

    /// All from the wish to confirm to the tickets, with nothing stored between: Toss remembers what it has taken, and
    /// Reservations what it keeps and has sold, and whoever goes on after a crash asks them for it, Toss first.
    private func confirm(_ row: PaymentRow, _ lease: String, isFresh: Bool) async throws -> PaymentRow? {
        guard let paymentKey = row.paymentKey else { return nil }
        if !isFresh {
            // Toss may have been asked before, and have done it.
            switch await toss.payment(order: row.orderId) {
            case .found(let payment):
                if let decided = try await adopt(payment, row, lease) { return decided }
                guard payment.status == .ready || payment.status == .inProgress, isConfirmable(row) else { return nil }
            case .notFound:
                if clock() >= (row.confirmAskedAt ?? 0) + PaymentTimes.confirmation + PaymentTimes.grace {
                    return try await store(.refused("EXPIRED_PAYMENT"), row, lease: lease)
                }
                guard isConfirmable(row) else { return nil }
            case .unknown: return nil
            }
        }
        // Trap 16: a buyer may come back long after the hold is over. Until Reservations says that the seats are kept for
        // this payment, Toss isn't asked for money.
        PaymentCrashPoint.beforeGuard.reached()
        let kept = await reservations.confirming(row.reservationId, payment: row.paymentId, amount: row.amount)
        PaymentCrashPoint.afterGuard.reached()
        switch kept {
        case .ok: break
        case .conflict(let code) where code == "not_held" || code == "amount_differs":
            return try await refuse(.guardRefused(code), row, lease, isFresh: isFresh)
        case .notFound:
            return try await refuse(
                .guardRefused(ReservationClient.unknownReservation), row, lease, isFresh: isFresh)
        case .conflict, .unknown: return nil
        }
        PaymentCrashPoint.beforeTossConfirm.reached()
        let outcome = await toss.confirm(
            paymentKey: paymentKey, orderId: row.orderId, amount: row.amount, key: "confirm:\(row.paymentId)")
        PaymentCrashPoint.afterTossConfirm.reached()
        switch outcome {
        case .ok(let payment): return try await adopt(payment, row, lease)
        case .refused(let code, let kind):
            guard kind != .later else { return nil }
            return try await refuse(.refused(code), row, lease, isFresh: isFresh)
        case .unknown:
            // Trap 4: it may have been done. Only Toss can tell.
            guard case .found(let payment) = await toss.payment(order: row.orderId) else { return nil }
            return try await adopt(payment, row, lease)
        }
    }

    /// Where an earlier call, or one of a worker that was given up for dead, may have been done after all, only what Toss
    /// keeps decides: that worker may even have sold the seats, which Reservations keeps for nobody then.
    private func refuse(
        _ event: PaymentSaga.Event, _ row: PaymentRow, _ lease: String, isFresh: Bool
    ) async throws -> PaymentRow? {
        if isFresh { return try await store(event, row, lease: lease) }
        switch await toss.payment(order: row.orderId) {
        case .found(let payment):
            if let decided = try await adopt(payment, row, lease) { return decided }
            guard payment.status == .ready || payment.status == .inProgress else { return nil }
            return try await store(event, row, lease: lease)
        case .notFound: return try await store(event, row, lease: lease)
        case .unknown: return nil
        }
    }

    /// Does what Toss says of a payment.
    ///
    /// - Returns: nil where that decides nothing.
    func adopt(_ payment: TossPayment, _ row: PaymentRow, _ lease: String) async throws -> PaymentRow? {
        guard payment.orderId == row.orderId, payment.totalAmount == row.amount,
            payment.currency ?? row.currency == row.currency
        else {
            try await alarm("amount_differs", row, lease)
            return nil
        }
        var facts = PaymentStore.Facts(paymentKey: payment.paymentKey, approvedAt: payment.approved)
        // The refunds are stored after the transition, and whoever does it may die between the two.
        facts.isIncomplete = payment.cancels?.isEmpty == false
        let event: PaymentSaga.Event
        switch payment.status {
        case .done, .partialCanceled: event = .approved
        case .canceled:
            // Canceled without an approval: no money has moved.
            event = payment.approved == nil ? .refused("CANCELED") : .approvedAndCanceled
        case .aborted: event = .refused(payment.failure?.code ?? "ABORTED")
        case .expired: event = .refused("EXPIRED_PAYMENT")
        case .ready, .inProgress, .waitingForDeposit: return nil
        }
        if event == .approved, row.state == .confirming, !facts.isIncomplete {
            return try await sellApproved(row, lease, facts)
        }
        let stored = try await store(event, row, lease: lease, facts: facts)
        try await handMade.adopt(payment, of: row.paymentId)
        return stored
    }

    private func alarm(_ reason: String, _ row: PaymentRow, _ lease: String) async throws {
        logger.critical("a payment isn't what it should be at Toss", metadata: ["payment": "\(row.paymentId)"])
        try await postgres.withConnection { connection in
            _ = try connection.execute(
                """
                UPDATE payments SET stuck_reason = \(reason) WHERE payment_id = \(row.paymentId) AND lease = \(lease)
                """)
        }
    }

    /// A hint has come, or nobody has for too long.
    private func recheck(_ row: PaymentRow, _ lease: String) async throws -> PaymentRow? {
        let now = clock()
        if row.isRecheck {
            try await postgres.withConnection {
                try PaymentStore.beginRecheck(row, lease: lease, now: now, on: $0)
            }
            var decided: PaymentRow?
            let answer = await toss.payment(order: row.orderId)
            if case .found(let payment) = answer {
                decided = try await adopt(payment, row, lease)
                // What was due before anybody here knew of the money.
                try await postgres.withConnection { connection in
                    try connection.transaction { try RefundStore.retryUnpaid(of: row.paymentId, now: now, on: $0) }
                }
            }
            switch answer {
            case .found, .notFound:
                try await postgres.withConnection { try PaymentStore.endRecheck(row, lease: lease, on: $0) }
            // It is asked again, later each time.
            case .unknown: break
            }
            if let decided { return PaymentSaga.isWorking(decided.state) ? decided : nil }
        }
        if row.state == .ready, now >= row.createdAt + PaymentTimes.abandoned {
            return try await store(.abandoned, row, lease: lease)
        }
        return nil
    }

    // MARK: Reservations

    /// Toss has taken the money: the tickets are made, and both is stored at once.
    ///
    /// Where nobody comes to store it, Toss is asked again, and Reservations answers with the same tickets. Where they
    /// can't be made now, the approval is stored by itself.
    private func sellApproved(
        _ row: PaymentRow, _ lease: String, _ facts: PaymentStore.Facts
    ) async throws -> PaymentRow? {
        var facts = facts
        let approvedAt = facts.approvedAt ?? clock()
        facts.approvedAt = approvedAt
        switch await makeTickets(row, approvedAt: approvedAt) {
        case .ok(let tickets):
            facts.tickets = tickets
            return try await store(.approvedAndSold, row, lease: lease, facts: facts)
        case .conflict("seats_lost"):
            guard let paid = try await store(.approved, row, lease: lease, facts: facts) else { return nil }
            return try await store(.seatsLost, paid, lease: lease)
        case .conflict, .notFound, .unknown:
            _ = try await store(.approved, row, lease: lease, facts: facts)
            return nil
        }
    }

    private func sell(_ row: PaymentRow, _ lease: String) async throws -> PaymentRow? {
        guard let approvedAt = row.approvedAt else { return nil }
        switch await makeTickets(row, approvedAt: approvedAt) {
        case .ok(let tickets): return try await store(.sold, row, lease: lease, facts: .init(tickets: tickets))
        // Only this gives the money back: whatever else it is, the tickets may be made later.
        case .conflict("seats_lost"): return try await store(.seatsLost, row, lease: lease)
        // The money may have been given back meanwhile, since nobody could make them.
        case .conflict, .notFound, .unknown: return row.isRecheck ? try await recheck(row, lease) : nil
        }
    }

    private func makeTickets(_ row: PaymentRow, approvedAt: Int64) async -> ReservationClient.Answer<[String]> {
        PaymentCrashPoint.beforeTickets.reached()
        let answer = await reservations.sold(row.reservationId, payment: row.paymentId, approvedAt: approvedAt)
        PaymentCrashPoint.afterTickets.reached()
        return answer
    }

    private func released(
        _ row: PaymentRow, _ lease: String, by call: (String, String) async -> ReservationClient.Answer<Void>
    ) async throws -> PaymentRow? {
        switch await call(row.reservationId, row.paymentId) {
        case .ok, .notFound: try await store(.released, row, lease: lease)
        case .conflict, .unknown: nil
        }
    }
}
