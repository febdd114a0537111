import Core
import Foundation
import Storage

extension RollupBench {
    static let verifyRounds = 3

    /// `tiketi rollup verify` over a backlog that was folded, process and Postgres on the same cores.
    func verify(_ progress: (String) -> Void) async throws -> BenchReport {
        try await BenchStage.with { stage in
            progress("storing \(grouped(rows)) beacons")
            try await stage.withPool { pool in
                _ = try await StoredRows(seed: seed, messageIds: .random, rows: rows).store(pool)
            }
            progress("rollup run")
            let run = try BenchProcess.tiketi(
                ["rollup", "run"], settings: stage.settings, in: stage.folder, named: "run")
            try await run.finish()
            try await check(stage)
            let whole = try await verify(stage, [], rounds: 1...Self.verifyRounds, progress)
            // The first one remembers what it proves.
            _ = try await verify(stage, ["--incremental"], rounds: 0...0, progress)
            let again = try await verify(stage, ["--incremental"], rounds: 1...Self.verifyRounds, progress)
            let hours = try await stage.withPool { pool in
                try await pool.withConnection { connection in
                    try connection.query(
                        """
                        SELECT (SELECT count(*) FROM artist_traffic_hourly) + (SELECT count(*) FROM event_traffic_hourly)
                            + (SELECT count(*) FROM traffic_breakdown_daily)
                        """)[0].get(0, as: Int.self)
                }
            }
            return BenchReport(
                name: "rollup, verified",
                conditions:
                    "\(grouped(rows)) folded beacons against \(grouped(hours)) hours and rows of breakdowns, ids, sessions, days and months; median of \(Self.verifyRounds)",
                figures: [
                    Figure(
                        "verified", Double(rows) / whole.seconds, "beacons/s", better: .higher, peers: Peers.fold),
                    Figure(
                        "  a beacon's processor time, Postgres' with it", whole.processorMs * 1000 / Double(rows), "µs",
                        better: .lower),
                    Figure("  peak memory", Double(whole.peakBytes) / 1_048_576, "MiB", better: .lower),
                    Figure(
                        "verified again, --incremental, nothing changed", Double(rows) / again.seconds, "beacons/s",
                        better: .higher),
                    Figure(
                        "  a beacon's processor time, Postgres' with it", again.processorMs * 1000 / Double(rows), "µs",
                        better: .lower),
                    Figure("  peak memory", Double(again.peakBytes) / 1_048_576, "MiB", better: .lower),
                ])
        }
    }

    /// Medians, but for the memory.
    private struct Verification {
        var seconds: Double
        var processorMs: Double
        var peakBytes: Int
    }

    private func verify(
        _ stage: BenchStage, _ options: [String], rounds: ClosedRange<Int>, _ progress: (String) -> Void
    ) async throws -> Verification {
        var (times, processor): ([Double], [Double]) = ([], [])
        var peak = 0
        for round in rounds {
            let command = ["rollup", "verify"] + options
            progress("\(command.joined(separator: " ")), \(round) of \(rounds.upperBound)")
            let start = ContinuousClock.now
            let before = Self.processorMilliseconds(stage)
            let verify = try BenchProcess.tiketi(
                command, settings: stage.settings, in: stage.folder,
                named: (["verify"] + options + ["\(round)"]).joined(separator: "-"))
            peak = max(peak, try await verify.finishMeasuringMemory())
            times.append((ContinuousClock.now - start).inSeconds)
            processor.append(Self.processorMilliseconds(stage) - before)
        }
        return Verification(
            seconds: times.sorted()[rounds.count / 2], processorMs: processor.sorted()[rounds.count / 2],
            peakBytes: peak)
    }

    /// Of processes that were started and have ended, and of Postgres.
    private static func processorMilliseconds(_ stage: BenchStage) -> Double {
        ProcessorTime.milliseconds(of: getpid()) - ProcessorTime.own
            + (stage.serverPids().postgres.map { ProcessorTime.milliseconds(of: $0) } ?? 0)
    }
}
