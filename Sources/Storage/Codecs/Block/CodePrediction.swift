import Core

/// Codes told by another column of the same rows: most sessions stay with their visitor, most paths with their artist.
///
/// `column u8 | bits | encoding u8 | others`. A row whose bit is set has the code that the last row before it with the
/// same code in that column had, or 0 where there was none. The other rows' codes follow, encoded as `CodeSeries` in one
/// of its other ways.
enum CodePrediction {
    /// Which columns may tell a column's codes. None is told by one that it helps to tell itself.
    static func references(for column: BlockColumn) -> [BlockColumn] {
        switch column {
        case .sessionId: [.visitorId, .clientHash]
        case .artistId: [.sessionId, .visitorId, .clientHash]
        case .eventId: [.artistId, .sessionId]
        case .path: [.eventId, .artistId, .sessionId]
        case .referrer, .userAgent, .country: [.sessionId, .visitorId, .clientHash]
        default: []
        }
    }

    /// The codes told by whichever reference tells most of them; nil where that is not shorter than `maxBytes`.
    static func encode(
        _ codes: [UInt32], by references: [(column: BlockColumn, codes: [UInt32])], maxBytes: Int
    ) -> [UInt8]? {
        var best: (column: BlockColumn, bits: [UInt8], others: [UInt32])?
        // No more than this many rows may be left untold: each takes a bit at least, and the others' bits are extra.
        var fewest = maxBytes * 8 - codes.count
        for reference in references {
            let (bits, others) = told(codes, by: reference.codes)
            if others.count < fewest {
                fewest = others.count
                best = (reference.column, bits, others)
            }
        }
        guard let best else { return nil }
        let (encoding, others) = CodeSeries.encode(best.others.span)
        guard 2 + best.bits.count + others.count < maxBytes else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 + best.bits.count + others.count)
        bytes.append(best.column.rawValue)
        bytes.append(contentsOf: best.bits)
        bytes.append(encoding.rawValue)
        bytes.append(contentsOf: others)
        return bytes
    }

    private static func told(_ codes: [UInt32], by reference: [UInt32]) -> (bits: [UInt8], others: [UInt32]) {
        var last = [UInt32](repeating: 0, count: Int(reference.max() ?? 0) + 1)
        var bits = [UInt8](repeating: 0, count: (codes.count + 7) / 8)
        var others: [UInt32] = []
        for row in codes.indices {
            let key = Int(reference[row])
            let code = codes[row]
            if last[key] == code {
                bits[row / 8] |= 1 << UInt8(row % 8)
            } else {
                last[key] = code
                others.append(code)
            }
        }
        return (bits, others)
    }

    /// - Parameter reference: the codes of the column that is named first; asked for once.
    static func decode(
        _ column: BlockColumn, count: Int, from reader: inout ByteReader,
        reference: (BlockColumn) throws(CodecDefect) -> [UInt32]
    ) throws(CodecDefect) -> [UInt32] {
        guard let named = BlockColumn(rawValue: try reader.byte()), references(for: column).contains(named) else {
            throw .outOfRange
        }
        let bits = unsafe try reader.take((count + 7) / 8)
        var told = 0
        for index in bits.indices { told += unsafe bits[index].nonzeroBitCount }
        guard told <= count, unsafe count % 8 == 0 || bits[bits.count - 1] >> UInt8(count % 8) == 0 else {
            throw .outOfRange
        }
        guard let encoding = CodeSeries.Encoding(rawValue: try reader.byte()) else { throw .outOfRange }
        var others = try CodeSeries.decode(encoding, count: count - told, from: &reader)
        // One more, so that there is something to load after the last one.
        others.append(0)
        let reference = try reference(named)
        var last = [UInt32](repeating: 0, count: Int(reference.max() ?? 0) + 1)
        guard reference.count == count else { throw .outOfRange }
        return unsafe [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe last.withUnsafeMutableBufferPointer { last in
                unsafe reference.withUnsafeBufferPointer { reference in
                    unsafe others.withUnsafeBufferPointer { others in
                        var taken = 0
                        for row in 0..<count {
                            // No code is above the greatest, which `last` has room for.
                            let key = unsafe Int(reference[row])
                            let isTold = unsafe UInt32(bits[row &>> 3] &>> UInt8(row & 7) & 1)
                            // As many clear bits as others, so `taken` stays within them. Without a branch, since it
                            // would be mispredicted.
                            let other = unsafe others[taken]
                            let code = unsafe other ^ ((other ^ last[key]) & (0 &- isTold))
                            taken &+= Int(isTold ^ 1)
                            unsafe last[key] = code
                            unsafe buffer[row] = code
                        }
                    }
                }
            }
            initialized = count
        }
    }
}
