import Core
import Storage
import TestSupport
import Testing

@testable import Rollup

/// The pure part of sessions against a model that sorts all beacons of a key and splits them at thirty minutes.
@Suite struct SessionJoinTests {
    /// Sessions by the hour in which they begin: how many, and their milliseconds.
    private typealias Totals = [Int64: [Int64]]

    private func model(_ instants: [UInt64: [Int64]]) -> Totals {
        var totals: Totals = [:]
        for instants in instants.values {
            let sorted = instants.sorted()
            var start = sorted[0]
            var last = sorted[0]
            func close() {
                let hour = start / ReportingCalendar.hourMs
                totals[hour, default: [0, 0]][0] += 1
                totals[hour]![1] += last - start
            }
            for instant in sorted.dropFirst() {
                if instant - last >= 1_800_000 {
                    close()
                    start = instant
                }
                last = instant
            }
            close()
        }
        return totals
    }

    /// The store that a ledger would be: every run of every slot, and what was asked for.
    private struct Store {
        var runs: [Int32: [[SessionPiece]]] = [:]
        var asked = 0

        mutating func apply(_ beacons: [(session: UInt64, instant: Int64)], _ totals: inout Totals) {
            var builder = BeaconBatchBuilder()
            for beacon in beacons {
                var one = Beacon(receivedAt: beacon.instant, timestamp: beacon.instant)
                one[.eventType] = "page_view"
                one[.artistId] = "a"
                one[.sessionId] = "\(beacon.session)"
                builder.append(one)
            }
            var fold = Fold([.artist])
            fold.add(builder.finish())
            var join = SessionJoin(fold.takeSessions())
            while !join.wanted.isEmpty {
                for slot in join.wanted.keys {
                    asked += 1
                    for run in runs[slot] ?? [] { join.add(run, slot: slot) }
                }
                join.settle(in: &fold)
            }
            for (slot, pieces) in join.written {
                #expect(pieces.allSatisfy { $0.slot == slot })
                runs[slot, default: []].append(pieces.sorted { $0.session < $1.session })
            }
            for (_, hour, cell) in fold.sortedCells(of: .artist) {
                totals[hour / ReportingCalendar.hourMs, default: [0, 0]][0] += cell.sessions
                totals[hour / ReportingCalendar.hourMs]![1] += cell.sessionMs
            }
        }
    }

    /// Gaps around thirty minutes, sessions over many slots, folds in random order.
    @Test(arguments: 0..<60)
    func anyOrderGivesWhatSortingGives(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let origin: Int64 = 1_764_000_000_000
        var all: [(session: UInt64, instant: Int64)] = []
        for session in 0..<UInt64.random(in: 1...6, using: &random) {
            var instant = origin + Int64.random(in: 0...7_200_000, using: &random)
            for _ in 0..<Int.random(in: 1...25, using: &random) {
                all.append((session, instant))
                instant += [0, 1, 60_000, 1_799_999, 1_800_000, 1_800_001, 1_200_000, 900_000, 5_000_000]
                    .randomElement(using: &random)!
            }
        }
        all.shuffle(using: &random)
        var store = Store()
        var totals: Totals = [:]
        var folded: [UInt64: [Int64]] = [:]
        while !all.isEmpty {
            let beacons = Array(all.suffix(Int.random(in: 1...8, using: &random)))
            all.removeLast(beacons.count)
            store.apply(beacons, &totals)
            for beacon in beacons { folded[beacon.session, default: []].append(beacon.instant) }
            totals = totals.filter { $0.value != [0, 0] }
            #expect(totals == model(folded), "seed \(seed)")
        }
    }

    /// What goes on at the end of a session that has gone on for days asks for three slots, not for days.
    @Test func aLongSessionCostsNoMoreThanAShortOne() {
        var store = Store()
        var totals: Totals = [:]
        let start: Int64 = 1_764_000_000_000
        for beacon in 0..<300 { store.apply([(7, start + Int64(beacon) * 1_700_000)], &totals) }
        store.asked = 0
        store.apply([(7, start + 300 * 1_700_000)], &totals)
        #expect(store.asked == 3)
        #expect(totals.values.reduce(0) { $0 + $1[0] } == 1)
    }

    /// A beacon before the first makes every later piece begin earlier.
    @Test func anEarlierBeginIsToldToAllOfASession() {
        var store = Store()
        var totals: Totals = [:]
        let start: Int64 = 1_764_000_000_000
        for beacon in 0..<20 { store.apply([(7, start + Int64(beacon) * 1_700_000)], &totals) }
        store.apply([(7, start - 600_000)], &totals)
        var merged: [Int32: [SessionPiece]] = [:]
        for (slot, runs) in store.runs { merged[slot] = runs.reduce([]) { SessionPiece.merged($0, $1) } }
        #expect(merged.values.allSatisfy { $0.count == 1 && $0[0].origin == start - 600_000 })
    }

    @Test(arguments: [0, 1, 2, 40, 5000])
    func elementsAreSortedByHash(count: Int) {
        struct Element: Equatable, BitwiseCopyable {
            var hash: UInt64
            var place: Int
        }
        var random = SeededGenerator(seed: UInt64(count))
        for range in [0...UInt64.max, 0...3, UInt64.max - 50...UInt64.max] {
            let elements = (0..<count).map { Element(hash: UInt64.random(in: range, using: &random), place: $0) }
            #expect(
                elements.sorted(byHash: \.hash) { $0.place < $1.place }
                    == elements.sorted { ($0.hash, $0.place) < ($1.hash, $1.place) })
        }
    }
}
