import TestSupport
import Testing

@testable import tiketi

@Suite struct PaceTests {
    @Test func dueAddsUpToTheRate() {
        var random = SeededGenerator()
        print(random)
        for rate in [0.3, 1, 17, 1000, 123_456.7] {
            var pace = Pace(rate: rate)
            var elapsed = Duration.zero
            var total = 0
            for _ in 0..<1000 {
                elapsed += .milliseconds(Int.random(in: 0...50, using: &random))
                total += pace.due(at: elapsed)
            }
            let expected = elapsed.inSeconds * rate
            #expect(Double(total) <= expected && Double(total) > expected - 1.001, "rate \(rate)")
        }
    }

    /// What a standstill left undone beyond the bound is let go, and the pace goes on as before.
    @Test func standstillIsNotMadeUpForInARush() {
        var pace = Pace(rate: 100)
        #expect(pace.due(at: .seconds(1)) == 100)
        #expect(pace.due(at: .seconds(60)) == 100)
        #expect(pace.due(at: .seconds(60)) == 0)
        #expect(pace.due(at: .milliseconds(60_500)) == 50)
    }

    @Test func slowRateIsDueInTheEnd() {
        var pace = Pace(rate: 0.1)
        #expect(pace.due(at: .seconds(9)) == 0)
        #expect(pace.due(at: .seconds(10)) == 1)
        #expect(pace.due(at: .seconds(19)) == 0)
        #expect(pace.due(at: .seconds(20)) == 1)
    }
}
