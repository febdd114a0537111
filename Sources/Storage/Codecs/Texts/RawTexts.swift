import Core

/// `count varint | lengths packed | texts end to end`
enum RawTexts {
    static func encode(_ column: TextColumn) -> [UInt8] {
        var lengths: [UInt64] = []
        lengths.reserveCapacity(column.valueCount)
        var start: UInt32 = 0
        for end in column.ends {
            lengths.append(UInt64(end - start))
            start = end
        }
        let packing = PackedIntegers.Plan(lengths.span)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(5 + packing.byteCount + column.bytes.count)
        bytes.append(varint: column.valueCount)
        PackedIntegers.append(lengths.span, as: packing, to: &bytes)
        bytes.append(contentsOf: column.bytes)
        return bytes
    }

    static func decode(
        count: Int, from reader: inout ByteReader, maxBytes: Int, only: [Int]? = nil
    ) throws(CodecDefect) -> DecodedTexts {
        let lengths = try PackedIntegers(count: count, from: &reader, maxWidth: 32)
        let length = reader.remaining
        guard length <= maxBytes else { throw .tooLarge }
        var total = 0
        let ends = unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            let out = unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<count])
            unsafe lengths.unpack(into: out)
            for index in out.indices {
                total += unsafe Int(out[index])
                unsafe out[index] = UInt32(truncatingIfNeeded: total)
            }
            initialized = count
        }
        guard total == length else { throw .outOfRange }
        let texts = unsafe try reader.take(length)
        guard let only else { return unsafe DecodedTexts(bytes: Array(texts), ends: ends) }
        var picked = DecodedTexts(bytes: [], ends: [])
        for index in only {
            unsafe picked.bytes.append(contentsOf: texts[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])])
            picked.ends.append(UInt32(picked.bytes.count))
        }
        return picked
    }
}
