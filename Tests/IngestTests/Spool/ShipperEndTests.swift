import Core
import Foundation
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// How shipping ends and how it gets past damage: with everything acknowledged in Postgres, or at once.
@Suite(.timeLimit(.minutes(5))) struct ShipperEndTests {
    static let now: Int64 = 1_764_514_800_000

    /// A beacon that is acknowledged just while the shipper is busy with saying how far it is, before it looks whether
    /// it is done: it is stored, and so is what comes after it.
    @Test func whatIsAcknowledgedInTheLastMomentIsStoredBeforeTheEnd() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                // Each look at the clock is a heartbeat later.
                let time = Mutex(Self.now + 60_000)
                let shipper = Shipper(
                    spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: {
                        time.withLock {
                            $0 += 2000
                            return $0
                        }
                    }, logger: testLogger)
                let shipping = Task { await shipper.run() }
                #expect(await eventually { (try? await pool.count("SELECT count(*) FROM spool_positions")) == 1 })
                try await pool.withConnection { connection in
                    try connection.transaction { connection in
                        // The heartbeat waits for this row.
                        try connection.execute("UPDATE spool_positions SET last_seq = last_seq")
                        while try connection.query(
                            """
                            SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
                            WHERE NOT granted AND datname = current_database()
                            """
                        ).isEmpty {
                            usleep(1000)
                        }
                        let acknowledged = DispatchSemaphore(value: 0)
                        spool.append(BeaconRecords(numbers: 0..<1), until: .onDisk) { _ in acknowledged.signal() }
                        acknowledged.wait()
                        spool.beginDraining()
                        shipper.beginDraining()
                    }
                }
                await shipping.value
                #expect(try await pool.count("SELECT coalesce(sum(beacons), 0)::bigint FROM analytics_events") == 1)
                #expect(
                    try await pool.count("SELECT count(*) FROM spool_positions WHERE shipped_through = 'infinity'") == 1
                )
            }
        }
    }

    /// A drain that takes too long is cancelled: the loop ends although there is something left.
    @Test func cancellingEndsItWhilePostgresRefusesTheBatch() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                try await pool.withConnection { connection in
                    _ = try connection.execute("ALTER TABLE rollup_pending RENAME TO elsewhere")
                }
                let spool = try Spool(testing: .small(directory))
                let metrics = Metrics()
                let shipper = Shipper(
                    spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(metrics),
                    clock: { Self.now + 60_000 }, logger: silentLogger)
                let shipping = Task { await shipper.run() }
                #expect(await spool.append(BeaconRecords(numbers: 0..<3)).isSuccess)
                #expect(await eventually { metrics.exposition().contains("tiketi_ship_failures_total 1") })
                shipping.cancel()
                await shipping.value
                #expect(try numbers(in: spool) == [0, 1, 2])
            }
        }
    }

    /// Postgres is first reached when the spool has filled several segments: all of them are stored.
    @Test func whatFilledManySegmentsBeforeTheFirstContactIsStored() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                for number in 0..<300 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
                #expect(spool.durable.segments.count > 1)
                let shipper = Shipper(
                    spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: { Self.now + 60_000 }, logger: testLogger)
                let shipping = Task { await shipper.run() }
                spool.beginDraining()
                shipper.beginDraining()
                await shipping.value
                #expect(try await beacons(pool) == 300)
            }
        }
    }

    /// Without its row a node would send what is stored again, cut otherwise: repeated, or taken for stored.
    @Test func aPositionThatSomebodyDeletedIsFoundInTheBatches() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var spool: Spool? = try Spool(testing: .small(directory))
                for round in 0..<3 {
                    if round > 0 { spool = try Spool(testing: .small(directory)) }
                    let shipper = Shipper(
                        spool: spool!, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                        clock: { Self.now + 60_000 }, logger: testLogger)
                    for number in 0..<5 {
                        _ = await spool!.append(BeaconRecords(numbers: (round * 5 + number)..<(round * 5 + number + 1)))
                    }
                    let shipping = Task { await shipper.run() }
                    spool!.beginDraining()
                    shipper.beginDraining()
                    await shipping.value
                    spool = nil
                    #expect(try await beacons(pool) == Int64(round + 1) * 5)
                    try await pool.withConnection { _ = try $0.execute("DELETE FROM spool_positions") }
                }
            }
        }
    }

    /// Damage loses what it hit and nothing else; the mended segment goes once the rest of it is stored.
    @Test(arguments: [false, true])
    func damagedSegmentsGoOnceTheirGoodFramesAreStored(isOpen: Bool) async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var spool: Spool? = try Spool(testing: .small(directory), logger: silentLogger)
                for number in 0..<200 { _ = await spool!.append(BeaconRecords(numbers: number..<(number + 1))) }
                let before = spool!.durable
                #expect(before.segments.count > 1)
                let frames = try SegmentScan(of: before.segments[0]).frames
                // The last but one: the last number of the segment is then not the one before the next segment's first
                // only where the last is lost too.
                let path = directory + "/" + before.segments[0].name
                if !isOpen { spool = nil }
                let file = try FileHandle(forUpdating: URL(filePath: path))
                for frame in [frames[3], frames[frames.count - 1]] {
                    try file.seek(toOffset: UInt64(frame.offset + 20))
                    try file.write(contentsOf: Data([0xff, 0xff, 0xff]))
                }
                try file.close()
                if !isOpen { spool = try Spool(testing: .small(directory), logger: silentLogger) }
                let shipper = Shipper(
                    spool: spool!, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: { Self.now + 60_000 }, logger: silentLogger)
                let shipping = Task { await shipper.run() }
                #expect(await eventually { (try? await beacons(pool)) == 198 })
                _ = await spool!.append(BeaconRecords(numbers: 200..<203))
                spool!.beginDraining()
                shipper.beginDraining()
                await shipping.value
                #expect(try await beacons(pool) == 201)
                let last = spool!
                #expect(await eventually { last.durable.segments.count == 1 }, "\(last.durable.segments.map(\.name))")
            }
        }
    }

    private func beacons(_ pool: PostgresPool) async throws -> Int64 {
        try await pool.count("SELECT coalesce(sum(beacons), 0)::bigint FROM analytics_events")
    }
}
