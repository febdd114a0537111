import Core

/// What a proof did not agree with.
struct Doubt: CustomStringConvertible {
    /// An exact count of the day tells all of these: what it doesn't name is right.
    static let longSessions = "sessions that go on for too long"
    static let manyStamped = "too many stamped ids to compare"
    /// Whoever sends beacons can choose texts so.
    static let equalHashes = "rows whose texts have one hash"

    /// Days next to the end of a range rest on sessions and ids that lie beyond it: for so many days one is followed.
    private static let edgeDays = Int(SessionProof.maxSlotsBeyond) / 48 + 1

    /// Nil where it is of no day.
    var day: Day?
    var reason: String

    /// Those of a proof, ascending by day.
    static func all(of proof: Proof) -> [Doubt] {
        proof.doubts.sorted { $0.key < $1.key }.map { Doubt(day: $0.key, reason: $0.value) }
            + (proof.doubt.map { [Doubt(reason: $0)] } ?? [])
    }

    /// Whether what is wrong may be anything: then an exact count that names nothing does not say that all is right.
    ///
    /// - Parameter range: of days that were looked at; nil for all.
    func isUnanswered(within range: ClosedRange<Day>?) -> Bool {
        guard let day, ![Self.longSessions, Self.manyStamped, Self.equalHashes].contains(reason) else { return false }
        guard let range else { return true }
        return day > range.lowerBound && (range.upperBound == .last || day <= range.upperBound - Self.edgeDays)
    }

    var description: String { day.map { "\($0): \(reason)" } ?? reason }
}
