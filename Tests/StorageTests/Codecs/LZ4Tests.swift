import TestSupport
import Testing

@testable import Storage

@Suite struct LZ4Tests {
    private func compress(_ bytes: [UInt8], maxBytes: Int? = nil) -> [UInt8]? {
        bytes.withUnsafeBytes { LZ4.compress($0, maxBytes: maxBytes ?? $0.count * 2 + 64) }
    }

    private func decompress(_ bytes: [UInt8], rawCount: Int) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try LZ4.decompress($0, rawCount: rawCount) }
    }

    @Test(arguments: [1, 12, 13, 64, 1000, 100_000])
    func decompressingIsTheInverse(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let random = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let regular = (0..<count).map { UInt8($0 / 7 % 5) }
        for bytes in [random, regular, [UInt8](repeating: 7, count: count)] {
            let block = try #require(compress(bytes))
            #expect(try decompress(block, rawCount: count) == bytes)
            #expect(compress(bytes) == block)
        }
    }

    @Test func whatDoesNotFitIsNil() {
        var generator = SeededGenerator(seed: 4)
        let random = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(compress(random, maxBytes: 999) == nil)
        #expect(compress(random, maxBytes: 0) == nil)
        #expect(compress([]) == nil)
        let zeros = [UInt8](repeating: 0, count: 1000)
        #expect(compress(zeros, maxBytes: 20)?.count ?? 1000 <= 20)
    }

    @Test func anotherSizeOrAnotherBlockIsMalformed() throws {
        let block = try #require(compress([UInt8](repeating: 7, count: 1000)))
        #expect(throws: LZ4.Malformed.self) { try decompress(block, rawCount: 999) }
        #expect(throws: LZ4.Malformed.self) { try decompress(block, rawCount: 1001) }
        #expect(throws: LZ4.Malformed.self) { try decompress(Array(block.dropLast()), rawCount: 1000) }
        #expect(throws: LZ4.Malformed.self) { try decompress([], rawCount: 1) }
        #expect(throws: LZ4.Malformed.self) { try decompress(block, rawCount: 0) }
        // More than any block of this length can hold is refused before memory is taken for it.
        #expect(throws: LZ4.Malformed.self) { try decompress(block, rawCount: LZ4.maxRawBytes) }
        #expect(throws: LZ4.Malformed.self) { try decompress(block, rawCount: LZ4.maxRawBytes + 1) }
    }

    @Test func mutatedBlocksNeverCrash() throws {
        let seed: UInt64 = 19
        var generator = SeededGenerator(seed: seed)
        let text = Array(String(repeating: "beacon after beacon, ", count: 60).utf8)
        let block = try #require(compress(text))
        for _ in 0..<5000 {
            var mutated = block
            mutated[Int.random(in: 0..<block.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            if let raw = try? decompress(mutated, rawCount: text.count) { #expect(raw.count == text.count) }
        }
    }
}
