import ArgumentParser
import Foundation
import Platform
import UnixSignals

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this build on this machine, beside what others reach.",
        discussion: """
            ingest   beacons acknowledged, singly and in batches of 100, while they are shipped
            storage  bytes per stored beacon
            fold     beacons folded into hours, in memory and into Postgres
            rollup   processes that fold a backlog and follow live traffic, and what history costs
            verify   a process that verifies folded beacons
            scan     raw beacons searched by artist
            query    that, and questions answered over thirteen months of rollups
            search   100,000 events searched
            booking  10,000 buyers for 1,000 seats, and complete bookings a second
            slo      the service level: 10,000 users, 2,000 requests/s of every kind
            all      all of these

            Unless --rows and --artists say otherwise there are 1,000,000 beacons, 10,000,000 for scan, and 2,000 artists for \
            query, 200 for slo.

            Every benchmark starts its own Postgres and Redis, fsync and all, in a temporary folder (TMPDIR), and \
            removes them. 'times' is how many times as good as the peer at its best. Where nginx and wrk are \
            installed, they are measured in the same run; with --peers ClickHouse and DuckDB are, with the same rows. Use \
            a release build, and an idle machine.
            """)

    enum Name: String, CaseIterable, ExpressibleByArgument {
        case ingest, storage, fold, rollup, verify, scan, query, search, booking, slo, all
    }

    static let maxSeconds = 600
    static let maxRows = 50_000_000
    static let maxArtists = 10_000
    static let standardRows = 1_000_000
    static let standardScanRows = 10_000_000
    static let standardArtists = 2_000
    static let standardLevelArtists = 200

    @Argument(help: "\(Name.allCases.map(\.rawValue).joined(separator: ", ")).")
    var names: [Name]

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    @Option(help: "How long each load lasts.")
    var seconds = 5

    @Option(help: "Beacons stored and folded, and searched by scan.")
    var rows: Int?

    @Option(help: "Artists that are asked for.")
    var artists: Int?

    @Option(help: ArgumentHelp("Programs that measure other databases: Benchmarks of the source.", valueName: "folder"))
    var peers: String?

    @Option(help: "The same seed makes the same beacons.")
    var seed: UInt64 = 1

    func validate() throws {
        guard !names.isEmpty else { throw ValidationError("name a benchmark, or 'all'") }
        guard (1...Self.maxSeconds).contains(seconds) else {
            throw ValidationError("--seconds must be between 1 and \(Self.maxSeconds)")
        }
        guard (1...Self.maxRows).contains(rows ?? 1) else {
            throw ValidationError("--rows must be between 1 and \(Self.maxRows)")
        }
        guard (1...Self.maxArtists).contains(artists ?? 1) else {
            throw ValidationError("--artists must be between 1 and \(Self.maxArtists)")
        }
    }

    func run() async throws {
        try await reportingFailure {
            _ = try ProcessSettings.bootstrap(defaultLogFormat: .text, overrides: ["LOG_LEVEL": "warning"])
            try await stoppingServersOnSignal { try await measure() }
        }
    }

    /// A benchmark that is interrupted still stops its servers.
    private func stoppingServersOnSignal(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let signals = await UnixSignalsSequence(trapping: [.sigint, .sigterm])
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                for await _ in signals { return false }
                return true
            }
            let isFinished = try await group.next() ?? true
            group.cancelAll()
            if !isFinished {
                // Only what the interruption brought about is lost.
                while (try? await group.next()) != nil {}
                throw ExitCode(130)
            }
        }
    }

    private func measure() async throws {
        let wanted = names.contains(.all) ? Set(Name.allCases) : Set(names)
        let peers = PeerEngines(folder: peers)
        let (rows, scanRows) = (rows ?? Self.standardRows, rows ?? Self.standardScanRows)
        var reports: [BenchReport] = []
        func add(_ new: [BenchReport]) {
            reports += new
            if !json { for report in new { print(report.table()) } }
            fflush(nil)
        }
        if wanted.contains(.ingest) {
            add(try await IngestBench(seed: seed, seconds: seconds).run(Self.announce))
        }
        if wanted.contains(.storage) || wanted.contains(.fold) {
            let kinds = wanted.contains(.storage) ? SyntheticBeacons.MessageIds.allCases : [.random]
            for messageIds in kinds {
                let bench = StoredBench(
                    seed: seed, messageIds: messageIds, rows: rows, measuresStorage: wanted.contains(.storage),
                    measuresFold: wanted.contains(.fold) && messageIds == .random, peers: peers)
                var bar = ProgressBar("rows", unit: .count("beacons"))
                add(
                    try await bench.run { step, done, total in
                        if total > 0 { bar.update(Int64(done), of: Int64(total), note: step) } else { bar.finish() }
                        if total == 0 { Self.announce(step) }
                    })
            }
        }
        if wanted.contains(.rollup) {
            add(try await RollupBench(seed: seed, rows: rows, seconds: seconds).run(Self.announce))
        }
        if wanted.contains(.verify) {
            add([try await RollupBench(seed: seed, rows: rows, seconds: seconds).verify(Self.announce)])
        }
        if wanted.contains(.scan) || wanted.contains(.query) {
            add([try await ScanBench(seed: seed, rows: scanRows, peers: peers).run(Self.announce)])
        }
        if wanted.contains(.query) {
            let bench = QueryBench(seed: seed, artists: artists ?? Self.standardArtists, seconds: seconds)
            add(try await bench.run(Self.announce))
        }
        if wanted.contains(.search) {
            add([try await SearchBench(seed: seed).run(Self.announce)])
        }
        if wanted.contains(.booking) {
            add(try await BookingBench(seed: seed).run(Self.announce))
        }
        if wanted.contains(.slo) {
            let bench = ServiceLevelBench(
                seed: seed, artists: artists ?? Self.standardLevelArtists, seconds: seconds)
            add([try await bench.run(Self.announce)])
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(["benchmarks": reports]), as: UTF8.self))
        }
    }

    private static func announce(_ step: String) {
        if Terminal.errorIsTerminal { Terminal.writeError("\r… \(step)\u{1b}[K\r") }
    }
}
