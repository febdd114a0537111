/// What is wrong with encoded bytes.
package enum CodecDefect: Error, Equatable {
    /// They end before what they announce.
    case truncated
    /// They go on after what they announce.
    case trailingBytes
    /// A count, width, code or kind that the format doesn't allow there.
    case outOfRange
    /// An LZ4 block that does not hold what it should.
    case compression
    /// Decoded they would be larger than is allowed.
    case tooLarge
}
