import Core
import Foundation
import Ingest
import Platform
import Storage

/// The real `tiketi rollup`, in processes of its own.
struct RollupBench {
    /// Beacons a second while it follows.
    static let followRate = 50_000.0
    static let historyDays = 400
    static let historyArtists = 100
    /// New beacons folded on top of either history, and how often.
    static let historyRows = 100_000
    static let historyRounds = 5

    let seed: UInt64
    let rows: Int
    let seconds: Int

    func run(_ progress: (String) -> Void) async throws -> [BenchReport] {
        [
            try await backlog(progress), try await BenchStage.with { try await follow($0, progress) },
            try await history(progress),
        ]
    }

    // MARK: A backlog

    private func backlog(_ progress: (String) -> Void) async throws -> BenchReport {
        var report = BenchReport(
            name: "rollup, a backlog",
            conditions:
                "\(grouped(rows)) stored beacons with ids, of artists, events and the site; processes and Postgres on the same cores"
        )
        for runners in [1, 2] {
            try await BenchStage.with { stage in
                progress("storing a backlog for \(runners)")
                try await stage.withPool { pool in
                    _ = try await StoredRows(seed: seed, messageIds: .random, rows: rows).store(pool)
                }
                progress("rollup run × \(runners)")
                let start = ContinuousClock.now
                let processes = try (0..<runners).map { number in
                    try BenchProcess.tiketi(
                        ["rollup", "run"], settings: stage.settings, in: stage.folder, named: "rollup-\(number)")
                }
                var peak = 0
                for process in processes { peak = max(peak, try await process.finishMeasuringMemory()) }
                let elapsed = (ContinuousClock.now - start).inSeconds
                try await check(stage)
                report.figures += [
                    Figure(
                        runners == 1 ? "one runner" : "\(runners) runners at once", Double(rows) / elapsed, "beacons/s",
                        better: .higher, peers: Peers.fold),
                    Figure("  peak memory of a runner", Double(peak) / 1_048_576, "MiB", better: .lower),
                ]
            }
        }
        return report
    }

    /// Everything that is stored must be counted.
    func check(_ stage: BenchStage) async throws {
        let counted = try await Self.counted(stage)
        guard counted == rows else {
            throw BenchProcess.Failed(description: "\(rows) beacons were stored, \(counted) counted")
        }
    }

    private static func counted(_ stage: BenchStage) async throws -> Int {
        try await stage.withPool { pool in
            try await pool.withConnection { try counted($0) }
        }
    }

    private static func counted(_ connection: PostgresConnection) throws -> Int {
        try connection.query("SELECT coalesce(sum(beacons), 0)::bigint FROM site_traffic_hourly")[0].get(0)
    }

    // MARK: Live traffic

    private func follow(_ stage: BenchStage, _ progress: (String) -> Void) async throws -> BenchReport {
        progress("rollup run --follow at \(grouped(Int(Self.followRate))) beacons/s")
        let expected = Expected()
        let (latencies, acknowledged, memory) = try await stage.serving("ingest") { _, port in
            let rollup = try BenchProcess.tiketi(
                ["rollup", "run", "--follow"], settings: stage.settings, in: stage.folder, named: "follow")
            return try await BenchStage.running(rollup) {
                try await stage.withPool { pool in
                    async let visible = Self.watch(pool, until: expected)
                    let load = try await PacedLoad(
                        port: port, rate: Self.followRate / Double(BeaconBodies.batchCount), lasts: .seconds(seconds),
                        source: LiveBodies(seed: seed)
                    ).run()
                    guard load.failed == 0 else {
                        throw BenchProcess.Failed(description: "\(load.failed) requests were not accepted")
                    }
                    let acknowledged = load.acceptedAt.count * BeaconBodies.batchCount
                    await expected.set(acknowledged)
                    return (
                        Self.latencies(load.acceptedAt, try await visible), acknowledged, rollup.peakResidentBytes
                    )
                }
            }
        }
        return BenchReport(
            name: "rollup, following",
            conditions:
                "\(grouped(Int(Self.followRate))) beacons/s offered in batches of \(BeaconBodies.batchCount) with new ids for \(seconds) s, \(grouped(LiveBodies.templates * BeaconBodies.batchCount)) sessions; acknowledgement until visible in site_traffic_hourly",
            figures: [
                Figure("acknowledged", Double(acknowledged) / Double(seconds), "beacons/s", better: .higher),
                Figure("visible p50", latencies.milliseconds(0.5), "ms", better: .lower),
                Figure("visible p99", latencies.milliseconds(0.99), "ms", better: .lower, peers: Peers.visible),
                Figure("peak memory of the runner", Double(memory) / 1_048_576, "MiB", better: .lower),
            ])
    }

