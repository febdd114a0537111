import Core
package import Storage

/// Whose traffic is asked for.
package enum TrafficSubject: Equatable, Sendable {
    case artist(String)
    case event(String)
    /// Every beacon, with or without an artist or event.
    case site

    package var family: TrafficFamily {
        switch self {
        case .artist: .artist
        case .event: .event
        case .site: .site
        }
    }

    /// The id under which the rollups keep it.
    package var entity: String {
        switch self {
        case .artist(let id), .event(let id): id
        case .site: TrafficFamily.siteEntity.string
        }
    }
}
