import Core

/// What an artist's day is broken down by, named as in `traffic_breakdown_daily`.
enum Dimension: UInt8, CaseIterable {
    case path, referrer, country, device, type

    var name: String {
        switch self {
        case .path: "path"
        case .referrer: "referrer"
        case .country: "country"
        case .device: "device"
        case .type: "type"
        }
    }

    var column: BeaconBatch.Text {
        switch self {
        case .path: .path
        case .referrer: .referrer
        case .country: .country
        case .device: .userAgent
        case .type: .eventType
        }
    }

    /// What a column's text counts as; nil where it says nothing.
    func value(_ text: String?) -> String? {
        switch self {
        case .device: DeviceClass(userAgent: text).rawValue
        case .referrer: text.flatMap(ReferrerHost.host(of:)).map(BreakdownValue.of)
        case .path, .country, .type: text.map(BreakdownValue.of)
        }
    }
}
