/// What became of a call that moves money. Unknown is an answer of its own: it is asked about, never guessed.
enum TossOutcome: Equatable, Sendable {
    case ok(TossPayment)
    /// Toss has answered, and has surely not done it.
    case refused(code: String, TossErrorClass)
    /// It may have been done.
    ///
    /// - code: of Toss's answer, nil where none came: then it may be under way still.
    case unknown(code: String?)
}

/// What Toss answered to a question.
enum TossAnswer<Value: Equatable & Sendable>: Equatable, Sendable {
    case found(Value)
    /// Toss knows no such payment.
    case notFound
    case unknown(code: String?)
}
