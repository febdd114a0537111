import Core
import Foundation
import Ingest
import Platform
import Rollup
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Query

/// Readers give the same before, after and while small batches are merged.
@Suite struct CompactionReadTests {
    private static let days = Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-03")!)
    private static let instants =
        Instant.parse("2025-12-01T00:00:00+09:00")!..<Instant.parse("2025-12-04T00:00:00+09:00")!

    private func rollup(_ lab: Lab) -> Rollup {
        Rollup(
            postgres: lab.pool, redis: nil, calendar: .seoul, clock: { Lab.now + 7 * 86_400_000 },
            metrics: RollupMetrics(Metrics()), logger: testLogger)
    }

    /// Batches of one to three beacons, one in five of them a repeat.
    private func store(_ count: Int, in lab: Lab, _ generator: inout SeededGenerator) async throws {
        var all: [Beacon] = []
        var batches: [(seq: Int64, beacons: [Beacon])] = []
        for seq in 1...count {
            var beacons: [Beacon] = []
            let received = Self.instants.lowerBound + 9 * 3_600_000 + Int64(seq) * 200_000
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                if !all.isEmpty, Int.random(in: 0..<5, using: &generator) == 0 {
                    beacons.append(all.randomElement(using: &generator)!)
                    continue
                }
                let instant = received - Int64.random(in: 0..<3_600_000, using: &generator)
                var beacon = Beacon(receivedAt: received, timestamp: instant)
                beacon[.eventType] = "page_view"
                beacon[.artistId] = "artist-\(Int.random(in: 0..<5, using: &generator))"
                beacon[.visitorId] = "visitor-\(Int.random(in: 0..<50, using: &generator))"
                beacon[.messageId] = "message-\(all.count)"
                beacon[.path] = "/\(Int.random(in: 0..<20, using: &generator))"
                beacon[.metadata] = "{\"n\":\(all.count)}"
                all.append(beacon)
                beacons.append(beacon)
            }
            batches.append((Int64(seq), beacons))
        }
        let stored = batches
        try await lab.pool.withConnection { connection in
            for (seq, beacons) in stored {
                var builder = BeaconBatchBuilder()
                for beacon in beacons { builder.append(beacon) }
                let received = Self.instants.lowerBound + 9 * 3_600_000 + seq * 200_000
                let batch = BatchStore.Batch(
                    node: "node/1", firstSeq: seq, lastSeq: seq, receivedAt: received, encoding: builder.finish())
                _ = try BatchStore.ensurePartition(of: batch.receivedDay, on: connection)
                _ = try BatchStore.storeImported(batch, on: connection)
            }
        }
        _ = try await rollup(lab).run()
    }

    private func answers(_ lab: Lab) async throws -> [String] {
        let written = Mutex<[UInt8]>([])
        for format in [AnswerFormat.ndjson, .csv] {
            try await lab.engine.events(EventsQuestion(period: Self.days, artistID: "artist-1"), format: format) {
                bytes in written.withLock { $0 += bytes }
            }
        }
        var answers = [written.withLock { String(decoding: $0, as: UTF8.self) }]
        for dimension in [TopQuestion.Dimension.path, .artist] {
            for metric in [TopQuestion.Metric.pageViews, .uniqueVisitors] {
                let top = try await lab.engine.top(
                    TopQuestion(by: dimension, metric: metric, period: Self.days))
                answers.append("\(top.rows)")
            }
        }
        for granularity in [Granularity.hourly, .daily, .monthly] {
            let answer = try await lab.traffic(.artist("artist-1"), "2025-12-01", "2025-12-03", granularity)
            answers.append("\(answer.traffic) \(answer.total)")
        }
        return answers
    }

    @Test func everyAnswerIsTheSame() async throws {
        var generator = SeededGenerator()
        print("\(generator)")
        try await Lab.with { lab in
            try await store(150, in: lab, &generator)
            let before = try await answers(lab)
            #expect(before.allSatisfy { $0.count > 10 })
            let result = try await rollup(lab).compact()
            #expect(result.batches > 100)
            let after = try await answers(lab)
            for (one, other) in zip(before, after) { #expect(one == other) }
        }
    }

    /// A page ends in the middle of what is then merged; and again in the middle of what is merged once more.
    @Test func anExportGoesOnWhereItWas() async throws {
        var generator = SeededGenerator()
        print("\(generator)")
        try await Lab.with { lab in
            try await store(700, in: lab, &generator)
            func beacons(_ batch: BeaconBatch) -> [Beacon] { (0..<batch.count).map { batch.beacon(at: $0) } }
            func pages(readsAhead: Bool = false) -> BatchPages {
                BatchPages(FoldedBatches(Self.instants, columns: .all), from: lab.pool, readsAhead: readsAhead)
            }
            var all: [Beacon] = []
            var whole = pages(readsAhead: true)
            while let batch = try await whole.next() { all += beacons(batch) }

            // One that may have read its second page by then, one that hasn't, and one that has not begun.
            var readers = [pages(readsAhead: true), pages(), pages()]
            var read = [[Beacon]](repeating: [], count: readers.count)
            for index in 0..<2 {
                read[index] = beacons(try #require(try await readers[index].next()))
                #expect(read[index].count < all.count)
            }
            let result = try await rollup(lab).compact()
            #expect(result.batches - result.merged > 690)
            for index in readers.indices {
                while let batch = try await readers[index].next() { read[index] += beacons(batch) }
                #expect(read[index] == all)
            }
        }
    }

    /// Its beacons twice would be a file that looks whole.
    @Test func anExportWhosePlaceIsForgottenBreaksOff() async throws {
        var generator = SeededGenerator()
        print("\(generator)")
        try await Lab.with { lab in
            try await store(700, in: lab, &generator)
            var pages = BatchPages(FoldedBatches(Self.instants, columns: .all), from: lab.pool)
            _ = try await pages.next()
            _ = try await rollup(lab).compact()
            try await lab.execute("UPDATE rollup_folded SET compacted_at = compacted_at - interval '2 days'")
            _ = try await rollup(lab).compact()
            await #expect(throws: BatchPages.Lost.self) { while try await pages.next() != nil {} }
        }
    }
}
