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
    let metrics: PaymentMetrics
    let logger: Logger

    /// Does what is due.
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
                try connection.transaction { try RefundStore.begin(payment, lease: lease, now: now, on: $0) }
            }
            if let turn { try await send(turn) }
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

    private func send(_ turn: RefundStore.Turn) async throws {
        guard let paymentKey = turn.payment.paymentKey else { return }
        var refund = turn.refund
        if turn.isRepeated {
            // Toss may have done it.
            switch await toss.payment(key: paymentKey) {
            case .found(let payment):
                if let own = RefundMachine.own(in: payment, amount: refund.amount, known: turn.known) {
                    return try await end(refund, .found(transactionKey: own.transactionKey), at: own.at)
                }
            case .notFound, .unknown: return try await end(refund, .unknown(refund.failureCode), at: nil)
            }
            let now = clock()
            if RefundMachine.mayRenumber(code: refund.failureCode, sentAt: refund.sentAt ?? now, now: now) {
                refund = try await postgres.withConnection { [refund] connection in
                    try connection.transaction { try RefundStore.renumber(refund, now: now, on: $0) }
                }
            }
        }
        if clock() - refund.createdAt > PaymentTimes.maxRefund {
            return try await end(refund, .refused("too_old"), at: nil)
        }
        PaymentCrashPoint.beforeTossCancel.reached()
        let outcome = await toss.cancel(
            paymentKey: paymentKey, amount: refund.amount, reason: refund.reason,
            key: "refund:\(refund.paymentId):\(refund.number ?? 0)")
        PaymentCrashPoint.afterTossCancel.reached()
        var event = RefundMachine.event(of: outcome, amount: refund.amount, known: turn.known)
        var completedAt: Int64?
        if case .ok(let payment) = outcome {
            completedAt = RefundMachine.own(in: payment, amount: refund.amount, known: turn.known)?.at
        } else if event != .unknown(nil), case .found(let payment) = await toss.payment(key: paymentKey),
            let own = RefundMachine.own(in: payment, amount: refund.amount, known: turn.known)
        {
            // Refused because it was done before, such as by an attempt whose answer was lost.
            event = .found(transactionKey: own.transactionKey)
            completedAt = own.at
        }
        try await end(refund, event, at: completedAt)
    }

    private func end(_ refund: RefundRow, _ event: RefundMachine.Event, at completedAt: Int64?) async throws {
        let step = RefundMachine.step(after: event)
        let now = clock()
        try await postgres.withConnection { connection in
            try connection.transaction { connection in
                try RefundStore.end(refund, step, completedAt: completedAt, now: now, on: connection)
                if case .done = step { PaymentCrashPoint.refundWritten.reached() }
            }
        }
        let metadata: Logger.Metadata = ["refund": "\(refund.refundId)", "payment": "\(refund.paymentId)"]
        switch step {
        case .done:
            PaymentCrashPoint.refundRecorded.reached()
            metrics.refunds.increment()
            logger.info("money given back", metadata: metadata)
        case .refuse(let code):
            logger.critical(
                "Toss won't give back: somebody must look",
                metadata: metadata.merging(["code": "\(code)"]) { $1 })
        case .again, .stay: break
        }
    }
}
