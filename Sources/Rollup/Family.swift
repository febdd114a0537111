package import Core
import Storage

/// What traffic is counted by; each has an hourly, a daily and a monthly table.
package enum Family: String, CaseIterable, Sendable {
    case artist, event, site

    /// The one entity of `site`.
    package static let siteEntity: ExactText = "all"

    var column: String { rawValue + "_id" }

    func table(_ grain: Grain) -> String {
        "\(rawValue)_traffic_\(grain.rawValue)"
    }
}

package enum Grain: String, CaseIterable, Sendable {
    case hourly, daily, monthly

    var column: String {
        switch self {
        case .hourly: "hour"
        case .daily: "day"
        case .monthly: "month"
        }
    }
}
