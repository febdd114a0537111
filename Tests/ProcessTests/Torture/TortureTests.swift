import Foundation
import TestSupport
import Testing

/// Goal: as of the crash test, at the moments where it is hardest.
///
/// Method: real processes, each killed with SIGKILL at each moment that has a name, and at random ones, round after
/// round on the same data: so each round begins with what the crashes before it have left.
@Suite(.serialized) struct TortureTests {
    /// Between two comparisons of everything stored with everything offered.
    private static let roundsPerComparison = 5
    /// Between two proofs by the pipeline itself.
    private static let roundsPerProof = 50

    /// `TIKETI_ROUNDS` plays another number than that of `make test`.
    @Test func eachBeaconCountsOnceWhoeverIsKilled() async throws {
        let count = ProcessInfo.processInfo.environment["TIKETI_ROUNDS"].flatMap { Int($0) } ?? 6
        var generator = SeededGenerator()
        print("torture: \(count) rounds, \(generator)")
        let rounds = TortureRound.plan(count, using: &generator)
        let seed = generator.seed
        try await CrashStage.with { stage in
            let torture = try await Torture(stage, seed: seed)
            for first in stride(from: 0, to: count, by: Self.roundsPerComparison) {
                let last = min(first + Self.roundsPerComparison, count)
                try await torture.play(
                    rounds[first..<last], folding: first / Self.roundsPerComparison % 2 == 1)
                if last == count || last % Self.roundsPerProof == 0 { try await torture.prove() }
            }
            await torture.end()
            print("torture: \(generator)\n\(torture.table)\n\(torture.summary)")
            #expect(torture.table.neverHit.isEmpty)
        }
    }
}
