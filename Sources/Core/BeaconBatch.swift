/// 10³ to 10⁴ beacons as a struct of arrays: the unit of storage, shipping and rollup.
package struct BeaconBatch: Sendable, Equatable {
    /// What a row's `flags` hold.
    package struct Flags: OptionSet, Sendable, Equatable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The beacon carried no timestamp of its own.
        package static let stamped = Flags(rawValue: 1)
        /// Sent under `Sec-GPC` or `DNT`: no visitor, session or metadata was kept.
        package static let anonymous = Flags(rawValue: 2)
    }

    /// The text columns, in the order in which blocks and records store them.
    package enum Text: Int, CaseIterable, Sendable {
        case eventType, artistId, eventId, visitorId, sessionId, messageId
        /// The salted hash that stands for a visitor who sent neither `visitorId` nor `sessionId`, 32 hex digits.
        case clientHash
        case path, referrer, userAgent, country
        /// Whatever else the beacon carried: one JSON object.
        case metadata
    }

    /// Milliseconds since 1970 at which the server received the beacon.
    package var receivedAt: [Int64] = []
    /// Milliseconds since 1970 at which it counts: its own timestamp, clamped to receipt when ahead of it.
    package var timestamp: [Int64] = []
    /// Its own timestamp as sent, by which repeats meet; equal to `timestamp` unless that was clamped.
    package var claimed: [Int64] = []
    package var flags: [Flags] = []
    /// Indexed by `Text.rawValue`.
    package var texts: [TextColumn] = Text.allCases.map { _ in TextColumn() }

    package init() {}

    package var count: Int { timestamp.count }

    package subscript(text: Text) -> TextColumn {
        get { texts[text.rawValue] }
        set { texts[text.rawValue] = newValue }
    }
}

extension BeaconBatch {
    /// One row as a value, for display and tests. Allocates.
    package func beacon(at row: Int) -> Beacon {
        Beacon(
            receivedAt: receivedAt[row], timestamp: timestamp[row], claimed: claimed[row], flags: flags[row],
            texts: texts.map { $0[row] })
    }
}
