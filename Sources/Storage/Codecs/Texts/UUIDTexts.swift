import Core

/// Texts that are one prefix and a UUID in lower case.
///
/// `count varint | prefix | 0xff | 16 bytes each`, or where all have the same version and the usual variant, which then
/// need no bits: `count varint | prefix | version u8 | first 48 bits as integers | next 12 packed | last 62 packed`. A
/// version 7 UUID begins with its time, so that the first part is a short series of steps.
enum UUIDTexts {
    static let textLength = 36
    private static let mixed: UInt8 = 0xff

    static func encode(_ column: TextColumn) -> [UInt8]? {
        let count = column.valueCount
        let length = Int(column.ends[0])
        let prefixLength = length - textLength
        guard prefixLength >= 0, prefixLength <= TextPrefix.maxLength, column.bytes.count == count * length else {
            return nil
        }
        let bytes = column.bytes.span
        let ends = column.ends.span
        var high: [UInt64] = []
        var low: [UInt64] = []
        high.reserveCapacity(count)
        low.reserveCapacity(count)
        for index in 0..<count {
            guard Int(ends[index]) == (index + 1) * length else { return nil }
            let start = index * length
            for offset in 0..<prefixLength where bytes[start + offset] != bytes[offset] { return nil }
            guard let uuid = parse(bytes, at: start + prefixLength) else { return nil }
            high.append(uuid.high)
            low.append(uuid.low)
        }

        var out: [UInt8] = []
        out.reserveCapacity(count * 16 + prefixLength + 32)
        out.append(varint: count)
        TextPrefix(Array(column.bytes[..<prefixLength])).append(to: &out)
        let version = high[0] >> 12 & 0xf
        var alike = true
        for index in 0..<count {
            alike = alike && high[index] >> 12 & 0xf == version && low[index] >> 62 == 0b10
        }
        if alike {
            out.append(UInt8(version))
            let first = high.map { Int64(bitPattern: $0 >> 16) }
            let next = high.map { $0 & 0xfff }
            let last = low.map { $0 & 0x3fff_ffff_ffff_ffff }
            IntegerSeries.append(first.span, to: &out)
            PackedIntegers.append(next.span, to: &out)
            PackedIntegers.append(last.span, to: &out)
        } else {
            out.append(mixed)
            for index in 0..<count {
                out.append(littleEndian: high[index].byteSwapped)
                out.append(littleEndian: low[index].byteSwapped)
            }
        }
        return out
    }

    static func decode(
        count: Int, from reader: inout ByteReader, maxBytes: Int, only: [Int]? = nil
    ) throws(CodecDefect) -> DecodedTexts {
        let prefix = try TextPrefix(from: &reader)
        let length = prefix.length + textLength
        guard count * length <= maxBytes else { throw .tooLarge }
        let version = try reader.byte()
        if version == mixed {
            let halves = unsafe try reader.take(count * 16)
            return write(prefix, count: only?.count ?? count) { place in
                let index = only?[place] ?? place
                let high = unsafe halves.loadUnaligned(fromByteOffset: index * 16, as: UInt64.self)
                let low = unsafe halves.loadUnaligned(fromByteOffset: index * 16 + 8, as: UInt64.self)
                return (UInt64(bigEndian: high), UInt64(bigEndian: low))
            }
        }
        guard version <= 0xf else { throw .outOfRange }
        let first = try IntegerSeries.read(count: count, from: &reader, only: only)
        let next = try PackedIntegers(count: count, from: &reader, maxWidth: 12).words(only)
        let last = try PackedIntegers(count: count, from: &reader, maxWidth: 62).words(only)
        return unsafe first.withUnsafeBufferPointer { first in
            unsafe next.withUnsafeBufferPointer { next in
                unsafe last.withUnsafeBufferPointer { last in
                    write(prefix, count: first.count) { place in
                        let high = unsafe UInt64(bitPattern: first[place]) &<< 16 | UInt64(version) &<< 12 | next[place]
                        return unsafe (high, 1 &<< 63 | last[place])
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func write(
        _ prefix: TextPrefix, count written: Int, _ uuid: (Int) -> (high: UInt64, low: UInt64)
    ) -> DecodedTexts {
        let length = prefix.length + textLength
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: written * length + TextPrefix.slack) {
            buffer, initialized in
            var target = UnsafeMutableRawPointer(buffer.baseAddress!)
            for index in 0..<written {
                if prefix.length > 0 {
                    unsafe prefix.write(to: target)
                    unsafe target += prefix.length
                }
                let (high, low) = uuid(index)
                unsafe format(high, low, to: target)
                unsafe target += textLength
            }
            initialized = written * length
        }
        return DecodedTexts(bytes: bytes, count: written, length: length)
    }

    private static let dash: UInt8 = 0x2d

    /// Digits and dashes: 8-4-4-4-12.
    private static func parse(_ bytes: Span<UInt8>, at start: Int) -> (high: UInt64, low: UInt64)? {
        guard bytes[start + 8] == dash, bytes[start + 13] == dash, bytes[start + 18] == dash, bytes[start + 23] == dash,
            let a = HexDigits.value(word(bytes, start)),
            let b = HexDigits.value(word(bytes, start + 9) & 0xffff_ffff | word(bytes, start + 14) << 32),
            let c = HexDigits.value(word(bytes, start + 19) & 0xffff_ffff | word(bytes, start + 24) << 32),
            let d = HexDigits.value(word(bytes, start + 28))
        else { return nil }
        return (UInt64(a) << 32 | UInt64(b), UInt64(c) << 32 | UInt64(d))
    }

    @inline(__always)
    private static func word(_ bytes: Span<UInt8>, _ offset: Int) -> UInt64 {
        // Bounds are checked, and every bit pattern is an integer.
        unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Writes 36 bytes.
    @inline(__always)
    private static func format(_ high: UInt64, _ low: UInt64, to target: UnsafeMutableRawPointer) {
        let a = HexDigits.digits(UInt32(truncatingIfNeeded: high &>> 32))
        let b = HexDigits.digits(UInt32(truncatingIfNeeded: high))
        let c = HexDigits.digits(UInt32(truncatingIfNeeded: low &>> 32))
        let d = HexDigits.digits(UInt32(truncatingIfNeeded: low))
        // Each word runs past its digits into what the next one overwrites.
        unsafe target.storeBytes(of: a.littleEndian, as: UInt64.self)
        unsafe target.storeBytes(of: (b &<< 8 | UInt64(dash)).littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe target.storeBytes(of: (b &>> 24 & ~0xff | UInt64(dash)).littleEndian, toByteOffset: 13, as: UInt64.self)
        unsafe target.storeBytes(of: (c &<< 8 | UInt64(dash)).littleEndian, toByteOffset: 18, as: UInt64.self)
        unsafe target.storeBytes(of: (c &>> 24 & ~0xff | UInt64(dash)).littleEndian, toByteOffset: 23, as: UInt64.self)
        unsafe target.storeBytes(of: d.littleEndian, toByteOffset: 28, as: UInt64.self)
    }
}
