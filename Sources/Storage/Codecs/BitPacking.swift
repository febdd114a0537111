/// Integers of one width end to end: value `i` is bits `i * width ..< (i + 1) * width`, low bits and low bytes first.
enum BitPacking {
    static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

    /// - Precondition: every value fits in `width` bits, which are at most 64.
    static func append(_ values: Span<UInt64>, width: Int, to bytes: inout [UInt8]) {
        guard width > 0 else { return }
        var pending: UInt64 = 0
        var pendingBits = 0
        for index in values.indices {
            let value = values[index]
            pending |= value &<< UInt64(pendingBits)
            pendingBits += width
            if pendingBits >= 64 {
                bytes.append(littleEndian: pending)
                pendingBits -= 64
                pending = pendingBits == 0 ? 0 : value &>> UInt64(width - pendingBits)
            }
        }
        while pendingBits > 0 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingBits -= 8
        }
    }

    /// Fills `out` from `bytes`; bits that `Value` has no room for are cut off.
    ///
    /// - Precondition: `bytes` holds `byteCount(out.count, width: width)` bytes, `width` is at most 64.
    @inline(__always)
    static func unpack<Value: FixedWidthInteger & UnsignedInteger>(
        _ bytes: UnsafeRawBufferPointer, width: Int, into out: UnsafeMutableBufferPointer<Value>
    ) {
        precondition(bytes.count >= byteCount(out.count, width: width) && width <= 64)
        guard width > 0 else {
            unsafe out.update(repeating: 0)
            return
        }
        let mask = UInt64.max &>> UInt64(64 - width)
        // A value can begin up to 7 bits into its first byte: up to 57 bits lie in one 8-byte load, more need a ninth byte.
        let loaded = width <= 57 ? 8 : 9
        var index = 0
        if bytes.count >= loaded {
            let last = (bytes.count - loaded) * 8 + 7
            let fast = min(out.count, last / width + 1)
            let start = bytes.baseAddress!
            let target = out.baseAddress!
            var bit = 0
            if width <= 57 {
                while index < fast {
                    let word = unsafe UInt64(
                        littleEndian: start.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                    unsafe target[index] = Value(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
                    bit &+= width
                    index &+= 1
                }
            } else {
                while index < fast {
                    let word = unsafe UInt64(
                        littleEndian: start.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                    let ninth = unsafe UInt64(start.load(fromByteOffset: bit &>> 3 &+ 8, as: UInt8.self))
                    let shift = UInt64(bit & 7)
                    let value = word &>> shift | (ninth << (64 - shift))
                    unsafe target[index] = Value(truncatingIfNeeded: value & mask)
                    bit &+= width
                    index &+= 1
                }
            }
        }
        while index < out.count {
            unsafe out[index] = Value(truncatingIfNeeded: value(bytes, at: index, width: width))
            index += 1
        }
    }

    /// One value.
    ///
    /// - Precondition: `bytes` holds it, `width` is at most 64.
    static func word(_ bytes: UnsafeRawBufferPointer, at index: Int, width: Int) -> UInt64 {
        precondition(bytes.count >= byteCount(index + 1, width: width) && width <= 64)
        let bit = index * width
        guard width > 0, bit / 8 + 9 <= bytes.count else {
            return unsafe value(bytes, at: index, width: width)
        }
        let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bit / 8, as: UInt64.self))
        let ninth = unsafe UInt64(bytes[bit / 8 + 8])
        let shift = UInt64(bit % 8)
        return (word &>> shift | ninth << (64 - shift)) & (UInt64.max &>> UInt64(64 - width))
    }

    /// One value, byte by byte: for the few at the end, where whole words would reach past the bytes.
    private static func value(_ bytes: UnsafeRawBufferPointer, at index: Int, width: Int) -> UInt64 {
        var value: UInt64 = 0
        var bit = index * width
        var filled = 0
        while filled < width {
            let taken = min(8 - bit % 8, width - filled)
            let part = unsafe UInt64(bytes[bit / 8]) >> UInt64(bit % 8) & (1 << UInt64(taken) - 1)
            value |= part << UInt64(filled)
            bit += taken
            filled += taken
        }
        return value
    }
}
