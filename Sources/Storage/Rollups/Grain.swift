/// The three widths of stored rollups, named as in `rollup_dirty`.
package enum Grain: String, CaseIterable, Sendable {
    case hour, day, month

    /// As in the tables' names.
    package var suffix: String {
        switch self {
        case .hour: "hourly"
        case .day: "daily"
        case .month: "monthly"
        }
    }

    /// The tables' column that says which bucket a row is.
    package var column: String { rawValue }
}
