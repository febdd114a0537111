/// A value of a JSON text, as far as it goes into ours: numbers are 64-bit integers, or else no number of ours.
package indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A fraction, or a number beyond 64 bits.
    case otherNumber(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Deeper texts are none of ours: reading recurses.
    package static let maxDepth = 16
    /// What a text may hold where nobody says otherwise: arrays, objects and all that is in them.
    package static let maxValues = 8192

    /// Reads a JSON text (RFC 8259) in one pass, whoever sent it: in time and memory that its length bounds.
    ///
    /// Nil where it is none, where it is deeper than `maxDepth` or holds more values than it may, and where an object
    /// has a name twice, which readers take for different things.
    package init?(_ text: [UInt8], maxValues: Int = Self.maxValues) {
        guard String(validating: text, as: UTF8.self) != nil else { return nil }
        var reader = JSONReader(text, maxValues: maxValues)
        guard let value = try? reader.document() else { return nil }
        self = value
    }
}
