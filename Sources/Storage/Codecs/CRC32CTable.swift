/// CRC-32C where the CPU has no instruction for it: eight bytes a step through eight tables.
enum CRC32CTable {
    /// `tables[k * 256 + b]` is the checksum register after byte `b` and `k` zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var register = UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0x82f6_3b78 }
            tables[byte] = register
        }
        for index in 256..<8 * 256 {
            let shorter = tables[index - 256]
            tables[index] = shorter >> 8 ^ tables[Int(shorter & 0xff)]
        }
        return tables
    }()

    static func checksum(_ bytes: UnsafeRawBufferPointer, continuing: UInt32 = 0) -> UInt32 {
        let tables = tables
        var register = ~continuing
        var offset = 0
        while offset + 8 <= bytes.count {
            let word =
                unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                ^ UInt64(register)
            register = 0
            for index in 0..<8 {
                register ^= tables[(7 - index) * 256 + Int(word >> UInt64(index * 8) & 0xff)]
            }
            offset += 8
        }
        while offset < bytes.count {
            register = unsafe register >> 8 ^ tables[Int((register ^ UInt32(bytes[offset])) & 0xff)]
            offset += 1
        }
        return ~register
    }
}
