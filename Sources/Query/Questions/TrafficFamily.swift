/// The three sets of traffic rollups, named as in their tables and in `rollup_dirty`.
package enum TrafficFamily: String, CaseIterable, Sendable {
    case artist, event, site

    var idColumn: String { "\(rawValue)_id" }

    func table(_ grain: Grain) -> String { "\(rawValue)_traffic_\(grain.suffix)" }
}
