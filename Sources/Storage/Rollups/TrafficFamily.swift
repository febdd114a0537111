package import Core

/// What traffic is counted by, named as in its tables and in `rollup_dirty`; each has a table of every grain.
package enum TrafficFamily: String, CaseIterable, Sendable {
    case artist, event, site

    /// The one entity of `site`.
    package static let siteEntity: ExactText = "all"

    package var idColumn: String { "\(rawValue)_id" }

    package func table(_ grain: Grain) -> String { "\(rawValue)_traffic_\(grain.suffix)" }
}
