/// Why bytes are not a `VisitorSketch`.
package enum SketchError: Error, Equatable {
    /// Fewer than the three bytes of the header.
    case truncated(count: Int)
    case unknownVersion(UInt8)
    case unknownType(UInt8)
    /// A sketch with other parameters than `hll(13, 5, 128, 1)`: it can't be merged.
    case otherParameters(UInt8, cutoff: UInt8)
    /// As many bytes as no sketch of this type has.
    case wrongSize(count: Int)
    /// Exact values or register numbers that don't ascend, a register without a value, or bits set in the padding.
    case malformed
}
