extension [UInt8] {
    mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(littleEndian value: Value) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// LEB128; see `ByteReader.varint()`.
    mutating func append(varint value: Int) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}
