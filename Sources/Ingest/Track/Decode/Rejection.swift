/// Why one beacon was not taken.
package struct Rejection: Sendable, Equatable {
    /// Its place among the beacons of the request, from 0.
    package var index: Int
    package var field: TrackField
    package var reason: Reason

    package init(index: Int, field: TrackField, reason: Reason) {
        self.index = index
        self.field = field
        self.reason = reason
    }

    package enum Reason: String, Sendable {
        case malformedLine = "is not valid JSON"
        case notObject = "is not an object"
        case missing = "is required"
        case notString = "must be a string"
        case eventTypeLength = "must be 1 to 64 characters"
        case eventTypeCharacters = "may only hold letters, digits and _ . - :"
        case identifierLength = "must be 1 to 128 bytes"
        case controlCharacter = "must not hold control characters"
        case timestampKind = "must be an ISO 8601 date-time with offset, or integer milliseconds since 1970"
        case tooFarAhead = "is more than 10 minutes ahead"
        case tooOld = "is more than 400 days old"
        case before1970 = "is before 1970"
        case metadataKind = "must be an object"
        case metadataSize = "is over 8192 bytes"
        case columnLength = "is over 2048 bytes"
    }
}
