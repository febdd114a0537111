/// How many beacons are due. Pure; the caller tells the time.
///
/// Where sending can't keep up, what was missed is let go instead of being sent in one rush afterwards.
struct Pace: Sendable {
    /// At most what belongs to this time is due at once.
    static let maxBehind: Duration = .seconds(1)

    let rate: Double
    /// Beacons that were due before, sent or let go.
    private var counted = 0.0

    /// - Parameter rate: beacons a second.
    init(rate: Double) {
        self.rate = rate
    }

    /// - Parameter elapsed: since the beginning; never less than before.
    mutating func due(at elapsed: Duration) -> Int {
        let target = elapsed.inSeconds * rate
        let due = min(target - counted, max(1, Self.maxBehind.inSeconds * rate)).rounded(.down)
        counted = due < (target - counted).rounded(.down) ? target : counted + max(0, due)
        return max(0, Int(due))
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
