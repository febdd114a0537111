import Core

/// Texts of one length that are one prefix and an even number of lower-case hex digits.
///
/// `count varint | prefix | bytes a text varint | bytes`
enum HexTexts {
    static func encode(_ column: TextColumn) -> [UInt8]? {
        let count = column.valueCount
        let length = Int(column.ends[0])
        let bytes = column.bytes.span
        let ends = column.ends.span
        guard length > 0, column.bytes.count == count * length, HexDigits.nibble(bytes[length - 1]) != nil else {
            return nil
        }
        for index in 0..<count where Int(ends[index]) != (index + 1) * length { return nil }
        // With one value everything is prefix; hex begins after the last byte that is no digit.
        var prefix = TextPrefix(commonTo: column)
        var shared = prefix.length
        while shared > 0, HexDigits.nibble(bytes[shared - 1]) != nil { shared -= 1 }
        prefix = prefix.dropLast(prefix.length - shared)
        if (length - prefix.length) % 2 != 0 { return nil }

        var out: [UInt8] = []
        out.reserveCapacity(count * (length - prefix.length) / 2 + prefix.length + 16)
        out.append(varint: count)
        prefix.append(to: &out)
        out.append(varint: (length - prefix.length) / 2)
        for index in 0..<count {
            for offset in stride(from: index * length + prefix.length, to: (index + 1) * length, by: 2) {
                guard let high = HexDigits.nibble(bytes[offset]), let low = HexDigits.nibble(bytes[offset + 1]) else {
                    return nil
                }
                out.append(high << 4 | low)
            }
        }
        return out
    }

    static func decode(
        count: Int, from reader: inout ByteReader, maxBytes: Int, only: [Int]? = nil
    ) throws(CodecDefect) -> DecodedTexts {
        let prefix = try TextPrefix(from: &reader)
        let half = try reader.varint()
        guard half > 0, half <= maxBytes else { throw .outOfRange }
        let length = prefix.length + half * 2
        guard count * length <= maxBytes else { throw .tooLarge }
        let source = unsafe try reader.take(count * half)
        let written = only?.count ?? count
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: written * length + TextPrefix.slack) {
            buffer, initialized in
            var target = UnsafeMutableRawPointer(buffer.baseAddress!)
            for index in 0..<written {
                var offset = (only?[index] ?? index) * half
                if prefix.length > 0 {
                    unsafe prefix.write(to: target)
                    unsafe target += prefix.length
                }
                let end = offset + half
                while offset + 4 <= end {
                    let word = unsafe UInt32(bigEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                    unsafe target.storeBytes(of: HexDigits.digits(word).littleEndian, as: UInt64.self)
                    unsafe target += 8
                    offset += 4
                }
                while offset < end {
                    let digits = unsafe HexDigits.digits(UInt32(source[offset]) << 24)
                    unsafe target.storeBytes(of: UInt16(truncatingIfNeeded: digits).littleEndian, as: UInt16.self)
                    unsafe target += 2
                    offset += 1
                }
            }
            initialized = written * length
        }
        return DecodedTexts(bytes: bytes, count: written, length: length)
    }
}
