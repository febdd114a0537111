/// A known number of unsigned integers, bit-packed in groups of 256.
///
/// `width u8 | bits`, where every group has that width, or `0xff | a width u8 for each group | each group's bits`. A
/// group's bits begin at a byte.
@safe struct PackedIntegers {
    static let groupSize = 256
    private static let varying: UInt8 = 0xff

    private let count: Int
    private let width: Int
    /// One for each group; nil where all have `width`.
    private let widths: UnsafeRawBufferPointer?
    private let bits: UnsafeRawBufferPointer

    /// Borrows the reader's bytes; every value will be below 2^`maxWidth`.
    init(count: Int, from reader: inout ByteReader, maxWidth: Int = 64) throws(CodecDefect) {
        self.count = count
        let first = try reader.byte()
        if first == Self.varying {
            let groups = (count + Self.groupSize - 1) / Self.groupSize
            let widths = unsafe try reader.take(groups)
            var bytes = 0
            for group in 0..<groups {
                let width = unsafe Int(widths[group])
                guard width <= maxWidth else { throw .outOfRange }
                bytes += BitPacking.byteCount(min(Self.groupSize, count - group * Self.groupSize), width: width)
            }
            width = 0
            unsafe self.widths = widths
            unsafe bits = try reader.take(bytes)
        } else {
            guard first <= maxWidth else { throw .outOfRange }
            width = Int(first)
            unsafe widths = nil
            unsafe bits = try reader.take(BitPacking.byteCount(count, width: width))
        }
    }

    /// - Precondition: `out` has room for exactly the count that was read.
    @inline(__always)
    func unpack<Value: FixedWidthInteger & UnsignedInteger>(into out: UnsafeMutableBufferPointer<Value>) {
        precondition(out.count == count)
        guard let widths = unsafe widths else {
            unsafe BitPacking.unpack(bits, width: width, into: out)
            return
        }
        var offset = 0
        for group in widths.indices {
            let width = unsafe Int(widths[group])
            let first = group * Self.groupSize
            let last = min(first + Self.groupSize, count)
            let bytes = BitPacking.byteCount(last - first, width: width)
            // Up to eight bytes more than the group's own, so that its last values are loaded as words too.
            let end = unsafe min(offset + bytes + 8, bits.count)
            unsafe BitPacking.unpack(
                UnsafeRawBufferPointer(rebasing: bits[offset..<end]), width: width,
                into: UnsafeMutableBufferPointer(rebasing: out[first..<last]))
            offset += bytes
        }
    }

    /// The values as 64-bit words.
    ///
    /// - Parameter places: those of the values to return, ascending; nil for all.
    func words(_ places: [Int]? = nil) -> [UInt64] {
        // Unpacked in one go, a value takes a fraction of what it takes alone.
        if let places, places.count < count / 4 { return places.isEmpty ? [] : words(at: places) }
        let all = unsafe [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe unpack(into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
        return places.map { places in places.map { all[$0] } } ?? all
    }

    private func words(at places: [Int]) -> [UInt64] {
        guard let widths = unsafe widths else {
            return places.map { unsafe BitPacking.word(bits, at: $0, width: width) }
        }
        var group = 0
        var offset = 0
        return places.map { place in
            while (group + 1) * Self.groupSize <= place {
                offset += unsafe BitPacking.byteCount(Self.groupSize, width: Int(widths[group]))
                group += 1
            }
            return unsafe BitPacking.word(
                UnsafeRawBufferPointer(rebasing: bits[offset...]), at: place - group * Self.groupSize,
                width: Int(widths[group]))
        }
    }
}

extension PackedIntegers {
    /// How values will be packed, and so how long they get.
    struct Plan {
        fileprivate let widths: [UInt8]
        fileprivate let uniform: UInt8?
        let byteCount: Int

        init(_ values: Span<UInt64>) {
            var widths: [UInt8] = []
            var varyingBytes = 0
            var all: UInt64 = 0
            var start = 0
            while start < values.count {
                let end = min(start + PackedIntegers.groupSize, values.count)
                var union: UInt64 = 0
                for index in start..<end { union |= values[index] }
                all |= union
                let width = 64 - union.leadingZeroBitCount
                widths.append(UInt8(width))
                varyingBytes += 1 + BitPacking.byteCount(end - start, width: width)
                start = end
            }
            let width = 64 - all.leadingZeroBitCount
            let uniformBytes = BitPacking.byteCount(values.count, width: width)
            uniform = uniformBytes <= varyingBytes ? UInt8(width) : nil
            self.widths = widths
            byteCount = 1 + min(uniformBytes, varyingBytes)
        }
    }

    static func append(_ values: Span<UInt64>, to bytes: inout [UInt8]) {
        append(values, as: Plan(values), to: &bytes)
    }

    /// - Precondition: `plan` was made for `values`.
    static func append(_ values: Span<UInt64>, as plan: Plan, to bytes: inout [UInt8]) {
        if let width = plan.uniform {
            bytes.append(width)
            BitPacking.append(values, width: Int(width), to: &bytes)
            return
        }
        bytes.append(varying)
        bytes.append(contentsOf: plan.widths)
        for (group, width) in plan.widths.enumerated() {
            let first = group * groupSize
            let last = min(first + groupSize, values.count)
            BitPacking.append(values.extracting(first..<last), width: Int(width), to: &bytes)
        }
    }
}
