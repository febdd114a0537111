import Core

/// What a column's texts have in common at their start: `length varint | bytes`.
struct TextPrefix {
    /// The longest that is written once a text instead of once.
    static let maxLength = 0xffff

    private let bytes: [UInt8]
    /// The first 16 bytes, to be written as words.
    private let words: (UInt64, UInt64)

    var length: Int { bytes.count }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.prefix(16).enumerated() {
            if index < 8 { words.0 |= UInt64(byte) << UInt64(index * 8) }
            if index >= 8 { words.1 |= UInt64(byte) << UInt64(index * 8 - 64) }
        }
        self.words = words
    }

    /// The longest prefix that all values share, at least one value given.
    init(commonTo column: TextColumn) {
        let bytes = column.bytes.span
        let ends = column.ends.span
        var length = min(Int(ends[0]), Self.maxLength)
        var start = Int(ends[0])
        for value in ends.indices.dropFirst() {
            let end = Int(ends[value])
            length = min(length, end - start)
            var index = 0
            while index < length && bytes[start + index] == bytes[index] { index += 1 }
            length = index
            if length == 0 { break }
            start = end
        }
        self.init(Array(column.bytes[..<length]))
    }

    init(from reader: inout ByteReader) throws(CodecDefect) {
        let length = try reader.varint()
        guard length <= Self.maxLength else { throw .outOfRange }
        self.init(unsafe Array(try reader.take(length)))
    }

    func append(to out: inout [UInt8]) {
        out.append(varint: length)
        out.append(contentsOf: bytes)
    }

    /// The prefix without the digits that it ends in.
    func droppingDigits() -> TextPrefix {
        var length = length
        while length > 0 && bytes[length - 1] &- 0x30 <= 9 { length -= 1 }
        return TextPrefix(Array(bytes[..<length]))
    }

    func dropLast(_ count: Int) -> TextPrefix {
        TextPrefix(Array(bytes.dropLast(count)))
    }

    /// How many bytes beyond a text's own `write(to:)` and its companions may touch.
    static let slack = 32

    /// Writes the prefix at `target`, and perhaps zeros up to 16 bytes from there.
    @inline(__always)
    func write(to target: UnsafeMutableRawPointer) {
        if bytes.count <= 16 {
            unsafe target.storeBytes(of: words.0.littleEndian, as: UInt64.self)
            unsafe target.storeBytes(of: words.1.littleEndian, toByteOffset: 8, as: UInt64.self)
        } else {
            unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
    }
}
