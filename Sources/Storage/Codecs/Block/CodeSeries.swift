/// The rows' codes into a column's dictionary: a known number of small integers, in the shortest of a few ways.
///
/// - packed: `packed`.
/// - runs: `count varint | codes packed | lengths - 1 packed`.
/// - first seen: `new varint`, and unless all are new, `bits | others packed`. A row whose bit is set has the lowest code
///   not used before it, as a dictionary in order of appearance gives it; the other rows' codes follow.
/// - predicted: see `CodePrediction`.
enum CodeSeries {
    enum Encoding: UInt8, CaseIterable {
        case packed = 0
        case runs = 1
        case firstSeen = 2
        case predicted = 3
    }

    /// 16 bits for `BatchBlock.maxRows`, and one more because code 0 is null.
    static let maxWidth = 17

    // MARK: Encoding

    static func encode(_ codes: Span<UInt32>) -> (Encoding, [UInt8]) {
        let shape = Shape(codes)
        let count = codes.count

        var words: [UInt64] = []
        words.reserveCapacity(count)
        for index in codes.indices { words.append(UInt64(codes[index])) }
        let packing = PackedIntegers.Plan(words.span)

        // What each would take, by the widest value. Only a winner by this estimate is encoded.
        let width = 32 - shape.max.leadingZeroBitCount
        let runBytes = 8 + shape.runs * (width + 2) / 8
        let firstSeenBytes = shape.new == count ? 3 : 6 + (count + (count - shape.new) * width) / 8
        if runBytes < min(packing.byteCount, firstSeenBytes) { return (.runs, runs(codes, count: shape.runs)) }
        if firstSeenBytes < packing.byteCount { return (.firstSeen, firstSeen(codes, new: shape.new)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(packing.byteCount)
        PackedIntegers.append(words.span, as: packing, to: &bytes)
        return (.packed, bytes)
    }

    private struct Shape {
        var max: UInt32 = 0
        var runs = 0
        /// Rows whose code is one more than any before.
        var new = 0

        init(_ codes: Span<UInt32>) {
            var previous: UInt32?
            var next: UInt32 = 1
            for index in codes.indices {
                let code = codes[index]
                if code != previous { runs += 1 }
                if code == next {
                    new += 1
                    next += 1
                }
                max = Swift.max(max, code)
                previous = code
            }
        }
    }

    private static func runs(_ codes: Span<UInt32>, count: Int) -> [UInt8] {
        var values: [UInt64] = []
        var lengths: [UInt64] = []
        values.reserveCapacity(count)
        lengths.reserveCapacity(count)
        for index in codes.indices {
            if index > 0 && codes[index] == codes[index - 1] {
                lengths[lengths.count - 1] += 1
            } else {
                values.append(UInt64(codes[index]))
                lengths.append(0)
            }
        }
        var bytes: [UInt8] = []
        bytes.append(varint: values.count)
        PackedIntegers.append(values.span, to: &bytes)
        PackedIntegers.append(lengths.span, to: &bytes)
        return bytes
    }

    private static func firstSeen(_ codes: Span<UInt32>, new: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: new)
        if new == codes.count { return bytes }
        var bits = [UInt8](repeating: 0, count: (codes.count + 7) / 8)
        var others: [UInt64] = []
        others.reserveCapacity(codes.count - new)
        var next: UInt32 = 1
        for index in codes.indices {
            if codes[index] == next {
                next += 1
                bits[index / 8] |= 1 << UInt8(index % 8)
            } else {
                others.append(UInt64(codes[index]))
            }
        }
        bytes.append(contentsOf: bits)
        PackedIntegers.append(others.span, to: &bytes)
        return bytes
    }

    // MARK: Decoding

    /// The codes, all below 2^`maxWidth`; not for `predicted`.
    static func decode(
        _ encoding: Encoding, count: Int, from reader: inout ByteReader
    ) throws(CodecDefect) -> [UInt32] {
        let codes: [UInt32]
        switch encoding {
        case .packed: codes = try unpack(PackedIntegers(count: count, from: &reader, maxWidth: maxWidth), count)
        case .runs: codes = try runs(count: count, from: &reader)
        case .firstSeen: codes = try firstSeen(count: count, from: &reader)
        case .predicted: throw .outOfRange
        }
        try reader.finish()
        return codes
    }

    private static func unpack(_ packed: PackedIntegers, _ count: Int) -> [UInt32] {
        unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe packed.unpack(into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    private static func runs(count: Int, from reader: inout ByteReader) throws(CodecDefect) -> [UInt32] {
        let runs = try reader.varint()
        guard runs <= count else { throw .outOfRange }
        let values = try unpack(PackedIntegers(count: runs, from: &reader, maxWidth: maxWidth), runs)
        let lengths = try unpack(PackedIntegers(count: runs, from: &reader, maxWidth: maxWidth), runs)
        var total = runs
        for length in lengths { total += Int(length) }
        guard total == count else { throw .outOfRange }
        return unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            var row = 0
            for (value, length) in zip(values, lengths) {
                for _ in 0...length {
                    unsafe buffer[row] = value
                    row += 1
                }
            }
            initialized = count
        }
    }

    private static func firstSeen(count: Int, from reader: inout ByteReader) throws(CodecDefect) -> [UInt32] {
        let new = try reader.varint()
        guard new <= count else { throw .outOfRange }
        if new == count {
            return unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
                for row in 0..<count { unsafe buffer[row] = UInt32(truncatingIfNeeded: row + 1) }
                initialized = count
            }
        }
        let bits = unsafe try reader.take((count + 7) / 8)
        var set = 0
        for index in bits.indices { set += unsafe bits[index].nonzeroBitCount }
        guard set == new, unsafe count % 8 == 0 || bits[bits.count - 1] >> UInt8(count % 8) == 0 else {
            throw .outOfRange
        }
        let others = try unpack(PackedIntegers(count: count - new, from: &reader, maxWidth: maxWidth), count - new)
        return unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe others.withUnsafeBufferPointer { others in
                // As many clear bits as others, so `taken` is past them only where it is not used.
                let last = others.count - 1
                var next: UInt32 = 1
                var taken = 0
                for row in 0..<count {
                    let isNew = unsafe UInt32(bits[row &>> 3] &>> UInt8(row & 7) & 1)
                    let other = unsafe others[min(taken, last)]
                    unsafe buffer[row] = isNew != 0 ? next : other
                    next &+= isNew
                    taken &+= Int(isNew ^ 1)
                }
            }
            initialized = count
        }
    }
}
