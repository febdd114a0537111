import TestSupport
import Testing

@testable import Core

/// Expectations are those of postgresql-hll 2.17; StorageTests compare with a live one.
@Suite struct VisitorSketchTests {
    static func sketch(visitors range: Range<Int>) -> VisitorSketch {
        var sketch = VisitorSketch()
        for number in range { sketch.add(hash: Murmur3.hash64("visitor-\(number)")) }
        return sketch
    }

    static func sketch(hashes: some Sequence<UInt64>) -> VisitorSketch {
        var sketch = VisitorSketch()
        for hash in hashes { sketch.add(hash: hash) }
        return sketch
    }

    struct Expectation: Sendable, CustomTestStringConvertible {
        let count: Int
        let length: Int
        /// `hll_hash_bytea` of the sketch's bytes.
        let hash: Int64
        let cardinality: Double

        var testDescription: String { "\(count) values" }
    }

    static let expectations = [
        (0, 3, 8_607_598_645_709_017_666, 0),
        (1, 11, 1_952_137_009_729_114_531, 1),
        (2, 19, -6_902_827_855_064_356_769, 2),
        (6, 51, -1_497_784_661_273_433_328, 6),
        (7, 59, -4_062_290_604_728_383_112, 7),
        (96, 771, -9_101_751_620_914_093_943, 96),
        (97, 779, 4_894_877_275_994_729_533, 97),
        (127, 1019, 2_105_618_521_843_398_070, 127),
        (128, 1027, -157_602_465_088_105_917, 128),
        (129, 289, 3_295_828_729_958_629_909, 127.99473025007438),
        (130, 291, 6_918_470_237_852_187_577, 129.0105402829956),
        (131, 291, 6_918_470_237_852_187_577, 129.0105402829956),
        (500, 1092, -6_986_175_443_857_083_961, 498.8872109673018),
        (2600, 4980, -8_082_533_064_486_797_341, 2578.329602741138),
        (2700, 5123, 4_333_518_027_366_198_803, 2680.3346225186497),
        (5000, 5123, 4_228_260_724_334_025_448, 4995.519568968529),
        (20_000, 5123, 6_306_379_948_144_294_584, 20801.497179453458),
        (100_000, 5123, -8_639_224_964_863_183_890, 100296.53763039729),
    ].map { Expectation(count: $0.0, length: $0.1, hash: $0.2, cardinality: $0.3) }

    @Test(arguments: expectations)
    func bytesAndCardinalityAreThoseOfTheExtension(_ expected: Expectation) throws {
        let sketch = Self.sketch(visitors: 1..<expected.count + 1)
        let bytes = sketch.bytes
        #expect(bytes.count == expected.length)
        #expect(bytes.withUnsafeBytes { Int64(bitPattern: Murmur3.hash64($0)) } == expected.hash)
        #expect(abs(sketch.estimate - expected.cardinality) <= expected.cardinality * 1e-9)
        #expect(sketch.value == Int(expected.cardinality.rounded()))
        #expect(sketch.isExact == (expected.count <= VisitorSketch.maxExactValues))
        let decoded = try VisitorSketch(bytes: bytes)
        #expect(decoded == sketch)
        #expect(decoded.bytes == bytes)
    }

