import Core
import Glibc
import Platform
import Query
import Storage

/// `tiketi query events` over raw beacons, filtered by artist.
struct ScanBench {
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
                    var bytes = 0
                    let start = ContinuousClock.now
                    let cpu = clock()
                    try await engine.events(question, format: .ndjson) { bytes += $0.count }
                    let elapsed = (ContinuousClock.now - start).inSeconds
                    let own = Double(clock() - cpu) / Double(CLOCKS_PER_SEC)
                    report.figures += [
                        Figure(
                            what, Double(rows) / elapsed, "beacons/s", better: .higher,
                            peers: Peers.scan
                                + (days == 1 ? [] : measured.peers(.scan(artist: Self.name(artist))))),
                        Figure("  a core's time, without Postgres'", Double(rows) / own, "beacons/s", better: .higher),
                        Figure("  written", Double(bytes) / 1e6, "MB", better: .lower),
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

    private static func name(_ artist: Int) -> String { "artist-\(padded(artist, 4))" }
}
