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

/// Scans for an artist or an event leave out batches, never beacons.
@Suite struct EntityFilterScanTests {
    private static let days = Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-03")!)

    /// Forty batches; most have a few artists and events of their own.
    private func store(in lab: Lab, _ random: inout SeededGenerator) async throws -> [Beacon] {
        var all: [Beacon] = []
        for seq in 1...40 as ClosedRange<Int64> {
            var builder = BeaconBatchBuilder()
            let received = Instant.parse("2025-12-01T02:00:00Z")! + seq * 3_600_000
            let some = (0..<4).map { _ in Int.random(in: 0..<60, using: &random) }
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                var beacon = Beacon(
                    receivedAt: received, timestamp: received - Int64.random(in: 0..<3_600_000, using: &random))
                if Int.random(in: 0..<8, using: &random) > 0 {
                    let artist = some.randomElement(using: &random)!
                    beacon[.artistId] = "artist-\(artist)"
                    if Bool.random(using: &random) {
                        beacon[.eventId] = "event-\(artist)-\(Int.random(in: 0..<3, using: &random))"
                    }
                }
                beacon[.eventType] = "page_view"
                // One in twenty repeats.
                beacon[.messageId] = "m\(seq)-\(Int.random(in: 0..<300, using: &random))"
                beacon[.path] = "/\(Int.random(in: 0..<9, using: &random))"
                all.append(beacon)
                builder.append(beacon)
            }
            let batch = BatchStore.Batch(
                node: "test", firstSeq: seq, lastSeq: seq, receivedAt: received, encoding: builder.finish())
            try await lab.execute("SELECT ensure_events_partition(\(batch.receivedDay))")
            #expect(try await lab.pool.withConnection { try BatchStore.storeImported(batch, on: $0) })
        }
        let rollup = Rollup(
            postgres: lab.pool, redis: nil, calendar: .seoul, clock: { Lab.now },
            metrics: RollupMetrics(Metrics()), logger: testLogger)
        _ = try await rollup.run()
        return all
    }

    private func lines(_ lab: Lab, _ artist: String?, _ event: String?) async throws -> [String] {
        let written = Mutex<[UInt8]>([])
        try await lab.engine.events(
            EventsQuestion(period: Self.days, artistID: artist, eventID: event), format: .ndjson
        ) { bytes in written.withLock { $0 += bytes } }
        return written.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n").map(String.init)
    }

    @Test func pruningNeverHidesABeacon() async throws {
        var random = SeededGenerator()
        print("\(random)")
        try await Lab.with { lab in
            let stored = try await store(in: lab, &random)
            let calendar = ReportingCalendar.seoul
            let range = calendar.start(of: Day("2025-12-01")!)..<calendar.start(of: Day("2025-12-04")!)
            var questions: [(String?, String?)] = [
                (nil, nil), ("nobody", nil), (nil, "nothing"), ("artist-1", "nothing"),
            ]
            for artist in 0..<60 { questions.append(("artist-\(artist)", nil)) }
            for artist in stride(from: 0, to: 60, by: 7) {
                questions += [(nil, "event-\(artist)-1"), ("artist-\(artist)", "event-\(artist)-2")]
            }
            func answers() async throws -> [[String]] {
                var answers: [[String]] = []
                for (artist, event) in questions { answers.append(try await lines(lab, artist, event)) }
                return answers
            }
            let pruned = try await answers()
            for ((artist, event), lines) in zip(questions, pruned) {
                let those = stored.count {
                    range.contains($0.timestamp) && (artist == nil || $0[.artistId] == artist)
                        && (event == nil || $0[.eventId] == event)
                }
                // Repeats are left out.
                #expect(lines.count <= those && lines.count >= those * 3 / 4, "\(artist ?? "-") \(event ?? "-")")
            }
            // Some rows as they were before there were filters; then all.
            try await lab.execute("UPDATE analytics_events SET entity_filter = NULL WHERE seq % 3 = 0")
            #expect(try await answers() == pruned)
            try await lab.execute("UPDATE analytics_events SET entity_filter = NULL")
            #expect(try await answers() == pruned)
        }
    }

    @Test func batchesThatCannotHoldTheArtistAreNotRead() async throws {
        var random = SeededGenerator()
        print("\(random)")
        try await Lab.with { lab in
            let stored = try await store(in: lab, &random)
            let artist = try #require(stored.lazy.compactMap { $0[.artistId] }.first)
            let before = try await lines(lab, artist, nil)
            // Nobody can read these, and nobody is to.
            let damaged = try await lab.pool.withConnection { connection in
                try connection.transaction { connection in
                    var damaged = 0
                    for row in try connection.query("SELECT seq, crc, entity_filter FROM analytics_events") {
                        let crc = UInt32(try row.get(1, as: Int64.self))
                        let mayHold = row.withBytes(2) {
                            EntityFilter.mayHold([.init(.artistId, artist)], $0, ofBlock: crc)
                        }
                        if mayHold { continue }
                        damaged += 1
                        try connection.execute(
                            "UPDATE analytics_events SET payload = 'x' WHERE seq = \(try row.get(0, as: Int64.self))")
                    }
                    return damaged
                }
            }
            #expect(damaged > 20)
            #expect(try await lines(lab, artist, nil) == before)
            // A filter that stands beside another block says nothing.
            try await lab.execute("UPDATE analytics_events SET crc = (crc + 1) % 4294967296 WHERE payload = 'x'")
            await #expect(throws: (any Error).self) { try await lines(lab, artist, nil) }
        }
    }
}
