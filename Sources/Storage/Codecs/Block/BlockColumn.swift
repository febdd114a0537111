package import Core

/// A column of a batch by the number under which blocks keep it.
package enum BlockColumn: UInt8, CaseIterable, Sendable {
    case receivedAt, timestamp, claimed, flags
    // The texts in the order of `BeaconBatch.Text`.
    case eventType, artistId, eventId, visitorId, sessionId, messageId, clientHash, path, referrer, userAgent, country
    case metadata

    package init(_ text: BeaconBatch.Text) {
        self = BlockColumn(rawValue: UInt8(text.rawValue) + Self.eventType.rawValue)!
    }

    /// Nil for the integers.
    var text: BeaconBatch.Text? {
        BeaconBatch.Text(rawValue: Int(rawValue) - Int(Self.eventType.rawValue))
    }
}
