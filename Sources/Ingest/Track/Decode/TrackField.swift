/// What a rejection can name.
package enum TrackField: Int, CaseIterable, Sendable {
    /// The beacon as a whole.
    case beacon
    case eventType, artistId, eventId, timestamp, visitorId, sessionId, messageId
    case metadata, path, referrer, userAgent

    package var name: String {
        switch self {
        case .beacon: ""
        case .eventType: "eventType"
        case .artistId: "artistId"
        case .eventId: "eventId"
        case .timestamp: "timestamp"
        case .visitorId: "visitorId"
        case .sessionId: "sessionId"
        case .messageId: "messageId"
        case .metadata: "metadata"
        case .path: "metadata.path"
        case .referrer: "metadata.referrer"
        case .userAgent: "metadata.userAgent"
        }
    }
}
