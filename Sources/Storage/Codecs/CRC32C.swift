import CCRC32C

/// CRC-32C (Castagnoli), as in RFC 3720.
package enum CRC32C {
    private static let hasInstruction = tiketi_crc32c_available() != 0

    /// The checksum of `bytes`, or of everything so far when `continuing` is the checksum of what came before them.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing: UInt32 = 0) -> UInt32 {
        guard hasInstruction, let start = bytes.baseAddress else {
            return unsafe CRC32CTable.checksum(bytes, continuing: continuing)
        }
        // Reads exactly `count` bytes from `start`.
        return unsafe ~tiketi_crc32c(~continuing, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe checksum($0) }
    }
}
