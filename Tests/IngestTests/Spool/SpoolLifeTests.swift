import Core
import Foundation
import Logging
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Whatever happened to a spool's files while nobody had them open, what is acknowledged from then on is stored.
@Suite(.timeLimit(.minutes(5))) struct SpoolLifeTests {
    static let now: Int64 = 1_764_514_800_000

    /// Somebody puts back a copy that was taken before everything Postgres has from this spool.
    @Test func anOlderCopyOfTheSpoolLosesNothingThatIsAcknowledgedLater() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let copy = directory + "-copy"
                defer { try? FileManager.default.removeItem(atPath: copy) }
                var spool: Spool? = try Spool(testing: .small(directory))
                try FileManager.default.copyItem(atPath: directory, toPath: copy)
                try await shipping(spool!, pool) { spool in
                    for number in 0..<5 {
                        #expect(
                            await spool.append(BeaconRecords(numbers: number..<(number + 1)), until: .stored).isSuccess)
                    }
                }
                spool = nil
                try FileManager.default.removeItem(atPath: directory)
                try FileManager.default.copyItem(atPath: copy, toPath: directory)

                spool = try Spool(testing: .small(directory))
                for number in 5..<8 {
                    #expect(await spool!.append(BeaconRecords(numbers: number..<(number + 1))).isSuccess)
                }
                await drain(spool!, pool)
                #expect(try await stored(pool) == Array(0..<8))
                #expect(try await unfinished(pool) == 0)
            }
        }
    }

    /// A bit of the last frame flips, which can't be told from a torn write; it was acknowledged and stored.
    @Test func aLastFrameThatWasStoredAndIsDamagedLosesNothingThatIsAcknowledgedLater() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var spool: Spool? = try Spool(testing: .small(directory), logger: silentLogger)
                try await shipping(spool!, pool) { spool in
                    for number in 0..<5 {
                        #expect(
                            await spool.append(BeaconRecords(numbers: number..<(number + 1)), until: .stored).isSuccess)
                    }
                }
                let segment = spool!.durable.segments.last!
                let frame = try SegmentScan(of: segment).frames.last!
                spool = nil
                try damage(directory + "/" + segment.name, at: frame.offset + 30)
                spool = try Spool(testing: .small(directory), logger: silentLogger)
                #expect(await spool!.append(BeaconRecords(numbers: 5..<6)).isSuccess)
                await drain(spool!, pool)
                #expect(try await stored(pool) == Array(0..<6))
            }
        }
    }

    /// Lives that stored nothing leave no row; those that stored something go once nothing remembers them.
    @Test func theRowsOfALongRowOfLivesGo() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var identities: Set<UInt64> = []
                for _ in 0..<5 {
                    let spool = try Spool(testing: .small(directory))
                    identities.insert(spool.identity)
                    // As if it were killed at once.
                    await shipper(spool, pool).announce()
                }
                #expect(identities.count == 5)
                #expect(try await pool.count("SELECT count(*) FROM spool_positions") == 1)

                var spool: Spool? = try Spool(testing: .small(directory))
                #expect(await spool!.append(BeaconRecords(numbers: 0..<1)).isSuccess)
                await drain(spool!, pool)
                spool = nil
                for _ in 0..<2 {
                    spool = try Spool(testing: .small(directory))
                    await drain(spool!, pool)
                    let last = spool!
                    #expect(await eventually { last.durable.segments.count == 1 })
                    spool = nil
                }
                #expect(try await pool.count("SELECT count(*) FROM spool_positions") == 2)
                // Another node, whose name begins like one of this directory's lives.
                let other = Shipper.node("node", identity: identities.first!).prefix(9) + "/0123456789abcdef"
                try await pool.withConnection { connection in
                    try connection.execute("UPDATE spool_positions SET updated_at = now() - interval '6 days'")
                    try BatchStore.register(node: String(other), lastSeq: 0, shippedThrough: 0, on: connection)
                }
                await shipper(try Spool(testing: .small(directory)), pool).announce()
                #expect(try await pool.count("SELECT count(*) FROM spool_positions WHERE last_seq = 1") == 0)
                #expect(try await unfinished(pool) == 2, "the new life and the other node")
            }
        }
    }

    /// A life that has ended holds no answer back, also where the next one is never idle.
    @Test func anEndedLifeIsFinishedWithItsLastBatch() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var spool: Spool? = try Spool(testing: .small(directory))
                let ended = spool!.identity
                #expect(await spool!.append(BeaconRecords(numbers: 0..<3)).isSuccess)
                spool = nil
                spool = try Spool(testing: .small(directory))
                #expect(await spool!.append(BeaconRecords(numbers: 3..<6)).isSuccess)
                // Nothing can be stored of the second life, so no heartbeat comes either.
                let live = Shipper.node("node", identity: spool!.identity)
                try await pool.withConnection { connection in
                    _ = try connection.execute(
                        """
                        ALTER TABLE rollup_pending ADD CHECK (node <> '\(unescaped: live)')
                        """)
                }
                let shipper = shipper(spool!, pool, logger: silentLogger)
                let running = Task { await shipper.run() }
                let node = Shipper.node("node", identity: ended)
                #expect(
                    await eventually {
                        (try? await pool.count(
                            "SELECT count(*) FROM spool_positions WHERE node = \(node) AND shipped_through = 'infinity'"
                        ))
                            == 1
                    })
                #expect(try await stored(pool) == [0, 1, 2])
                running.cancel()
                await running.value
            }
        }
    }

    /// The row of an ended life is deleted: what it stored isn't sent again under a name that is taken.
    @Test func theDeletedPositionOfAnEndedLifeIsFoundInItsBatches() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var spool: Spool? = try Spool(testing: .small(directory))
                try await shipping(spool!, pool) { spool in
                    #expect(await spool.append(BeaconRecords(numbers: 0..<2), until: .stored).isSuccess)
                }
                #expect(await spool!.append(BeaconRecords(numbers: 2..<4)).isSuccess)
                spool = nil
                try await pool.withConnection { _ = try $0.execute("DELETE FROM spool_positions") }
                spool = try Spool(testing: .small(directory))
                #expect(await spool!.append(BeaconRecords(numbers: 4..<6)).isSuccess)
                await drain(spool!, pool)
                #expect(try await stored(pool) == Array(0..<6))
            }
        }
    }

    /// The position says that nothing is stored, and a batch of the next one's name is: its beacons don't count as
    /// stored by their name.
    @Test func aBatchIsNotPassedOverForItsName() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory))
                try await shipping(spool, pool, logger: silentLogger) { spool in
                    for number in 0..<3 {
                        #expect(
                            await spool.append(BeaconRecords(numbers: number..<(number + 1)), until: .stored).isSuccess)
                    }
                }
                try await pool.withConnection { _ = try $0.execute("UPDATE spool_positions SET last_seq = 0") }
                for number in 3..<6 {
                    #expect(await spool.append(BeaconRecords(numbers: number..<(number + 1))).isSuccess)
                }
                await drain(spool, pool, logger: silentLogger)
                #expect(try await stored(pool) == Array(0..<6))
            }
        }
    }

    /// Somebody removed a segment: what else there is is stored, and the loss is said.
    @Test func missingFramesAreSaid() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let logs = LogLines()
                var spool: Spool? = try Spool(testing: .small(directory))
                for number in 0..<600 { _ = await spool!.append(BeaconRecords(numbers: number..<(number + 1))) }
                let segments = spool!.durable.segments
                #expect(segments.count > 2)
                spool = nil
                try FileManager.default.removeItem(atPath: directory + "/" + segments[1].name)
                spool = try Spool(testing: .small(directory))
                await drain(spool!, pool, logger: logs.logger)
                let lost = Int(segments[1].firstSeq) - 1..<Int(segments[2].firstSeq) - 1
                #expect(try await stored(pool) == Array(0..<600).filter { !lost.contains($0) })
                #expect(logs.critical.contains { $0.contains("neither stored nor in the spool") })
            }
        }
    }

    /// Postgres can't be used when the node starts: it takes beacons, and is known there by itself as soon as it can be.
    @Test func aNodeThatStartsWithoutPostgresIsKnownOnceItIsThere() async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                try await pool.withConnection { _ = try $0.execute("ALTER TABLE spool_positions RENAME TO elsewhere") }
                let spool = try Spool(testing: .small(directory))
                let shipper = shipper(spool, pool, logger: silentLogger)
                await shipper.announce()
                let running = Task { await shipper.run() }
                #expect(await spool.append(BeaconRecords(numbers: 0..<3)).isSuccess)
                let node = Shipper.node("node", identity: spool.identity)
                try await pool.withConnection { connection in
                    try connection.execute("ALTER TABLE rollup_pending RENAME TO nowhere")
                    _ = try connection.execute("ALTER TABLE elsewhere RENAME TO spool_positions")
                }
                // Nothing can be stored yet, and answers wait for what this node took.
                #expect(
                    await eventually {
                        let known = try? await pool.count(
                            """
                            SELECT count(*) FROM spool_positions WHERE node = \(node) AND shipped_through <> 'infinity'
                            """)
                        return known == 1
                    })
                running.cancel()
                await running.value
            }
        }
    }

    // MARK: Fixture

    private func shipper(_ spool: Spool, _ pool: PostgresPool, logger: Logger = testLogger) -> Shipper {
        Shipper(
            spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
            clock: { Self.now + 60_000 }, logger: logger)
    }

    /// Ships while `body` runs, and stops as if killed.
    private func shipping(
        _ spool: Spool, _ pool: PostgresPool, logger: Logger = testLogger, _ body: (Spool) async throws -> Void
    ) async throws {
        let shipper = shipper(spool, pool, logger: logger)
        let running = Task { await shipper.run() }
        try await body(spool)
        running.cancel()
        await running.value
    }

    private func drain(_ spool: Spool, _ pool: PostgresPool, logger: Logger = testLogger) async {
        let shipper = shipper(spool, pool, logger: logger)
        spool.beginDraining()
        shipper.beginDraining()
        await shipper.run()
    }

    private func unfinished(_ pool: PostgresPool) async throws -> Int64 {
        try await pool.count("SELECT count(*) FROM spool_positions WHERE shipped_through <> 'infinity'")
    }

    private func stored(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.withConnection { try storedNumbers(on: $0).sorted() }
    }
}
