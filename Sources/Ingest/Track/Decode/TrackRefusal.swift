/// Why a body as a whole was refused.
package enum TrackRefusal: Error, Equatable {
    case empty
    case notJSON(JSONSyntaxError)
    /// JSON, but neither an object nor an array.
    case notBeacons
    /// More than `TrackDecoder.maxBeaconsPerRequest`.
    case tooManyBeacons
}
