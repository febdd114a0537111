/// What becomes of a refund after a call to Toss. Pure: no clock, no I/O.
enum RefundMachine {
    enum Event: Equatable, Sendable {
        /// Toss shows a cancel of this amount that is nobody else's.
        case found(transactionKey: String)
        /// Toss has surely not done it, and may later.
        case notNow(String)
        /// Toss has surely not done it, and won't.
        case refused(String)
        /// It may have been done.
        case unknown(String?)
    }

    enum Step: Equatable, Sendable {
        case done(transactionKey: String)
        /// Back to `requested`: the next attempt has a key of its own.
        case again(String)
        case refuse(String)
        /// Stays `sending`: the next attempt has the same key, so that Toss does it once.
        case stay(String?)
    }

    static func step(after event: Event) -> Step {
        switch event {
        case .found(let key): .done(transactionKey: key)
        case .notNow(let code): .again(code)
        case .refused(let code): .refuse(code)
        case .unknown(let code): .stay(code)
        }
    }

    /// What a cancel's outcome means.
    ///
    /// - Parameters:
    ///   - known: transactions of refunds that are done.
    ///   - amount: of this one.
    static func event(of outcome: TossOutcome, amount: Int64, known: Set<String>) -> Event {
        switch outcome {
        case .ok(let payment):
            own(in: payment, amount: amount, known: known).map { .found(transactionKey: $0.transactionKey) }
                ?? .unknown(nil)
        case .refused(let code, .later), .refused(let code, .ourMistake): .notNow(code)
        case .refused(let code, _): .refused(code)
        case .unknown(let code): .unknown(code)
        }
    }

    /// The cancel that must be ours: of this amount, and of no refund that we know. One at a time is under way, so there
    /// is no other to confuse it with but one that somebody made by hand, which gave the money back as well.
    static func own(in payment: TossPayment, amount: Int64, known: Set<String>) -> TossPayment.Cancel? {
        payment.cancels?.last { $0.cancelAmount == amount && !known.contains($0.transactionKey) }
    }

    /// Whether a cancel that Toss doesn't show may be sent under a new key. Without an answer it may be under way still;
    /// with one that says nothing it has ended, and a minute later Toss would show it.
    static func mayRenumber(code: String?, sentAt: Int64, now: Int64) -> Bool {
        code != nil && code != "IDEMPOTENT_REQUEST_PROCESSING" && now - sentAt >= PaymentTimes.newKey
    }
}
