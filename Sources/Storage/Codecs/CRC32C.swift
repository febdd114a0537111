import CCRC32C

/// CRC-32C (Castagnoli), as in RFC 3720.
package enum CRC32C {
    private static let hasInstruction = tiketi_crc32c_available() != 0

    /// The checksum of `bytes`, or of everything so far when `continuing` is the checksum of what came before them.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing: UInt32 = 0) -> UInt32 {
        guard hasInstruction, let start = bytes.baseAddress else {
            return unsafe CRC32CTable.checksum(bytes, continuing: continuing)
        }
        let first = unsafe start.assumingMemoryBound(to: UInt8.self)
        // Each reads exactly `count` bytes from `first`.
        guard bytes.count >= 3 * Int(TIKETI_CRC32C_LANE) else {
            return unsafe ~tiketi_crc32c(~continuing, first, bytes.count)
        }
        return unsafe laneShift.withUnsafeBufferPointer { shift in
            unsafe ~tiketi_crc32c_lanes(~continuing, first, bytes.count, shift.baseAddress!)
        }
    }

    /// What a lane of zeros makes of a state: for each of its four bytes, by the byte's value.
    private static let laneShift: [UInt32] = {
        let zeros = [UInt8](repeating: 0, count: Int(TIKETI_CRC32C_LANE))
        // Of each bit; that of several is what theirs come to by xor.
        let bits: [UInt32] = (0..<32).map { bit in
            unsafe zeros.withUnsafeBufferPointer { unsafe tiketi_crc32c(1 << UInt32(bit), $0.baseAddress!, $0.count) }
        }
        var shift: [UInt32] = []
        for byte in 0..<4 {
            for value in 0..<256 {
                var state: UInt32 = 0
                for bit in 0..<8 where value >> bit & 1 == 1 { state ^= bits[byte * 8 + bit] }
                shift.append(state)
            }
        }
        return shift
    }()

    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe checksum($0) }
    }
}