    /// How many beacons the hours held at a moment.
    struct Visible {
        var at: ContinuousClock.Instant
        var beacons: Int
    }

    /// How many beacons there will be, once that is known.
    private actor Expected {
        private(set) var beacons = Int.max
        func set(_ beacons: Int) { self.beacons = beacons }
    }

    private static let watchEvery: Duration = .milliseconds(20)
    private static let maxWatch: Duration = .seconds(120)

    /// How many beacons the hours held by when, until they hold all.
    private static func watch(_ pool: PostgresPool, until expected: Expected) async throws -> [Visible] {
        var seen: [Visible] = []
        var lastChange = ContinuousClock.now
        while true {
            let beacons = try await pool.withConnection { try counted($0) }
            let now = ContinuousClock.now
            if beacons != seen.last?.beacons {
                seen.append(.init(at: now, beacons: beacons))
                lastChange = now
            }
            if beacons >= (await expected.beacons) { return seen }
            guard now - lastChange < maxWatch else {
                throw BenchProcess.Failed(description: "\(beacons) beacons are visible, and no more come")
            }
            try await Task.sleep(for: watchEvery)
        }
    }

    /// - Parameter acknowledged: when each batch was.
    static func latencies(_ acknowledged: [ContinuousClock.Instant], _ visible: [Visible]) -> Latencies {
        var latencies = Latencies()
        var next = 0
        for (number, at) in acknowledged.enumerated() {
            let beacons = (number + 1) * BeaconBodies.batchCount
            while next < visible.count, visible[next].beacons < beacons { next += 1 }
            guard next < visible.count else { break }
            latencies.add(ns: UInt64(max(0, (visible[next].at - at).inSeconds) * 1e9))
        }
        return latencies
    }

    // MARK: History

    private func history(_ progress: (String) -> Void) async throws -> BenchReport {
        let (short, long) = try await BenchStage.with { short in
            try await BenchStage.with { long in
                progress("loading \(Self.historyDays) days")
                try await load(days: 1, short)
                try await load(days: Self.historyDays, long)
                var times: [[Double]] = [[], []]
                for round in 0..<Self.historyRounds {
                    // In turns, so that a busy machine troubles both.
                    for (number, stage) in [short, long].enumerated() {
                        progress("folding new beacons, \(round + 1) of \(Self.historyRounds)")
                        try await stage.withPool { pool in
                            _ = try await StoredRows(
                                seed: seed + UInt64(round), messageIds: .random, rows: Self.historyRows,
                                node: "round-\(round)"
                            ).store(pool)
                        }
                        let start = ContinuousClock.now
                        let run = try BenchProcess.tiketi(
                            ["rollup", "run"], settings: stage.settings, in: stage.folder, named: "run")
                        try await run.finish()
                        times[number].append((ContinuousClock.now - start).inSeconds)
                    }
                }
                return (times[0].sorted()[Self.historyRounds / 2], times[1].sorted()[Self.historyRounds / 2])
            }
        }
        return BenchReport(
            name: "rollup, history",
            conditions:
                "\(grouped(Self.historyRows)) new beacons folded where 1 day and where \(Self.historyDays) days are stored (\(Self.historyArtists) artists, an id a second); median of \(Self.historyRounds)",
            figures: [
                Figure("one day stored", short, "s", better: .lower),
                Figure(
                    "\(Self.historyDays) days stored", long, "s", better: .lower,
                    peers: [.init("one day (this run)", short)]),
            ])
    }

