import Foundation
import TestSupport
import Testing

@testable import Ingest

/// The spool on a disk that loses power, runs full and fails: what was acknowledged is found again, each frame once and
/// as it was, and a mere crash is never taken for damage.
@Suite(.timeLimit(.minutes(30))) struct SpoolScheduleTests {
    /// `TIKETI_SCHEDULES` runs another number than that of `make test`.
    @Test func whatWasAcknowledgedSurvivesEverySchedule() throws {
        let random = SeededGenerator()
        let count = ProcessInfo.processInfo.environment["TIKETI_SCHEDULES"].flatMap { UInt64($0) } ?? 2000
        print("\(count) schedules from \(random)")
        let clock = ContinuousClock()
        let began = clock.now
        var tally = SpoolSchedule.Tally()
        var failures = 0
        for seed in (0..<count).map({ random.seed &+ $0 }) where failures < 10 {
            var schedule = SpoolSchedule(seed: seed)
            do {
                tally.add(try schedule.run())
            } catch {
                failures += 1
                Issue.record("seed \(seed): \(error)")
            }
        }
        print("\(tally) in \(clock.now - began)")
        guard failures == 0, count >= 2000 else { return }
        #expect(tally.powerLosses > Int(count) && tally.kills > Int(count))
        #expect(SimulatedFault.Kind.allCases.allSatisfy { tally.struck[$0, default: 0] > Int(count) / 10 })
        #expect(tally.acknowledged > 10 * Int(count) && tally.stored > Int(count))
        #expect(tally.flippedBits > 0 && tally.quarantined > 0)
    }

    /// Each found a defect once, of the spool or of one that was made on purpose.
    @Test(
        arguments: [
            18, 54, 59, 93, 624, 1054, 1284, 1623, 2506, 3148, 4697, 5986, 14723, 23968, 24146, 57153,
            10_806_008_041_382_439_085, 13_669_236_951_556_860_219,
        ]
            as [UInt64])
    func aScheduleThatFailedOncePasses(seed: UInt64) throws {
        var schedule = SpoolSchedule(seed: seed)
        _ = try schedule.run()
    }
}

extension SpoolSchedule.Tally {
    fileprivate mutating func add(_ other: Self) {
        lives += other.lives
        offered += other.offered
        acknowledged += other.acknowledged
        stored += other.stored
        powerLosses += other.powerLosses
        kills += other.kills
        flippedBits += other.flippedBits
        quarantined += other.quarantined
        struck.merge(other.struck, uniquingKeysWith: +)
    }
}
