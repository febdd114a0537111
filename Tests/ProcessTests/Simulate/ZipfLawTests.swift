import TestSupport
import Testing

@testable import tiketi

@Suite struct ZipfLawTests {
    /// Number n is drawn 1 / (n + 1) times as often as number 0, within six standard errors.
    @Test(arguments: [1, 2, 10, 100]) func smallNumbersComeOften(count: Int) {
        let generator = SeededGenerator()
        print(generator)
        var random = SplitMix64(seed: generator.seed)
        let law = ZipfLaw(count: count)
        let draws = 50_000
        var counts = [Int](repeating: 0, count: count)
        for _ in 0..<draws { counts[law.draw(&random)] += 1 }
        let sum = (1...count).reduce(0) { $0 + 1 / Double($1) }
        for (number, drawn) in counts.enumerated() {
            let share = 1 / Double(number + 1) / sum
            let expected = share * Double(draws)
            #expect(abs(Double(drawn) - expected) <= 6 * (expected * (1 - share)).squareRoot(), "\(number): \(drawn)")
        }
    }
}
