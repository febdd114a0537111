/// The three widths of stored rollups.
enum Grain: String, CaseIterable, Sendable {
    case hour, day, month

    /// As in the tables' names.
    var suffix: String {
        switch self {
        case .hour: "hourly"
        case .day: "daily"
        case .month: "monthly"
        }
    }
}
