import Storage
import TestSupport
import Testing

@Suite struct TrailingZerosTests {
    @Test func onlyTheZerosAtTheEndAreLeftOut() {
        var random = SeededGenerator()
        print("\(random)")
        for length in [0, 1, 4095, 4096, 4097, 8192, 20_000] {
            for end in Set([0, 1, length / 2, length - 1, length, Int.random(in: 0...length, using: &random)])
            where (0...length).contains(end) {
                var bytes = [UInt8](repeating: 0, count: length)
                if end > 0 { bytes[end - 1] = 1 }
                #expect(bytes.withUnsafeBytes { $0.countWithoutTrailingZeros } == end, "\(end) of \(length)")
            }
        }
    }
}
