@testable import Storage

/// A block's directory, read by hand from docs/formats.md rather than by the code under test.
struct BlockParts {
    struct Part: Equatable {
        var column: BlockColumn
        var isValues: Bool
        var encoding: UInt8
        var isCompressed: Bool
        var storedBytes: Int
    }

    var parts: [Part] = []

    init(_ bytes: [UInt8]) {
        var offset = 11
        func varint() -> Int {
            var value = 0
            var shift = 0
            while true {
                let byte = bytes[offset]
                offset += 1
                value |= Int(byte & 0x7f) << shift
                shift += 7
                if byte < 0x80 { return value }
            }
        }
        for _ in 0..<bytes[10] {
            let (number, encoding) = (bytes[offset], bytes[offset + 1])
            offset += 2
            let stored = varint()
            if encoding & 0x80 != 0 { _ = varint() }
            parts.append(
                Part(
                    column: BlockColumn(rawValue: number & 0x7f)!, isValues: number & 0x80 != 0,
                    encoding: encoding & 0x7f, isCompressed: encoding & 0x80 != 0, storedBytes: stored))
        }
    }

    func values(_ column: BlockColumn) -> Part? { parts.first { $0.column == column && $0.isValues } }
    func rows(_ column: BlockColumn) -> Part? { parts.first { $0.column == column && !$0.isValues } }
}
