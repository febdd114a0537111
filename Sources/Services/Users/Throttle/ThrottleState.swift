/// How fast attempts of one kind may follow each other: a number of them freely, then each after a wait that doubles up to
/// a bound. Never more: nobody is locked out.
struct ThrottlePolicy: Sendable, Equatable {
    var free: Int
    var firstDelayMs: Int64
    var maxDelayMs: Int64
    /// After so long without an attempt all is as at first.
    var forgetMs: Int64
    /// How long it takes until one more of them is forgotten; nil where they are so only together.
    var recoverMs: Int64?

    /// No policy forgets later, so what is older can be deleted.
    static let maxForgetMs: Int64 = 3_600_000

    /// Of what makes nobody wait.
    static func endless(forgetMs: Int64, recoverMs: Int64? = nil) -> ThrottlePolicy {
        ThrottlePolicy(free: .max, firstDelayMs: 0, maxDelayMs: 0, forgetMs: forgetMs, recoverMs: recoverMs)
    }
}

/// The attempts of one account, device, address or network.
struct ThrottleState: Sendable, Equatable {
    var attempts: Int
    /// Milliseconds since 1970: when the next attempt may be made.
    var openAt: Int64
    /// When the last was made, or, where they are forgotten one by one, when the last of them was forgotten.
    var lastAt: Int64

    /// What the column holds; a siege never stops counting.
    static let maxAttempts = Int(Int32.max)

    /// How far the clocks of two processes may be apart.
    static let maxSkewMs: Int64 = 60_000

    static let none = ThrottleState(attempts: 0, openAt: .min, lastAt: .min)

    /// Milliseconds until the next attempt may be made; 0 for now. Also where the last is yet to come: a clock that was
    /// ahead, by a day perhaps, keeps nobody out for as long.
    func wait(now: Int64) -> Int64 { now >= openAt || lastAt > now + Self.maxSkewMs ? 0 : openAt - now }

    /// Counts an attempt before its outcome is known, so that many at once are no way around it. One that is refused for
    /// coming early is not counted: whoever keeps knocking makes nobody wait longer.
    mutating func count(_ policy: ThrottlePolicy, now: Int64) {
        let left = attempts(now: now, policy)
        // What has passed of the time to the next one counts: else who comes often keeps any from being forgotten.
        let passed = left > 0 ? policy.recoverMs.map { (now - lastAt) % $0 } ?? 0 : 0
        attempts = min(left + 1, Self.maxAttempts)
        lastAt = now - passed
        guard attempts >= policy.free else { return openAt = now }
        let excess = attempts - policy.free
        let delay = excess >= 40 ? policy.maxDelayMs : min(policy.maxDelayMs, policy.firstDelayMs << Int64(excess))
        openAt = now + delay
    }

    /// Those that are not forgotten.
    func attempts(now: Int64, _ policy: ThrottlePolicy) -> Int {
        guard lastAt != .min, now - lastAt < policy.forgetMs else { return 0 }
        guard let recoverMs = policy.recoverMs else { return attempts }
        return max(0, attempts - Int(max(0, now - lastAt) / recoverMs))
    }

    /// Takes an attempt back that turned out to be right.
    mutating func forgive(now: Int64) {
        attempts = max(0, attempts - 1)
        openAt = min(openAt, now)
    }
}
