import CLZ4

/// LZ4 blocks: no frame, no checksum; whoever stores them keeps the raw size.
package enum LZ4 {
    package struct Malformed: Error, Equatable {}

    /// The most bytes that one block can hold.
    package static let maxRawBytes = Int(LZ4_MAX_INPUT_SIZE)
    /// No block of `n` bytes holds more than `n` times this.
    package static let maxRatio = 255

    /// The block, or nil where it would be longer than `maxBytes`. Equal bytes give equal blocks.
    ///
    /// - Precondition: at most `maxRawBytes` bytes.
    package static func compress(_ bytes: UnsafeRawBufferPointer, maxBytes: Int) -> [UInt8]? {
        precondition(bytes.count <= maxRawBytes)
        guard let source = bytes.baseAddress, bytes.count > 0, maxBytes > 0 else { return nil }
        let capacity = min(maxBytes, Int(LZ4_compressBound(Int32(bytes.count))))
        let block = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            // Writes at most `capacity` bytes, and returns 0 when that is too few.
            let written = unsafe LZ4_compress_default(
                source.assumingMemoryBound(to: CChar.self),
                UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self),
                Int32(bytes.count), Int32(capacity))
            count = Int(max(0, written))
        }
        return block.isEmpty ? nil : block
    }

    /// The `rawCount` bytes that the block holds; a block that holds more, fewer or something else is malformed.
    package static func decompress(_ block: UnsafeRawBufferPointer, rawCount: Int) throws(Malformed) -> [UInt8] {
        guard let source = block.baseAddress, rawCount > 0, rawCount <= maxRawBytes,
            rawCount <= block.count * maxRatio, block.count <= Int(Int32.max)
        else { throw Malformed() }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: rawCount) { buffer, count in
            // Reads within the block and writes within `rawCount` bytes whatever the block says; negative when malformed.
            let written = unsafe LZ4_decompress_safe(
                source.assumingMemoryBound(to: CChar.self),
                UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self),
                Int32(block.count), Int32(rawCount))
            count = Int(max(0, written))
        }
        guard bytes.count == rawCount else { throw Malformed() }
        return bytes
    }
}
