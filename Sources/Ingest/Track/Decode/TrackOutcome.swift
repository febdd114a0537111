/// What a request's body came to.
package struct TrackOutcome: Sendable {
    /// As many rejections as an answer lists; `rejectedCount` goes on counting.
    package static let maxRejectionsReported = 1000

    package internal(set) var acceptedCount = 0
    /// The hash of the artist of the first that was accepted; nil where it names none.
    package internal(set) var artist: UInt64?
    package internal(set) var rejected: [Rejection] = []
    /// By `TrackField.rawValue`; empty when nothing was rejected.
    package internal(set) var rejectedByField: [Int] = []
    package internal(set) var rejectedCount = 0

    package var offeredCount: Int { acceptedCount + rejectedCount }

    mutating func reject(_ field: TrackField, _ reason: Rejection.Reason) {
        if rejectedByField.isEmpty { rejectedByField = Array(repeating: 0, count: TrackField.allCases.count) }
        rejectedByField[field.rawValue] += 1
        if rejected.count < Self.maxRejectionsReported {
            rejected.append(Rejection(index: offeredCount, field: field, reason: reason))
        }
        rejectedCount += 1
    }
}
