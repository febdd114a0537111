import Foundation
import TestSupport
import Testing

/// Goal: whatever is killed, whenever, each payment that Toss has approved has its tickets or its money back, no seat has
/// two owners, nothing waits for ever, and Toss's books, the payments database and the rollups hold the same money.
///
/// Method: the whole shop as processes on real servers, buyers over HTTP, a stand-in for Toss that goes wrong at random
/// and whose books are the judge. A life of one process ends at each named moment in turn, or at any time.
@Suite(.serialized, .timeLimit(.minutes(60))) struct SaleTortureTests {
    /// `TIKETI_ROUNDS` plays another number than that of `make test`.
    @Test func moneySeatsAndRollupsAgreeWhoeverIsKilled() async throws {
        let count = ProcessInfo.processInfo.environment["TIKETI_ROUNDS"].flatMap { Int($0) } ?? 6
        var generator = SeededGenerator()
        print("sale: \(count) rounds, \(generator)")
        let rounds = SaleRound.plan(count, using: &generator)
        let seed = generator.seed
        try await SaleStage.with { stage in
            let torture = try await SaleTorture(stage, rounds: count, seed: seed)
            try await torture.play(rounds)
            try await torture.compare()
            await torture.end()
            print("sale: \(generator)\n\(torture.table)")
            #expect(torture.table.neverHit.isEmpty)
        }
    }
}
