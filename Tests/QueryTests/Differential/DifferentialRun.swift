import Core
import Foundation
import Ingest
import Platform
import Rollup
import Storage
import TestSupport

@testable import Query

/// The same beacons and messages in our rollups and in DuckDB's files.
struct DifferentialRun {
    static let node = "differential"
    /// Runs of the rollup, each with what was stored since the one before.
    static let runs = 4
    static let messages = 3000
    /// 2026-01-01 in Seoul.
    private static let now: Int64 = 1_767_193_200_000
    /// Its beacons are exported.
    private static let exportedDay = Day("2025-11-30")!

    let folder: URL
    private let pool: PostgresPool

    /// Makes, stores and folds them, and writes what DuckDB is to read.
    init(
        _ count: Int, _ generator: SeededGenerator, _ configuration: PostgresConfiguration, _ pool: PostgresPool,
        folder: URL
    )
        async throws
    {
        self.folder = folder
        self.pool = pool
        var generator = generator
        var beacons = HardBeacons(count, generator)
        let batches = Self.inOrderOfArrival(beacons.batches(), beacons.sent, &generator)
        let rollup = Rollup(
            postgres: pool, redis: nil, calendar: .seoul, clock: { Self.now }, metrics: RollupMetrics(Metrics()),
            logger: testLogger)
        try await pool.withConnection { connection in
            // Anything may still come: no id is forgotten.
            try BatchStore.register(node: Self.node, lastSeq: 0, shippedThrough: 0, on: connection)
        }
        var seq: Int64 = 0
        var arrival = 0
        let output = try BeaconFile(folder.appending(path: "beacons.ndjson"))
        for run in batches {
            for batch in run {
                seq += 1
                let encoded = try output.write(batch.map { beacons.sent[Int($0)] }, arrival: &arrival)
                let stored = BatchStore.Batch(
                    node: Self.node, firstSeq: seq, lastSeq: seq, receivedAt: encoded.receivedAt.min()!,
                    encoding: encoded)
                try await pool.withConnection { connection in
                    _ = try BatchStore.ensurePartition(of: stored.receivedDay, on: connection)
                    guard try BatchStore.storeImported(stored, on: connection) else {
                        throw DuckDB.Failed(reason: "batch \(stored.firstSeq) is there already")
                    }
                }
            }
            _ = try await rollup.run()
        }
        try output.close()

        let messages = HardMessages.make(Self.messages, &generator)
        try Data(HardMessages.ndjson(messages).utf8).write(to: folder.appending(path: "messages.ndjson"))
        try await pool.withConnection { connection in
            try connection.transaction { connection in
                _ = try MessageEffects.store(messages, on: connection)
            }
        }
        _ = try await rollup.run()
        try await export(configuration)
    }

    /// What each run of the rollup finds, in the order in which it folds them: batches that wait are taken oldest first.
    private static func inOrderOfArrival(
        _ batches: [[Int32]], _ sent: [HardBeacons.Sent], _ generator: inout SeededGenerator
    ) -> [[[Int32]]] {
        var runs = [[(receivedAt: Int64, batch: [Int32])]](repeating: [], count: Self.runs)
        for batch in batches {
            let receivedAt = batch.map { sent[Int($0)].receivedAt }.min()!
            runs[Int(generator.next() % UInt64(Self.runs))].append((receivedAt, batch))
        }
        return runs.map { run in run.sorted { $0.receivedAt < $1.receivedAt }.map(\.batch) }
    }

    private func export(_ configuration: PostgresConfiguration) async throws {
        let engine = QueryEngine(
            database: configuration, redis: nil, calendar: .seoul, logger: testLogger, now: { Self.now })
        do {
            let (question, format) = try ExportQuestion.parse(
                query: "of=events&format=ndjson&startDate=\(Self.exportedDay)&endDate=\(Self.exportedDay)")
            var pieces = try engine.export(question, format)
            var text = Data()
            while let piece = try await pieces.next() { text.append(contentsOf: piece) }
            try text.write(to: folder.appending(path: "export.ndjson"))
            await engine.shutdown()
        } catch {
            await engine.shutdown()
            throw error
        }
    }

    // MARK: Ours

    /// A row of a traffic table.
    struct Traffic {
        /// Page views, seat views, beacons, sessions and their milliseconds.
        var counts: [Int64]
        var visitors: VisitorSketch
    }

    /// By family, entity and bucket, separated by tabs.
    func traffic() async throws -> [ExactText: Traffic] {
        try await pool.withConnection { connection in
            var rows: [ExactText: Traffic] = [:]
            for family in ["site", "artist", "event"] {
                for (table, bucket) in Self.buckets {
                    for row in try connection.query(
                        """
                        SELECT concat_ws(E'\\t', \(family), \(unescaped: family)_id, \(unescaped: bucket)), page_views,
                            seat_views, beacons, sessions, session_ms, visitors
                        FROM \(unescaped: family)_traffic_\(unescaped: table)
                        """)
                    {
                        rows[ExactText(try row.get(0))] = Traffic(
                            counts: try (1...5).map { try row.get($0) },
                            visitors: try row.withBytes(6) { try VisitorSketch(bytes: $0) })
                    }
                }
            }
            return rows
        }
    }

    /// Lines of currency, artist, event, bucket, gross, refunds, orders, tickets and refunded tickets.
    func revenue() async throws -> Set<ExactText> {
        try await pool.withConnection { connection in
            var rows: Set<ExactText> = []
            for (table, bucket) in Self.buckets {
                for row in try connection.query(
                    """
                    SELECT concat_ws(E'\\t', currency, artist_id, event_id, \(unescaped: bucket), gross, refunds, orders,
                        tickets, refunded_tickets)
                    FROM revenue_\(unescaped: table)
                    """)
                {
                    rows.insert(ExactText(try row.get(0)))
                }
            }
            return rows
        }
    }

    private static let buckets = [
        ("hourly", "to_char(hour AT TIME ZONE 'Asia/Seoul', 'YYYY-MM-DD\"T\"HH24')"), ("daily", "day::text"),
        ("monthly", "to_char(month, 'YYYY-MM')"),
    ]

    // MARK: Theirs

    /// Runs a script like `DuckDB.differentialScript` over the files.
    func duckDB(_ script: String) async throws -> DuckAnswer {
        try await DuckDB.run(script, in: folder)
        var traffic: [ExactText: DuckAnswer.Traffic] = [:]
        for line in try DuckDB.lines("traffic.tsv", in: folder) {
            traffic[ExactText(line[..<3].joined(separator: "\t"))] = .init(
                counts: line[3..<8].map { Int64($0)! }, visitors: Int(line[8])!)
        }
        return DuckAnswer(
            traffic: traffic,
            revenue: Set(try DuckDB.lines("revenue.tsv", in: folder).map { ExactText($0.joined(separator: "\t")) }),
            exportDifferences: try DuckDB.lines("export-differences.tsv", in: folder).count)
    }
}

/// What DuckDB made of the same beacons and messages.
struct DuckAnswer {
    struct Traffic {
        var counts: [Int64]
        /// Exactly.
        var visitors: Int
    }

    /// As `DifferentialRun.traffic` and `.revenue`.
    var traffic: [ExactText: Traffic]
    var revenue: Set<ExactText>
    /// Beacons that our export has and they don't count, or the other way round.
    var exportDifferences: Int
}
