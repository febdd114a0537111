/// When the next attempt to connect may be made: after twice as long with each failure, less a random part.
package struct ReconnectPace: Sendable {
    package static let minDelay = Duration.milliseconds(50)
    package static let maxDelay = Duration.seconds(5)

    package private(set) var failures = 0
    private var next: ContinuousClock.Instant?
    private var lastError = ""

    package init() {}

    /// The error of the last attempt where it is too early for another one.
    package func refusal(at now: ContinuousClock.Instant) -> String? {
        guard let next, now < next else { return nil }
        return lastError
    }

    /// - Parameter jitter: 0 to 1: how much of half the delay is left out.
    package mutating func failed(_ error: String, at now: ContinuousClock.Instant, jitter: Double) {
        lastError = error
        // Several threads may fail together: that is one failure.
        if let next, now < next { return }
        let doubled = Self.minDelay * (1 << min(failures, 16))
        failures += 1
        next = now + min(doubled, Self.maxDelay) * (1 - jitter / 2)
    }

    package mutating func succeeded() {
        self = ReconnectPace()
    }
}
