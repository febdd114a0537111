import Core

/// A column's dictionary: its distinct texts in order, as text or, where all of them allow it, as something shorter.
enum TextValues {
    enum Encoding: UInt8, CaseIterable {
        case raw = 0
        case numbered = 1
        case hex = 2
        case uuid = 3
    }

    /// - Precondition: the column has values.
    static func encode(_ column: TextColumn) -> (Encoding, [UInt8]) {
        if let bytes = UUIDTexts.encode(column), bytes.count < column.bytes.count { return (.uuid, bytes) }
        if let bytes = NumberedTexts.encode(column), bytes.count < column.bytes.count { return (.numbered, bytes) }
        if let bytes = HexTexts.encode(column), bytes.count < column.bytes.count { return (.hex, bytes) }
        return (.raw, RawTexts.encode(column))
    }

    /// - Parameters:
    ///   - counts: how many values there may be.
    ///   - maxBytes: how long the texts may be together.
    ///   - only: the values to return, ascending and fewer than the least count; nil for all.
    static func decode(
        _ encoding: Encoding, from reader: inout ByteReader, count counts: ClosedRange<Int>, maxBytes: Int,
        only: [Int]? = nil
    ) throws(CodecDefect) -> DecodedTexts {
        let count = try reader.varint()
        guard count > 0, count >= counts.lowerBound else { throw .outOfRange }
        guard count <= counts.upperBound else { throw .tooLarge }
        let texts: DecodedTexts
        switch encoding {
        case .raw: texts = try RawTexts.decode(count: count, from: &reader, maxBytes: maxBytes, only: only)
        case .numbered: texts = try NumberedTexts.decode(count: count, from: &reader, maxBytes: maxBytes, only: only)
        case .hex: texts = try HexTexts.decode(count: count, from: &reader, maxBytes: maxBytes, only: only)
        case .uuid: texts = try UUIDTexts.decode(count: count, from: &reader, maxBytes: maxBytes, only: only)
        }
        try reader.finish()
        return texts
    }
}
