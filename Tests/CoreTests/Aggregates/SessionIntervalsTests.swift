import Core
import TestSupport
import Testing

@Suite struct SessionIntervalsTests {
    /// Sort all instants, split where two neighbours are 30 minutes or more apart.
    private func oracle(_ instants: [Int64]) -> [SessionIntervals.Interval] {
        var intervals: [SessionIntervals.Interval] = []
        for instant in instants.sorted() {
            if let last = intervals.last, instant - last.endMs < 1_800_000 {
                intervals[intervals.count - 1].endMs = instant
            } else {
                intervals.append(.init(startMs: instant, endMs: instant))
            }
        }
        return intervals
    }

    private func intervals(_ instants: Int64...) -> [SessionIntervals.Interval] {
        instants.reduce(into: SessionIntervals()) { $0.add($1) }.intervals
    }

    @Test func thirtyMinutesSplitAndAMillisecondLessJoins() {
        #expect(intervals(0, 1_799_999) == [.init(startMs: 0, endMs: 1_799_999)])
        #expect(intervals(1_799_999, 0) == [.init(startMs: 0, endMs: 1_799_999)])
        #expect(intervals(0, 1_800_000) == [.init(startMs: 0, endMs: 0), .init(startMs: 1_800_000, endMs: 1_800_000)])
        #expect(intervals(1_800_000, 0) == [.init(startMs: 0, endMs: 0), .init(startMs: 1_800_000, endMs: 1_800_000)])
    }

    @Test func anInstantBetweenTwoIntervalsJoinsThem() {
        #expect(intervals(0, 3_599_998, 1_799_999) == [.init(startMs: 0, endMs: 3_599_998)])
        #expect(intervals(0, 3_600_000, 1_800_000).count == 3)
    }

    @Test func emptyHasNoIntervals() {
        #expect(SessionIntervals().intervals.isEmpty)
        #expect(SessionIntervals().isEmpty)
        var some = SessionIntervals(sorted: [5])
        some.merge(SessionIntervals())
        #expect(some.intervals == [.init(startMs: 5, endMs: 5)])
        #expect(some.count == 1)
    }

    @Test func instantsAtTheEndsOfTimeDoNotOverflow() {
        #expect(intervals(.max, .min).count == 2)
        #expect(intervals(.max, .min, 0, .max - 1_799_999).count == 3)
    }

    @Test(arguments: 0..<200)
    func equalsSortAndSplitInAnyOrderAndGrouping(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let count = Int.random(in: 1...60, using: &generator)
        let span = [3_600_000, 36_000_000, 400_000_000].randomElement(using: &generator)! as Int64
        let steps: [Int64] = [1, 60_000, 899_999, 900_000, 1_799_999, 1_800_000, 1_800_001]
        var instants: [Int64] = []
        while instants.count < count {
            if let last = instants.last, Bool.random(using: &generator) {
                instants.append(last + steps.randomElement(using: &generator)!)
            } else {
                instants.append(Int64.random(in: -span...span, using: &generator))
            }
        }
        let expected = oracle(instants)

        instants.shuffle(using: &generator)
        let added = instants.reduce(into: SessionIntervals()) { $0.add($1) }
        #expect(added.intervals == expected, "seed \(seed)")
        #expect(SessionIntervals(sorted: instants.sorted()) == added, "seed \(seed)")
        #expect(SessionIntervals(expected.shuffled(using: &generator)) == added, "seed \(seed)")

        var parts = (0..<4).map { _ in SessionIntervals() }
        for instant in instants { parts[Int.random(in: 0..<4, using: &generator)].add(instant) }
        let merged = parts.reduce(into: SessionIntervals()) { $0.merge($1) }
        #expect(merged == added, "seed \(seed)")
        let backwards = parts.reversed().reduce(into: SessionIntervals()) { $0.merge($1) }
        #expect(backwards == added, "seed \(seed)")
    }
}
