import Core
import Platform

/// Texts of a batch as JSON strings, without making a `String` of those that need no escape.
enum JSONText {
    static func append(_ column: TextColumn, value index: Int, to bytes: inout [UInt8]) {
        let range = column.range(ofValue: index)
        let isWritten = column.bytes.withUnsafeBytes { buffer in
            let text = UnsafeRawBufferPointer(rebasing: buffer[range])
            guard isPlain(text) else { return false }
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: text)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        if isWritten { return }
        var json = JSONWriter()
        json.value(column.string(ofValue: index))
        bytes += json.bytes
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// ASCII without control characters, quotes and backslashes; eight bytes a step.
    @inline(__always)
    static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        // In the top bit of each byte: whether it is of the bytes that need more than a copy.
        var found: UInt64 = 0
        while offset + 8 <= text.count {
            found |= special(text.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        if offset < text.count {
            var word: UInt64 = 0x2020_2020_2020_2020
            for byte in text[offset...] { word = word &<< 8 | UInt64(byte) }
            found |= special(word)
        }
        return found & tops == 0
    }

    /// Borrows may set bits above a byte that is found, never without one.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let quotes = word ^ ones &* 0x22
        let backslashes = word ^ ones &* 0x5c
        let below = (word &- ones &* 0x20) | (quotes &- ones) | (backslashes &- ones)
        return below & ~word & tops | word & tops
    }
}
