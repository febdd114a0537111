/// How wide a bucket of an answer is.
package enum Granularity: String, CaseIterable, Sendable {
    case hourly, daily, weekly, monthly

    /// The longest range that may be asked for. Bounds the rows of one answer and the sketches it reads.
    package var maxDays: Int {
        switch self {
        case .hourly: 31
        case .daily, .weekly: 1_100
        case .monthly: 3_700
        }
    }
}
