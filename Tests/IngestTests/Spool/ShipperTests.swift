import Core
import Foundation
import Logging
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// Everything in the spool ends up in Postgres once, whatever happens in between.
@Suite(.timeLimit(.minutes(5))) struct ShipperTests {
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
                #expect(try await batchesWithoutTheirFilter(pool) == 0)
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

    /// An alarm, and never a lost batch.
    @Test func aMissingPartitionIsMadeAndTheBatchIsKept() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let metrics = ShipMetrics(Metrics())
                let lines = LogLines()
                let shipper = shipper(spool, pool, metrics: metrics, logger: lines.logger)
                let shipping = Task { await shipper.run() }
                #expect(await spool.append(BeaconRecords(numbers: 0..<1), until: .stored).isSuccess)
                #expect(metrics.missingPartitions.value == 0)
                let longAgo = Self.now - 90 * 86_400_000
                #expect(
                    await spool.append(BeaconRecords(numbers: 1..<3, receivedAt: longAgo), until: .stored).isSuccess)
                #expect(try await stored(pool) == [0, 1, 2])
                #expect(metrics.missingPartitions.value == 1)
                #expect(lines.critical.count { $0.hasPrefix("no partition for this day of receipt") } == 1)
                shipping.cancel()
                await shipping.value
            }
        }
    }

    /// Somebody moved the position: the batches tell how far this life has come.
    @Test(arguments: [0, 3, 7])
    func aPositionThatMovedMeanwhileIsComparedWithTheBatches(to moved: Int64) async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                for number in 0..<5 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
                let node = Shipper.node("node", identity: spool.identity)
                let shipper = shipper(spool, pool, logger: silentLogger)
                let shipping = Task { await shipper.run() }
                #expect(await eventually { (try? await stored(pool).count) == 5 })
                try await pool.withConnection { connection in
                    _ = try connection.execute("UPDATE spool_positions SET last_seq = \(moved) WHERE node = \(node)")
                }
                for number in 5..<9 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
                await drain(spool, shipper, shipping)
                #expect(try await stored(pool).sorted() == Array(0..<9))
            }
        }
    }

    /// Postgres fell back to an earlier moment, and no beacon comes that would show it.
    @Test(arguments: [true, false])
    func whatPostgresLostIsSentAgain(isDraining: Bool) async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let now = Mutex(Self.now + 60_000)
                let shipper = Shipper(
                    spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: { now.withLock { $0 } }, logger: silentLogger)
                let shipping = Task { await shipper.run() }
                for number in 0..<5 {
                    #expect(await spool.append(BeaconRecords(numbers: number..<(number + 1)), until: .stored).isSuccess)
                }
                try await pool.withConnection { connection in
                    try connection.transaction { connection in
                        try connection.execute("DELETE FROM analytics_events WHERE last_seq > 3")
                        try connection.execute("DELETE FROM rollup_pending WHERE seq > 3")
                        try connection.execute("UPDATE spool_positions SET last_seq = 3")
                    }
                }
                if !isDraining {
                    now.withLock { $0 += 2 * Shipper.heartbeatMs }
                    #expect(await eventually { (try? await stored(pool).count) == 5 })
                }
                await drain(spool, shipper, shipping)
                #expect(try await stored(pool).sorted() == Array(0..<5))
            }
        }
    }

    /// A batch was committed, the answer was lost with the connection, and nothing comes after it: who waits for it is
    /// answered all the same.
    @Test func aCommitLostFromSightIsAnsweredWithoutAnother() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let node = Shipper.node("node", identity: spool.identity)
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                #expect(await spool.append(BeaconRecords(numbers: 0..<1), until: .stored).isSuccess)
                try await pool.withConnection { connection in
                    var builder = BeaconBatchBuilder()
                    try BeaconRecords(numbers: 1..<2).bytes.withUnsafeBytes { try builder.append(records: $0) }
                    let batch = BatchStore.Batch(
                        node: node, firstSeq: 2, lastSeq: 2, receivedAt: Self.now, encoding: builder.finish())
                    #expect(try BatchStore.store(batch, expected: 1, shippedThrough: 0, on: connection))
                }
                #expect(await spool.append(BeaconRecords(numbers: 1..<2), until: .stored).isSuccess)
                #expect(try await stored(pool) == [0, 1])
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

    /// What was received before the clock was set back isn't waited for until it is that late again.
    @Test func aClockThatIsSetBackHoldsNothingUp() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                let hour: Int64 = 3_600_000
                _ = await spool.append(BeaconRecords(numbers: 0..<3, receivedAt: Self.now + hour))
                let shipper = shipper(spool, pool)
                let shipping = Task { await shipper.run() }
                _ = await spool.append(BeaconRecords(numbers: 3..<5))
                try await until { try await stored(pool).count == 5 }
                shipping.cancel()
                await shipping.value
            }
        }
    }

    // MARK: Fixture

    private func shipper(
        _ spool: Spool, _ pool: PostgresPool, metrics: ShipMetrics = ShipMetrics(Metrics()),
        logger: Logger = testLogger
    ) -> Shipper {
        Shipper(
            spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: metrics,
            clock: { Self.now + 60_000 }, logger: logger)
    }

    private func drain(_ spool: Spool, _ shipper: Shipper, _ shipping: Task<Void, Never>) async {
        spool.beginDraining()
        shipper.beginDraining()
        await shipping.value
    }

    private func stored(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.withConnection { try storedNumbers(on: $0) }
    }
}

extension PostgresPool {
    func count(_ sql: SQL) async throws -> Int64 {
        try await withConnection { try $0.query(sql)[0].get(0) }
    }
}
