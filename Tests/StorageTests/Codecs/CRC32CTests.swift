import TestSupport
import Testing

@testable import Storage

@Suite struct CRC32CTests {
    /// RFC 3720, B.4.
    static let vectors: [([UInt8], UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
        ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
        ([UInt8](0..<32), 0x46dd_794e),
        ([UInt8]((0..<32).reversed()), 0x113f_db5c),
        (
            [
                0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
                0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
            ], 0xd996_3a56
        ),
        (Array("123456789".utf8), 0xe306_9283),
        ([], 0),
    ]

    @Test func vectorsOfTheStandardHold() {
        for (bytes, expected) in Self.vectors {
            #expect(CRC32C.checksum(bytes) == expected)
            #expect(bytes.withUnsafeBytes { CRC32CTable.checksum($0) } == expected)
        }
    }

    @Test func instructionAndTableAgreeAndContinue() {
        let seed: UInt64 = 3720
        var generator = SeededGenerator(seed: seed)
        // From three times a lane of 1,024 bytes on, lanes go side by side.
        for length in Array(0..<200) + Array(3064...3080) + Array(6140...6150) + [9216, 10_000] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let cut = Int.random(in: 0...length, using: &generator)
            bytes.withUnsafeBytes { all in
                let expected = CRC32CTable.checksum(all)
                #expect(CRC32C.checksum(all) == expected, "seed \(seed)")
                let first = UnsafeRawBufferPointer(rebasing: all[..<cut])
                let second = UnsafeRawBufferPointer(rebasing: all[cut...])
                #expect(CRC32C.checksum(second, continuing: CRC32C.checksum(first)) == expected, "seed \(seed)")
                let byTable = CRC32CTable.checksum(second, continuing: CRC32CTable.checksum(first))
                #expect(byTable == expected, "seed \(seed)")
            }
        }
    }
}
