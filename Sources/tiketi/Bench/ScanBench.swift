import Core
import Foundation
import Glibc
import Platform
import Query
import Storage

/// `tiketi query events` over raw beacons, filtered by artist.
struct ScanBench {
    /// The fastest is taken, as of the peers.
    private static let runs = 3

    let seed: UInt64
    let rows: Int
    let peers: PeerEngines

    func run(_ progress: (String) -> Void) async throws -> BenchReport {
        try await BenchStage.with { stage in
            progress("storing \(grouped(rows)) beacons")
            let blocks = try await stage.withPool { pool in
                let blocks = try await StoredRows(seed: seed, messageIds: .random, rows: rows).store(pool)
                try await pool.withConnection { connection in
                    // As folded as they need to be to be asked for; nothing else of the rollups is.
                    _ = try connection.execute(
                        """
                        INSERT INTO rollup_folded (received_day, node, seq, fold_seq)
                        SELECT received_day, node, seq, nextval('fold_seq') FROM rollup_pending
                        """)
                    try connection.execute("DELETE FROM rollup_pending")
                    try connection.withStatementTimeout(.zero) { _ = try connection.execute("VACUUM ANALYZE") }
                }
                return blocks
            }
            let artists = [0, 100, SyntheticBeacons.artistCount - 1]
            let measured = try await peers.measure(
                blocks, artists.map { .scan(artist: Self.name($0)) }, in: stage.folder, progress)
            let engine = QueryEngine(
                database: try stage.database(), redis: nil, calendar: try stage.calendar(), logger: stage.logger)
            let today = Day(daysSince1970: Int(floorDiv(ProcessSettings.clock(), 86_400_000)))
            var report = BenchReport(
                name: "query, raw beacons",
                conditions:
                    "\(grouped(rows)) stored beacons with ids, \(grouped(SyntheticBeacons.artistCount)) artists; all columns of those that match, as NDJSON"
            )
            do {
                for (what, artist, days) in [
                    ("a rare artist", SyntheticBeacons.artistCount - 1, StoredRows.days),
                    ("the 100th artist", 100, StoredRows.days), ("the first artist", 0, StoredRows.days),
                    ("a rare artist, one of \(StoredRows.days) days", SyntheticBeacons.artistCount - 1, 1),
                ] {
                    progress(what)
                    let first = today - StoredRows.days
                    let question = EventsQuestion(
                        period: Period(startDate: first, endDate: first + (days == 1 ? 0 : days)),
                        artistID: Self.name(artist))
                    var best: Run?
                    for _ in 0..<Self.runs {
                        let run = try await run(question, engine, stage)
                        if run.elapsed < best?.elapsed ?? .infinity { best = run }
                    }
                    guard let best else { continue }
                    let rows = Double(rows)
                    report.figures += [
                        Figure(
                            what, rows / best.elapsed, "beacons/s", better: .higher,
                            peers: Peers.scan
                                + (days == 1 ? [] : measured.peers(.scan(artist: Self.name(artist))))),
                        Figure(
                            "  a core's time, Postgres' with it", rows / (best.own + best.server), "beacons/s",
                            better: .higher),
                        Figure("  a core's time, without Postgres'", rows / best.own, "beacons/s", better: .higher),
                        Figure("  written", Double(best.bytes) / 1e6, "MB", better: .lower),
                    ]
                }
            } catch {
                await engine.shutdown()
                throw error
            }
            await engine.shutdown()
            return report
        }
    }

    private struct Run {
        var elapsed = 0.0
        /// Seconds of the processor.
        var own = 0.0
        var server = 0.0
        var bytes = 0
    }

    private func run(_ question: EventsQuestion, _ engine: QueryEngine, _ stage: BenchStage) async throws -> Run {
        var run = Run()
        let server = try await Self.serverSeconds(stage)
        let cpu = clock()
        let start = ContinuousClock.now
        try await engine.events(question, format: .ndjson) { run.bytes += $0.count }
        run.elapsed = (ContinuousClock.now - start).inSeconds
        run.own = Double(clock() - cpu) / Double(CLOCKS_PER_SEC)
        run.server = try await Self.serverSeconds(stage) - server
        return run
    }

    /// What the server's processes for connections have used of the processor, in seconds.
    private static func serverSeconds(_ stage: BenchStage) async throws -> Double {
        let pids = try await stage.withPool { pool in
            try await pool.withConnection { connection in
                try connection.query(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                ).map { try $0.get(0, as: Int32.self) }
            }
        }
        return pids.reduce(0) { $0 + processorSeconds(of: $1) }
    }

    /// Zero for one that is gone.
    private static func processorSeconds(of pid: Int32) -> Double {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let name = stat.lastIndex(of: ")")
        else { return 0 }
        // From the state on, which is the third field: user and system time are the 14th and the 15th.
        let fields = stat[name...].split(separator: " ").dropFirst()
        let ticks = fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func name(_ artist: Int) -> String { "artist-\(padded(artist, 4))" }
}
