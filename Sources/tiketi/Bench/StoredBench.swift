import Core
import Glibc
import Platform
import Rollup
import Storage

/// What stored beacons take, and how fast they fold: both of the same rows.
struct StoredBench {
    let seed: UInt64
    let messageIds: SyntheticBeacons.MessageIds
    let rows: Int
    let measuresStorage: Bool
    let measuresFold: Bool
    let peers: PeerEngines

    func run(_ progress: (String, Int, Int) -> Void) async throws -> [BenchReport] {
        try await BenchStage.with { stage in
            try await stage.withPool { pool in
                let blocks = try await StoredRows(seed: seed, messageIds: messageIds, rows: rows).store(pool) {
                    progress("storing", $0, rows)
                }
                var reports: [BenchReport] = []
                let artists = measuresFold ? try foldInMemory(blocks, .artists) : nil
                let inMemory = measuresFold ? try foldInMemory(blocks, .everything) : nil
                progress("folding into Postgres", 0, 0)
                let rollup = Rollup(
                    postgres: pool, redis: nil, calendar: try stage.calendar(), clock: ProcessSettings.clock,
                    metrics: RollupMetrics(Metrics()), logger: stage.logger)
                let start = ContinuousClock.now
                let folded = try await rollup.run()
                let elapsed = ContinuousClock.now - start
                let wanted: [PeerEngines.Measure] =
                    (measuresFold ? [.fold, .sessions] : []) + (measuresStorage ? [.bytes, .bytesByArtist] : [])
                let measured = try await peers.measure(blocks, wanted, in: stage.folder) { progress($0, 0, 0) }
                guard folded.beacons == rows else {
                    throw BenchProcess.Failed(description: "\(rows) beacons were stored, \(folded.beacons) folded")
                }
                if measuresStorage { reports.append(try await storage(pool, blocks, measured)) }
                if let artists, let inMemory {
                    try await check(inMemory.result, pool)
                    // The bench's beacons have no repeats.
                    try await check(artists.result, pool)
                    reports.append(
                        BenchReport(
                            name: "fold",
                            conditions:
                                "\(grouped(rows)) stored beacons into hours with page views, sketches and sessions",
                            figures: [
                                Figure(
                                    "artists, as the peers; one core's time", Double(rows) / artists.elapsed.inSeconds,
                                    "beacons/s", better: .higher, peers: Peers.fold + measured.peers(.fold, .sessions)),
                                Figure(
                                    "artists, events and site, each message once",
                                    Double(rows) / inMemory.elapsed.inSeconds,
                                    "beacons/s", better: .higher, peers: Peers.fold + measured.peers(.fold, .sessions)),
                                Figure(
                                    "the same into Postgres, days and months too", Double(rows) / elapsed.inSeconds,
                                    "beacons/s", better: .higher, peers: Peers.fold + measured.peers(.fold, .sessions)),
                            ]))
                }
                return reports
            }
        }
    }

    // MARK: Storage

    private func storage(
        _ pool: PostgresPool, _ blocks: [[UInt8]], _ measured: PeerEngines.Measured
    ) async throws -> BenchReport {
        let (raw, ledger, ids, derived) = try await pool.withConnection { connection in
            // As autovacuum would: rows that were deleted take nothing in the long run.
            try connection.withStatementTimeout(.zero) { _ = try connection.execute("VACUUM") }
            func size(_ tables: String) throws -> Double {
                Double(
                    try connection.query(
                        "SELECT sum(pg_total_relation_size(to_regclass(name)))::bigint FROM unnest(string_to_array(\(tables), ' ')) AS t (name)"
                    )[0].get(0, as: Int64.self))
            }
            let raw = try connection.query(
                """
                SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits
                WHERE inhparent = 'analytics_events'::regclass
                """)[0].get(0, as: Int64.self)
            return (
                Double(raw), try size("rollup_pending rollup_folded"), try size("message_ids stamped_message_ids"),
                try size(
                    "session_slots artist_traffic_hourly event_traffic_hourly site_traffic_hourly "
                        + "artist_traffic_daily event_traffic_daily site_traffic_daily")
            )
        }
        let count = Double(rows)
        let payload = Double(blocks.reduce(0) { $0 + $1.count })
        return BenchReport(
            name: "storage, \(named)",
            conditions:
                "\(grouped(rows)) beacons as dense as \(grouped(StoredRows.peerRows)) in \(StoredRows.days) days: 10 columns, \(grouped(SyntheticBeacons.artistCount)) artists, "
                + "\(grouped(Int(count * SyntheticBeacons.visitorsPerBeacon))) visitors, 16 random hex digits as sessionId",
            figures: [
                Figure(
                    "stored, with indexes and ledgers", (raw + ledger + ids) / count, "bytes/beacon", better: .lower,
                    peers: Peers.bytesPerBeacon + measured.peers(.bytes, .bytesByArtist)),
                Figure(
                    "of that raw blocks, their rows and indexes", raw / count, "bytes/beacon", better: .lower,
                    peers: Peers.bytesPerBeacon + measured.peers(.bytes, .bytesByArtist)),
                Figure("of that the blocks themselves", payload / count, "bytes/beacon", better: .lower),
                Figure("of that the ids seen, for exactly-once", ids / count, "bytes/beacon", better: .lower),
                Figure("besides: sessions, hours and days", derived / count, "bytes/beacon", better: .lower),
            ])
    }

    private var named: String {
        switch messageIds {
        case .random: "messageIds of UUID version 4"
        case .ordered: "messageIds of UUID version 7"
        case .none: "no messageIds"
        }
    }

    // MARK: Fold

    /// What this process has had of the cores: others may be busy. POSIX counts it in microseconds.
    private static func processorTime() -> Duration { .microseconds(Int64(clock())) }

    private func foldInMemory(
        _ blocks: [[UInt8]], _ work: MemoryFold.Work
    ) throws -> (result: MemoryFold.Result, elapsed: Duration) {
        let start = Self.processorTime()
        var fold = MemoryFold(work)
        for block in blocks { try fold.add(block) }
        let result = fold.finish()
        return (result, Self.processorTime() - start)
    }

    /// Both ways must count alike.
    private func check(_ result: MemoryFold.Result, _ pool: PostgresPool) async throws {
        let stored = try await pool.withConnection { connection in
            let row = try connection.query(
                """
                SELECT sum(beacons)::bigint, sum(sessions)::bigint, sum(session_ms)::bigint, count(*)
                FROM artist_traffic_hourly
                """)[0]
            return MemoryFold.Result(
                beacons: try row.get(0), sessions: try row.get(1), sessionMs: try row.get(2),
                artistHours: try row.get(3))
        }
        guard result == stored else {
            throw BenchProcess.Failed(description: "in memory the fold gave \(result), in Postgres \(stored)")
        }
    }
}
