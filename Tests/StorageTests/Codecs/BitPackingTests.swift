import TestSupport
import Testing

@testable import Storage

@Suite struct BitPackingTests {
    private func unpack(_ bytes: [UInt8], count: Int, width: Int) -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
                BitPacking.unpack(bytes, width: width, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                initialized = count
            }
        }
    }

    @Test(arguments: 0...64)
    func unpackingIsTheInverseForEveryWidth(width: Int) {
        var generator = SeededGenerator(seed: UInt64(width))
        for count in [0, 1, 2, 7, 8, 9, 63, 64, 65, 300] {
            var values = (0..<count).map { _ in generator.next() >> UInt64(64 - width) }
            if count > 0 { values[0] = .max >> UInt64(64 - width) }
            var bytes: [UInt8] = []
            BitPacking.append(values.span, width: width, to: &bytes)
            #expect(bytes.count == BitPacking.byteCount(count, width: width))
            #expect(unpack(bytes, count: count, width: width) == values)
        }
    }

    @Test func lowBitsAndLowBytesComeFirst() {
        var bytes: [UInt8] = []
        let values: [UInt64] = [0b101, 0b011, 0b110]
        BitPacking.append(values.span, width: 3, to: &bytes)
        #expect(bytes == [0b1001_1101, 0b1])
    }

    @Test func groupsOfDifferentWidthsArePackedApart() throws {
        var values = [UInt64](repeating: 1, count: 600)
        values[300] = 1 << 40
        var bytes: [UInt8] = []
        PackedIntegers.append(values.span, to: &bytes)
        #expect(bytes.count == 1 + 3 + 32 + 256 * 41 / 8 + 88 / 8)
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            #expect(try PackedIntegers(count: 600, from: &reader).words() == values)
            try reader.finish()
        }
    }

    @Test(arguments: 0...64)
    func valuesAtSomePlacesAreThose(width: Int) throws {
        var generator = SeededGenerator(seed: UInt64(width))
        for (count, isVarying) in [(1, false), (9, false), (300, false), (1000, true), (1024, true)] {
            // Groups of other widths where only the first has the widest values.
            let values = (0..<count).map { index in
                generator.next() >> UInt64(64 - (isVarying && index >= 256 ? width * (index / 256) / 5 : width))
            }
            var bytes: [UInt8] = []
            PackedIntegers.append(values.span, to: &bytes)
            for share in [1, 2, 5, 50] {
                let places = (0..<count).filter { _ in Int.random(in: 0..<share, using: &generator) == 0 } + [count - 1]
                let distinct = Array(Set(places)).sorted()
                try bytes.withUnsafeBytes { bytes in
                    var reader = ByteReader(bytes)
                    let packed = try PackedIntegers(count: count, from: &reader)
                    #expect(packed.words(distinct) == distinct.map { values[$0] })
                    #expect(packed.words([]) == [])
                }
            }
        }
    }

    static let series: [[Int64]] = [
        [], [0], [-1], [.min], [.max], [.min, .max], [.max, .min, .max, 0], [5, 5, 5, 5],
        [Int64](-300...300), (0..<1000).map { 1_700_000_000_000 + $0 * 60 },
        (0..<1000).map { $0 % 2 == 0 ? .min : .max },
    ]

    @Test(arguments: series.indices)
    func integerSeriesAreReadAsWritten(index: Int) throws {
        let values = Self.series[index]
        var bytes: [UInt8] = []
        IntegerSeries.append(values.span, to: &bytes)
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            #expect(try IntegerSeries.read(count: values.count, from: &reader) == values)
            try reader.finish()
            let some = Array(values.indices.filter { $0 % 7 == 0 })
            reader = ByteReader(bytes)
            #expect(try IntegerSeries.read(count: values.count, from: &reader, only: some) == some.map { values[$0] })
            try reader.finish()
        }
    }

    @Test func regularStepsTakeNoBits() {
        var bytes: [UInt8] = []
        let values = (0..<1000).map { Int64($0) * 77 }
        IntegerSeries.append(values.span, to: &bytes)
        #expect(bytes.count == 1 + 8 + 8 + 1)
    }
}