    /// Fills every table that grows with time, for the days before the new beacons.
    private func load(days: Int, _ stage: BenchStage) async throws {
        var random = SplitMix64(seed: seed)
        let sketch = {
            var sketch = VisitorSketch()
            for _ in 0..<6 { sketch.add(hash: random.next()) }
            return sketch.bytes
        }()
        let ids = HashSetRun.encode(sorted: (0..<60).map { _ in random.next() }.sorted())
        let today = Day(daysSince1970: Int(floorDiv(ProcessSettings.clock(), 86_400_000)))
        let (first, last) = (today - StoredRows.days - days, today - StoredRows.days - 1)
        let from = PostgresTimestamp(ms: Self.midnight(first))
        let to = PostgresTimestamp(ms: Self.midnight(last + 1) - 1)
        let minutes = Int32(Self.midnight(first) / 60_000)..<Int32(Self.midnight(last + 1) / 60_000)
        let block = try Self.block(&random)
        let later = random
        try await stage.withPool { pool in
            try await pool.withConnection { connection in
                var random = later
                try connection.withStatementTimeout(.zero) {
                    for (family, count) in [
                        ("artist", Self.historyArtists), ("event", Self.historyArtists), ("site", 1),
                    ] {
                        let entity: SQL = family == "site" ? "'all'" : "\(family) || '-' || lpad(e::text, 4, '0')"
                        for (grain, every) in [("hourly", "1 hour"), ("daily", "1 day")] {
                            let bucket: SQL = grain == "hourly" ? "b" : "b::date"
                            try connection.execute(
                                """
                                INSERT INTO \(unescaped: "\(family)_traffic_\(grain)")
                                SELECT \(sql: entity), \(sql: bucket), 6, 1, 8, 4, 240000, \(sketch)
                                FROM generate_series(0, \(Int32(count - 1))) AS e,
                                    generate_series(\(from), \(to), '\(unescaped: every)') AS b
                                """)
                        }
                    }
                    try connection.execute(
                        """
                        INSERT INTO message_ids SELECT m, 0, \(ids)
                        FROM generate_series(\(minutes.lowerBound), \(minutes.upperBound - 1)) AS m
                        """)
                    for offset in 0..<days {
                        let day = first + offset
                        _ = try BatchStore.ensurePartition(of: day, on: connection)
                        try connection.execute(
                            """
                            INSERT INTO analytics_events
                            SELECT \(day), 'history', n, n, t, t, t, 100, 1, 0, \(block)
                            FROM generate_series(1, 24) AS n, LATERAL (SELECT \(PostgresTimestamp(ms: Self.midnight(day))) + n * interval '50 min') AS x (t)
                            """)
                        try connection.execute(
                            """
                            INSERT INTO rollup_folded (received_day, node, seq, fold_seq)
                            SELECT \(day), 'history', n, nextval('fold_seq') FROM generate_series(1, 24) AS n
                            """)
                        let slots = (0..<48).map { SessionPiece.slot(of: Self.midnight(day)) + Int32($0) }
                        let pieces = slots.map { slot in
                            let start = SessionPiece.start(ofSlot: slot)
                            return SessionSlotRun.encode(
                                sorted: (0..<400).map { _ in random.next() }.sorted().map {
                                    SessionPiece(session: $0, first: start, last: start + 60_000, origin: start)
                                }, slot: slot)
                        }
                        try connection.execute(
                            "INSERT INTO session_slots SELECT s, 0, p FROM unnest(\(slots), \(pieces)) AS x (s, p)")
                    }
                    try connection.execute("VACUUM ANALYZE")
                }
            }
        }
    }

    private static func midnight(_ day: Day) -> Int64 { Int64(day.daysSince1970) * 86_400_000 }

    private static func block(_ random: inout SplitMix64) throws -> [UInt8] {
        var beacons = SyntheticBeacons(seed: random.next())
        var builder = BeaconBatchBuilder()
        for _ in 0..<100 { builder.append(beacons.next(at: 0)) }
        return BatchBlock.encode(builder.finish()).bytes
    }
}
