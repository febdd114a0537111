import Core
import TestSupport
import Testing

/// Texts that clients choose can't be chosen to share a place in a table.
@Suite struct TextHashTests {
    /// Pairs of blocks that Murmur3 takes for the same, whatever its seed and whatever stands around them: any row of
    /// them collides with any other of the same length. The two differ by what cancels itself out one block later.
    @Test func textsThatCollideUnderMurmur3DoNot() {
        var random = SeededGenerator()
        print(random)
        let texts = Self.colliding(1024)
        #expect(Set(texts).count == texts.count)
        #expect(texts.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
        for seed in [0, random.next(), random.next()] {
            #expect(Set(texts.map { $0.withUnsafeBytes { Murmur3.hash64($0, seed: seed) } }).count == 1)
        }
        let hash = TextHash()
        let hashes = texts.map { $0.withUnsafeBytes { hash($0) } }
        #expect(Set(hashes).count == texts.count)
        // Of 4096 places 1024 random numbers take 906.
        #expect(Set(hashes.map { $0 & 4095 }).count > 800)
        #expect(Set(hashes.map { $0 >> 52 }).count > 800)
    }

    @Test func everyByteCounts() {
        let hash = TextHash()
        for count in 0...70 {
            var text = [UInt8](repeating: 0, count: count)
            var hashes: Set = [text.withUnsafeBytes { hash($0) }]
            for index in text.indices {
                for bit in 0..<8 {
                    text[index] ^= 1 << bit
                    hashes.insert(text.withUnsafeBytes { hash($0) })
                    text[index] = 0
                }
            }
            #expect(hashes.count == 8 * count + 1)
        }
        // Nor are zeros at the end nothing.
        let zeros = (0...70).map { [UInt8](repeating: 0, count: $0) }
        #expect(Set(zeros.map { $0.withUnsafeBytes { hash($0) } }).count == zeros.count)
    }

    /// Words whose differences cancel out, two blocks of 16 bytes; both rows are UTF-8 without control characters.
    private static let blocks: [[UInt64]] = [
        [0x46a8_bde5_5f54_492d, 0xbdcd_715d_86a3_96f0, 0x40a1_9cea_a1b2_91f0, 0x6162_6364_6566_6768],
        [0x7e53_4a41_3d56_a8cd, 0x5e51_43ac_da3c_7732, 0xbdd3_4f6d_a1b2_91f0, 0x6162_6364_6566_6768],
    ]

    /// - Parameter count: a power of two.
    private static func colliding(_ count: Int) -> [[UInt8]] {
        let blocks = blocks.map { words in
            words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        }
        return (0..<count).map { number in
            (0..<count.trailingZeroBitCount).flatMap { blocks[number >> $0 & 1] }
        }
    }
}
