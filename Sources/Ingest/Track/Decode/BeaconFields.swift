/// Where a beacon's fields lie in the body, as the scan found them: extents only.
struct BeaconFields {
    enum Kind: UInt8 {
        case absent, null, string, escapedString, integer, number, object, array, boolean
    }

    /// One value. A string's extent excludes its quotes.
    struct Slot {
        var kind = Kind.absent
        var start = 0
        var end = 0

        var isMissing: Bool { kind == .absent || kind == .null }
        var isString: Bool { kind == .string || kind == .escapedString }
    }

    /// A member of `metadata`, or one of the beacon that has no column of its own.
    struct Member {
        var key: Slot
        var value: Slot
    }

    var eventType = Slot()
    var artistId = Slot()
    var eventId = Slot()
    var timestamp = Slot()
    var visitorId = Slot()
    var sessionId = Slot()
    var messageId = Slot()
    var metadata = Slot()
    /// Bytes that the unknown members take as JSON.
    var unknownBytes = 0
    /// An array under the key `batch`.
    var isBatch = false
}
