import Logging
import Platform
import Storage

/// Gives money back: one cancel of a payment at a time, each under a key of its own.
struct RefundWorker: Sendable {
    /// Payments leased at a time.
    static let maxBatch = 16

    let postgres: PostgresPool
    let toss: TossClient
    let leaseMs: Int64
    let clock: @Sendable () -> Int64
    let handMade: HandMadeCancels
    let metrics: PaymentMetrics
    let logger: Logger

    /// Does what is due: of each payment one refund.
    ///
    /// - Returns: of how many payments.
    @discardableResult
    func runDue() async throws -> Int {
        let lease = PaymentWorker.newLease()
        let now = clock()
        let due = try await postgres.withConnection { [leaseMs] in
            try RefundStore.takeDue(limit: Self.maxBatch, lease: lease, now: now, leaseUntil: now + leaseMs, on: $0)
        }
        await withTaskGroup { group in
            for payment in due { group.addTask { await give(back: payment, lease: lease) } }
        }
        return due.count
    }

    private func give(back payment: String, lease: String) async {
        do {
            let now = clock()
            let turn = try await postgres.withConnection { connection in
                try connection.transaction { try RefundStore.turn(payment, lease: lease, now: now, on: $0) }
            }
            if let turn { try await take(turn, lease) }
            try await postgres.withConnection { connection in
                _ = try connection.execute(
                    """
                    UPDATE payments SET lease = '', lease_until = '-infinity'
                    WHERE payment_id = \(payment) AND lease = \(lease)
                    """)
            }
        } catch {
            // The lease ends by itself, and it is tried again under the same key.
            logger.warning("a refund's step failed", metadata: ["payment": "\(payment)", "error": "\(error)"])
        }
    }

    private func take(_ turn: RefundStore.Turn, _ lease: String) async throws {
        let refund = turn.refund
        let isTooOld = clock() - refund.startedAt > PaymentTimes.maxRefund
        var known = turn.known
        var before: [String] = []
        switch await toss.payment(key: turn.paymentKey) {
        case .found(let payment):
            if refund.number == nil {
                // What is there now was made by somebody else, whatever its amount.
                try await handMade.adopt(payment, of: refund.paymentId)
                before = payment.cancels?.map(\.transactionKey) ?? []
                known.formUnion(before)
            } else if let own = RefundMachine.own(in: payment, amount: refund.amount, known: known) {
                return try await end(refund, lease, .found(transactionKey: own.transactionKey), at: own.at)
            }
        // Toss has taken this money, and denies it: that is not for waiting.
        case .notFound: return try await end(refund, lease, .refused("NOT_FOUND_PAYMENT"), at: nil)
        case .unknown:
            return try await end(refund, lease, isTooOld ? .refused("too_old") : .unknown(refund.failureCode), at: nil)
        }
        if isTooOld { return try await end(refund, lease, .refused("too_old"), at: nil) }
        let now = clock()
        var isNumbered = true
        if refund.state == .sending {
            switch RefundMachine.repeat(code: refund.failureCode, sentAt: refund.sentAt ?? now, now: now) {
            case .same: isNumbered = false
            case .newKey: break
            case .notYet: return try await end(refund, lease, .unknown(refund.failureCode), at: nil)
            }
        }
        let sent = try await postgres.withConnection { [before, isNumbered, leaseMs] connection in
            try connection.transaction { connection in
                try RefundStore.send(
                    refund, before: before, isNumbered: isNumbered, lease: lease, leaseUntil: now + leaseMs, now: now,
                    on: connection)
            }
        }
        if let sent { try await cancel(sent, paymentKey: turn.paymentKey, known: known, lease) }
    }

    private func cancel(_ refund: RefundRow, paymentKey: String, known: Set<String>, _ lease: String) async throws {
        PaymentCrashPoint.beforeTossCancel.reached()
        let outcome = await toss.cancel(
            paymentKey: paymentKey, amount: refund.amount, reason: refund.reason,
            key: "refund:\(refund.paymentId):\(refund.number ?? 0)")
        PaymentCrashPoint.afterTossCancel.reached()
        var event = RefundMachine.event(of: outcome, amount: refund.amount, known: known)
        var completedAt: Int64?
        if case .ok(let payment) = outcome {
            completedAt = RefundMachine.own(in: payment, amount: refund.amount, known: known)?.at
        } else if event != .unknown(nil), case .found(let payment) = await toss.payment(key: paymentKey),
            let own = RefundMachine.own(in: payment, amount: refund.amount, known: known)
        {
            // Refused because it was done before, such as by an attempt whose answer was lost.
            event = .found(transactionKey: own.transactionKey)
            completedAt = own.at
        }
        try await end(refund, lease, event, at: completedAt)
    }

    private func end(
        _ refund: RefundRow, _ lease: String, _ event: RefundMachine.Event, at completedAt: Int64?
    ) async throws {
        let step = RefundMachine.step(after: event)
        let now = clock()
        let isStored = try await postgres.withConnection { connection in
            try connection.transaction { connection in
                let isStored = try RefundStore.end(
                    refund, step, completedAt: completedAt, lease: lease, now: now, on: connection)
                if isStored, case .done = step { PaymentCrashPoint.refundWritten.reached() }
                return isStored
            }
        }
        guard isStored else { return }
        let metadata: Logger.Metadata = ["refund": "\(refund.refundId)", "payment": "\(refund.paymentId)"]
        switch step {
        case .done:
            PaymentCrashPoint.refundRecorded.reached()
            metrics.refunds.increment()
            logger.info("money given back", metadata: metadata)
        case .refuse(let code):
            logger.critical(
                "a refund is refused: somebody must look", metadata: metadata.merging(["code": "\(code)"]) { $1 })
        case .again, .stay: break
        }
    }
}
