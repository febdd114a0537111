import TestSupport
import Testing

@testable import Storage

@Suite struct HashSetRunTests {
    private func failure(_ bytes: [UInt8]) -> SealedRun.Failure? {
        do throws(SealedRun.Failure) {
            _ = try HashSetRun.decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    private func resealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = Array(bytes.dropLast(4))
        bytes.append(littleEndian: CRC32C.checksum(bytes))
        return bytes
    }

    private func randomSet(count: Int) -> [UInt64] {
        var generator = SeededGenerator(seed: UInt64(count))
        var hashes: Set<UInt64> = []
        while hashes.count < count { hashes.insert(generator.next()) }
        return hashes.sorted()
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 8, 100, 1000, 10_000])
    func decodingIsTheInverse(count: Int) throws {
        let hashes = randomSet(count: count)
        let bytes = HashSetRun.encode(sorted: hashes)
        #expect(try HashSetRun.decode(bytes) == hashes)
        // 66 - log₂ n, and the header; no encoding takes 0.6 bits less.
        if count >= 100 {
            let bitsEach = Double(8 * bytes.count) / Double(count)
            #expect(bitsEach < Double(66 - (Int.bitWidth - 1 - count.leadingZeroBitCount)) + 1)
        }
    }

    @Test(arguments: [[0], [.max], [0, .max], [0, 1, 2, 3], [.max - 2, .max - 1, .max]] as [[UInt64]])
    func extremesAreKept(hashes: [UInt64]) throws {
        #expect(try HashSetRun.decode(HashSetRun.encode(sorted: hashes)) == hashes)
    }

    @Test func aRunOfConsecutiveHashesIsKept() throws {
        let hashes = [UInt64](1_000_000..<1_003_000)
        #expect(try HashSetRun.decode(HashSetRun.encode(sorted: hashes)) == hashes)
    }

    @Test func bytesAreThoseOfTheFormat() {
        let bytes = HashSetRun.encode(sorted: [0x0102_0304_0506_0708, 0x8000_0000_0000_0001])
        // One high bit, told by place; 63 low bits each; places 0 and 2.
        #expect(
            bytes.dropLast(4) == [
                1, 2, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0b101,
            ])
    }

    @Test func everyFlippedBitIsFound() {
        let bytes = HashSetRun.encode(sorted: randomSet(count: 20))
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard case .checksum = failure(flipped) else {
                Issue.record("bit \(bit) went unnoticed")
                continue
            }
        }
    }

    @Test func malformedRunsAreRefused() {
        #expect(failure([1, 0]) == .truncated(count: 2))
        #expect(failure(resealed([2, 0, 0, 0, 0, 0])) == .unknownVersion(2))
        #expect(failure(resealed([1, 1, 0, 0, 0, 0])) == .malformed(.truncated))
        #expect(failure(resealed([1, 0, 0, 0, 0, 0, 0])) == .malformed(.trailingBytes))
        #expect(failure(resealed([1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0])) == .malformed(.tooLarge))
        #expect(failure(resealed([1, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])) == .malformed(.outOfRange))
        var two = HashSetRun.encode(sorted: [5, 6])
        // Both hashes in one place, the low bits now equal.
        two.replaceSubrange(2..<18, with: [UInt8](repeating: 0, count: 16))
        #expect(failure(resealed(two)) == .malformed(.outOfRange))
        var one = HashSetRun.encode(sorted: [5])
        one[10] = 0b1000
        #expect(failure(resealed(one)) == .malformed(.outOfRange))
    }

    @Test func mutatedRunsNeverCrash() {
        let seed: UInt64 = 64
        var generator = SeededGenerator(seed: seed)
        let originals = [0, 1, 2, 9, 300].map { HashSetRun.encode(sorted: randomSet(count: $0)) }
        for _ in 0..<20_000 {
            var bytes = originals.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            if bytes.count >= 4 { bytes = resealed(bytes) }
            if let hashes = try? HashSetRun.decode(bytes) {
                #expect(zip(hashes, hashes.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
            }
        }
    }
}