    @Test func hashesOfEitherSignAreOrderedAsSigned() {
        let hashes: [Int64] = [0, -1, 1, .min, .max, 8191, 8192]
        let sketch = Self.sketch(hashes: hashes.map { UInt64(bitPattern: $0) })
        #expect(
            hex(sketch.bytes) == "128d48" + "8000000000000000" + "ffffffffffffffff" + "0000000000000000"
                + "0000000000000001" + "0000000000001fff" + "0000000000002000" + "7fffffffffffffff")
        #expect(sketch.value == 7)
    }

    @Test func oneHundredAndTwentyEightValuesIncludeZero() {
        var sketch = Self.sketch(hashes: 0..<128)
        #expect(sketch.isExact)
        sketch.add(hash: 0)
        #expect(sketch.isExact)
        #expect(sketch.value == 128)
        sketch.add(hash: 128)
        #expect(!sketch.isExact)

        var other = Self.sketch(hashes: 1..<129)
        #expect(other.isExact)
        other.add(hash: 0)
        #expect(other == sketch)
    }

    @Test func registersWithoutAnyValueAreSparseAndNotEmpty() throws {
        // All bits above the register number are zero, which counts as no value at all in the extension too.
        let sketch = Self.sketch(hashes: 0..<129)
        #expect(hex(sketch.bytes) == "138d48")
        #expect(sketch.value == 0)
        #expect(try VisitorSketch(bytes: sketch.bytes) == sketch)
    }

    @Test(arguments: [1, 100, 128, 129, 3000])
    func orderOfAddingDoesNotMatter(count: Int) {
        let seed = UInt64(count) &* 7919
        var generator = SeededGenerator(seed: seed)
        var hashes = (0..<count).map { _ in generator.next() }
        let expected = Self.sketch(hashes: hashes)
        hashes += hashes.shuffled(using: &generator)
        let shuffled = Self.sketch(hashes: hashes.shuffled(using: &generator))
        #expect(shuffled == expected, "seed \(seed)")
        #expect(shuffled.bytes == expected.bytes, "seed \(seed)")
    }

    @Test(arguments: 0..<40)
    func mergingIsUnionInAnyOrderAndGrouping(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let sizes = [0, 1, 5, 60, 127, 128, 129, 700, 4000]
        let pool = (0..<6000).map { _ in generator.next() }
        let parts = (0..<4).map { _ in
            (0..<sizes.randomElement(using: &generator)!).map { _ in pool.randomElement(using: &generator)! }
        }
        // A set that was promoted stays so: the union has registers when any part has, or when there are over 128.
        let union = Self.sketch(hashes: parts.joined())
        let sketches = parts.map { Self.sketch(hashes: $0) }

        func merged(_ sketches: [VisitorSketch]) -> VisitorSketch {
            sketches.reduce(into: VisitorSketch()) { $0.merge($1) }
        }
        #expect(merged(sketches) == union, "seed \(seed)")
        #expect(merged(sketches).bytes == union.bytes, "seed \(seed)")
        #expect(merged(sketches.shuffled(using: &generator)).bytes == union.bytes, "seed \(seed)")
        let pairs = [merged([sketches[3], sketches[1]]), merged([sketches[2], sketches[0]])]
        #expect(merged(pairs).bytes == union.bytes, "seed \(seed)")
        #expect(merged([union, union]).bytes == union.bytes, "seed \(seed)")
    }

    @Test func fullBytesOfFewRegistersAreReadAndWrittenSparse() throws {
        let sketch = Self.sketch(visitors: 0..<200)
        var registers = sketch.registers
        registers.append(contentsOf: [0, 0, 0])
        var full: [UInt8] = [0x14, 0x8d, 0x48]
        for group in 0..<1024 {
            var word: UInt64 = 0
            for index in 0..<8 { word = word << 5 | UInt64(registers[group * 8 + index]) }
            for shift in stride(from: 32, through: 0, by: -8) { full.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        let decoded = try VisitorSketch(bytes: full)
        #expect(decoded == sketch)
        #expect(decoded.bytes == sketch.bytes)
    }

    @Test func estimateIsFiniteForEveryRegisterAtItsLimit() {
        let full = VisitorSketch(registers: [UInt8](repeating: 31, count: 8192))
        #expect(full.value == 1 << 43)
        let high = VisitorSketch(registers: [UInt8](repeating: 29, count: 8192))
        #expect(high.estimate.isFinite)
        #expect(high.value < full.value)
    }

    @Test func malformedBytesAreRefused() {
        func error(_ bytes: [UInt8]) -> SketchError? {
            do {
                _ = try VisitorSketch(bytes: bytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(error([]) == .truncated(count: 0))
        #expect(error([0x11, 0x8d]) == .truncated(count: 2))
        #expect(error([0x21, 0x8d, 0x48]) == .unknownVersion(2))
        #expect(error([0x10, 0x8d, 0x48]) == .unknownType(0))
        #expect(error([0x15, 0x8d, 0x48]) == .unknownType(5))
        #expect(error([0x11, 0x8b, 0x7f]) == .otherParameters(0x8b, cutoff: 0x7f))
        #expect(error([0x11, 0x8d, 0x48, 0]) == .wrongSize(count: 4))
        #expect(error([0x12, 0x8d, 0x48] + [UInt8](repeating: 0, count: 7)) == .wrongSize(count: 10))
        #expect(error([0x12, 0x8d, 0x48] + [UInt8](repeating: 0, count: 16)) == .malformed)
        #expect(error([0x12, 0x8d, 0x48] + [UInt8](repeating: 0, count: 129 * 8)) == .wrongSize(count: 1035))
        #expect(error([0x13, 0x8d, 0x48, 0, 0]) == .wrongSize(count: 5))
        #expect(error([0x13, 0x8d, 0x48, 0, 0, 0]) == .malformed)
        #expect(error([0x13, 0x8d, 0x48, 0, 0, 0x40]) == nil)
        #expect(error([0x13, 0x8d, 0x48, 0, 0, 0x41]) == .malformed)
        #expect(error([0x14, 0x8d, 0x48, 0]) == .wrongSize(count: 4))
    }

    @Test func mutatedBytesNeverCrash() {
        let seed: UInt64 = 20_250_611
        var generator = SeededGenerator(seed: seed)
        let originals = [0, 1, 50, 128, 129, 1000, 5000].map { Self.sketch(visitors: 0..<$0).bytes }
        var refused = 0
        for _ in 0..<3000 {
            var bytes = originals.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
            if let sketch = try? VisitorSketch(bytes: bytes) {
                // What is accepted is a sketch like any other.
                #expect((try? VisitorSketch(bytes: sketch.bytes)) == sketch, "seed \(seed)")
                #expect(sketch.value >= 0, "seed \(seed)")
            } else {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xf, radix: 16) }.joined()
    }
}
