import Core
import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Everything in the spool ends up in Postgres once, whatever happens in between.
@Suite struct ShipperTests {
    static let now: Int64 = 1_764_514_800_000

    @Test func everythingAcknowledgedIsStoredOnceAndSegmentsGo() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                for number in 0..<300 {
                    _ = await spool.append(BeaconRecords(numbers: (number * 4)..<(number * 4 + 4)))
                }
                await drain(spool, shipper, shipping)
                #expect(try await stored(pool).sorted() == Array(0..<1200))
                #expect(
                    try await pool.count("SELECT count(*) FROM rollup_pending")
                        == pool.count("SELECT count(*) FROM analytics_events"))
                #expect(await eventually { spool.durable.segments.count == 1 })
                #expect(
                    try await pool.count(
                        "SELECT count(*) FROM spool_positions WHERE shipped_through = 'infinity'") == 1)
            }
        }
    }

    /// The process dies again and again, and starts with the same spool and database.
    @Test func restartsNeitherLoseNorRepeat() async throws {
        var random = SeededGenerator()
        print("\(random)")
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var number = 0
                for round in 0..<8 {
                    let spool = try Spool(testing: .small(directory))
                    let shipper = shipper(spool, pool)
                    let shipping = Task { await shipper.run() }
                    for _ in 0..<Int.random(in: 1...60, using: &random) {
                        _ = await spool.append(BeaconRecords(numbers: number..<(number + 2)))
                        number += 2
                    }
                    if round < 7 {
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
                        shipping.cancel()
                        await shipping.value
                    } else {
                        await drain(spool, shipper, shipping)
                    }
                }
                #expect(try await stored(pool).sorted() == Array(0..<number))
            }
        }
    }

    @Test func waitingForStoredAnswersAfterTheCommit() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                #expect(await spool.append(BeaconRecords(numbers: 0..<3), until: .stored).isSuccess)
                #expect(try await stored(pool) == [0, 1, 2])
                shipping.cancel()
                await shipping.value
            }
        }
    }

    @Test func aMissingPartitionIsMadeAndTheBatchIsKept() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                let longAgo = Self.now - 90 * 86_400_000
                #expect(
                    await spool.append(BeaconRecords(numbers: 0..<3, receivedAt: longAgo), until: .stored).isSuccess)
                #expect(try await stored(pool) == [0, 1, 2])
                shipping.cancel()
                await shipping.value
            }
        }
    }

    /// Another life of the node stored further than this one believes: it reads the position again.
    @Test func aPositionThatMovedMeanwhileIsReadAgain() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                for number in 0..<5 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
                let identity = spool.durable.segments[0].identity
                // As if the commit of the first two frames had been lost from sight: stored, but unknown here.
                let node = Shipper.node("node", identity: identity)
                try await pool.withConnection { connection in
                    try BatchStore.register(node: node, lastSeq: 0, shippedThrough: 0, on: connection)
                }
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                #expect(await eventually { (try? await stored(pool).count) == 5 })
                try await pool.withConnection { connection in
                    _ = try connection.execute("UPDATE spool_positions SET last_seq = 7 WHERE node = \(node)")
                }
                for number in 5..<9 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
                await drain(spool, shipper, shipping)
                // Frames 6 and 7 (numbers 5 and 6) count as stored; the others follow once.
                #expect(try await stored(pool).sorted() == [0, 1, 2, 3, 4, 7, 8])
            }
        }
    }

    /// A batch was committed, the answer was lost with the connection, and nothing comes after it: who waits for it is
    /// answered all the same.
    @Test func aCommitLostFromSightIsAnsweredWithoutAnother() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let node = Shipper.node("node", identity: spool.durable.segments[0].identity)
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                #expect(await spool.append(BeaconRecords(numbers: 0..<1), until: .stored).isSuccess)
                try await pool.withConnection { connection in
                    _ = try connection.execute("UPDATE spool_positions SET last_seq = 2 WHERE node = \(node)")
                }
                #expect(await spool.append(BeaconRecords(numbers: 1..<2), until: .stored).isSuccess)
                #expect(try await stored(pool) == [0])
                await drain(spool, shipper, shipping)
            }
        }
    }

    /// The process died between a commit and letting the segments go.
    @Test func segmentsStoredBeforeAStartGoWithoutNewBeacons() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                for number in 0..<200 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
                let durable = spool.durable
                #expect(durable.segments.count > 1)
                let node = Shipper.node("node", identity: durable.segments[0].identity)
                try await pool.withConnection { connection in
                    try BatchStore.register(
                        node: node, lastSeq: Int64(durable.nextSeq) - 1, shippedThrough: 0, on: connection)
                }
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                #expect(await eventually { spool.durable.segments.count == 1 })
                await drain(spool, shipper, shipping)
                #expect(try await stored(pool).isEmpty)
            }
        }
    }

    @Test func postgresAwayIsWaitedForAndThenDrainedInOrder() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { configuration, pool in
                let nowhere = PostgresPool(
                    try PostgresConfiguration(url: "host=/nonexistent dbname=none"), connections: 1, logger: testLogger)
                let spool = try Spool(testing: .small(directory))
                let away = shipper(spool, nowhere)
                let waiting = Task { await away.run() }
                for number in 0..<50 {
                    #expect(await spool.append(BeaconRecords(numbers: number..<(number + 1))).isSuccess)
                }
                waiting.cancel()
                await waiting.value
                await nowhere.shutdown()
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                await drain(spool, shipper, shipping)
                #expect(try await stored(pool) == Array(0..<50))
            }
        }
    }

    // MARK: Fixture

    private func shipper(_ spool: Spool, _ pool: PostgresPool) -> Shipper {
        Shipper(
            spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
            clock: { Self.now + 60_000 }, logger: testLogger)
    }

    private func drain(_ spool: Spool, _ shipper: Shipper, _ shipping: Task<Void, Never>) async {
        spool.beginDraining()
        shipper.beginDraining()
        await shipping.value
    }

    private func stored(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.withConnection { connection in
            try connection.query("SELECT payload FROM analytics_events ORDER BY node, seq").flatMap { row in
                let batch = try row.withBytes(0) { try BatchBlock.decode($0) }
                return (0..<batch.count).map { Int(batch[.messageId][$0]!)! }
            }
        }
    }
}

extension PostgresPool {
    func count(_ sql: SQL) async throws -> Int64 {
        try await withConnection { try $0.query(sql)[0].get(0) }
    }
}
