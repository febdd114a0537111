/// Encoded bytes that begin with their format's version and end with a checksum: `version u8 | body | CRC-32C u32`.
package enum SealedRun {
    package enum Failure: Error, Equatable {
        /// Shorter than any run.
        case truncated(count: Int)
        /// Some bit has changed, or bytes are missing.
        case checksum(stored: UInt32, computed: UInt32)
        case unknownVersion(UInt8)
        case malformed(CodecDefect)
    }

    private static let checksumBytes = 4

    /// - Parameter capacity: about how long the body will be.
    static func seal(version: UInt8, capacity: Int, body: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity + 1 + checksumBytes)
        bytes.append(version)
        body(&bytes)
        bytes.append(littleEndian: CRC32C.checksum(bytes))
        return bytes
    }

    /// Reads the body, which `body` must read to its end.
    static func open<Value>(
        _ bytes: UnsafeRawBufferPointer, version: UInt8, body: (inout ByteReader) throws(CodecDefect) -> Value
    ) throws(Failure) -> Value {
        guard bytes.count >= 2 + checksumBytes else { throw .truncated(count: bytes.count) }
        let checked = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - checksumBytes)])
        let stored = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: checked.count, as: UInt32.self))
        let computed = unsafe CRC32C.checksum(checked)
        guard stored == computed else { throw .checksum(stored: stored, computed: computed) }
        guard unsafe checked[0] == version else { throw .unknownVersion(unsafe checked[0]) }
        do throws(CodecDefect) {
            var reader = unsafe ByteReader(UnsafeRawBufferPointer(rebasing: checked[1...]))
            let value = try body(&reader)
            try reader.finish()
            return value
        } catch {
            throw .malformed(error)
        }
    }
}
