/// What becomes of a refund after a call to Toss. Pure: no clock, no I/O.
enum RefundMachine {
    enum Event: Equatable, Sendable {
        /// Toss shows a cancel of this amount that is no other refund, and wasn't there before.
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
    ///   - known: transactions of other refunds, and those that were there before this one was sent.
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

    /// The cancel that must be ours: of this amount, and none that we know. One at a time is under way, so there is no
    /// other to confuse it with but one that somebody makes by hand meanwhile, which gives the money back as well.
    static func own(in payment: TossPayment, amount: Int64, known: Set<String>) -> TossPayment.Cancel? {
        payment.cancels?.last { $0.cancelAmount == amount && !known.contains($0.transactionKey) }
    }

    enum Repeat: Equatable, Sendable {
        /// Under the key it has.
        case same
        case newKey
        case notYet
    }

    /// How a cancel that Toss doesn't show is sent again. Without an answer it may be under way still, and its key makes
    /// Toss do it once. With an answer that says nothing it has ended: its key brings only that answer again, and after a
    /// minute Toss would show what it did.
    ///
    /// - Parameter sentAt: when it was sent last.
    static func `repeat`(code: String?, sentAt: Int64, now: Int64) -> Repeat {
        guard let code, code != "IDEMPOTENT_REQUEST_PROCESSING" else { return .same }
        return now - sentAt >= PaymentTimes.newKey ? .newKey : .notYet
    }
}
