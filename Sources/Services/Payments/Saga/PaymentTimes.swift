/// How long things take, in milliseconds.
enum PaymentTimes {
    /// What Toss gives a buyer to authenticate in.
    static let authentication: Int64 = 30 * 60_000
    /// What Toss gives us to confirm in, after that.
    static let confirmation: Int64 = 10 * 60_000
    /// How far clocks may be apart, and a call be under way.
    static let grace: Int64 = 60_000
    /// An order is told again to the browser within this.
    static let reuse: Int64 = 20 * 60_000
    /// From then on nobody can confirm it any more.
    static let abandoned = authentication + confirmation + grace
    /// After it a step is stuck.
    static let maxStep: Int64 = 15 * 60_000
    static let backoff: ClosedRange<Int64> = 500...30_000
    static let stuckBackoff: Int64 = 600_000
    /// Between two questions that hints from outside cause about one payment.
    static let recheck: Int64 = 5_000
    /// Between two cancels of one payment: Toss takes one a second.
    static let cancelInterval: Int64 = 1_200
    /// Toss repeats its answer to a key for 15 days; after this no cancel is repeated.
    static let maxRefund: Int64 = 14 * 86_400_000
    /// How long after an answer that says nothing a cancel that Toss doesn't show is sent under a new key.
    static let newKey: Int64 = 60_000

    static func backoff(_ attempt: Int) -> Int64 {
        min(backoff.lowerBound << Int64(min(attempt, 16)), backoff.upperBound)
    }
}
