import Core
import Foundation
import NIOCore
import Platform

/// The service level that the platform's plan promises, under the load that it promises it for.
struct ServiceLevelBench {
    static let users = 10_000
    static let requestsPerSecond = 2000.0

    let seed: UInt64
    let artists: Int
    let seconds: Int

    func run(_ progress: (String) -> Void) async throws -> BenchReport {
        try await BenchStage.with { stage in
            progress("loading \(StoredRollups.months) months of rollups")
            let (today, first, _) = try await StoredRollups(seed: seed, artists: artists).store(stage)
            let token = try await DevEnvironment.token(Settings(environment: stage.settings)) ?? ""
            _ = OpenFileLimit.raise()
            progress("\(grouped(Self.users)) users")
            let result = try await stage.serving("ingest", "query") { _, port in
                let rollup = try BenchProcess.tiketi(
                    ["rollup", "run", "--follow"], settings: stage.settings, in: stage.folder, named: "follow")
                return try await BenchStage.running(rollup) {
                    try await PacedLoad(
                        port: port, rate: Self.requestsPerSecond, connections: Self.users, lasts: .seconds(seconds),
                        source: MixedRequests(
                            seed: seed, artists: artists, first: first, today: today, token: token)
                    ).run()
                }
            }
            return BenchReport(
                name: "service level",
                conditions:
                    "\(grouped(Self.users)) connections, \(grouped(Int(Self.requestsPerSecond))) req/s offered for \(seconds) s: of 20 requests 14 beacons, 3 artists by day and 2 by month, 1 dashboard; \(artists) artists × \(StoredRollups.months) months; ingest and query in one process, the rollup following, Postgres, Redis and the client on the same cores",
                figures: [
                    Figure(
                        "answered", Double(result.latencies.count) / Double(seconds), "req/s", better: .higher,
                        peers: Peers.requests),
                    Figure("p50", result.latencies.milliseconds(0.5), "ms", better: .lower),
                    Figure(
                        "p95", result.latencies.milliseconds(0.95), "ms", better: .lower,
                        peers: [.init("service level of the plan", 200)]),
                    Figure("p99", result.latencies.milliseconds(0.99), "ms", better: .lower, peers: Peers.requestP99),
                    Figure(
                        "errors", 100 * Double(result.failed) / Double(max(1, result.answered)), "%", better: .lower,
                        peers: [.init("service level of the plan", 0.1)]),
                ])
        }
    }
}

/// Beacons, questions of analysts and dashboards, in a fixed proportion.
private struct MixedRequests: RequestSource {
    private static let beaconsIn20 = 14
    private static let daysIn20 = 3
    private static let monthsIn20 = 2

    private var random: SplitMix64
    private let beacons: [ByteBuffer]
    private let days: [ByteBuffer]
    private let months: [ByteBuffer]
    private let dashboard: ByteBuffer
    private var next = 0

    init(seed: UInt64, artists: Int, first: Day, today: Day, token: String) {
        random = SplitMix64(seed: seed)
        var bodies = BeaconBodies(seed: seed, instant: ProcessSettings.clock())
        beacons = bodies.singles()
        let headers = [("Authorization", "Bearer \(token)")]
        func traffic(_ query: String) -> [ByteBuffer] {
            (0..<artists).map {
                HTTPLoad.request(
                    "GET", "/api/analytics/artist/artist-\(padded($0, 4))/traffic?\(query)", headers: headers)
            }
        }
        days = traffic("startDate=\(today - 29)&endDate=\(today)")
        months = traffic("startDate=\(first)&endDate=\(today)&granularity=monthly")
        dashboard = HTTPLoad.request("GET", "/api/analytics/dashboard", headers: headers)
    }

    mutating func request(at instant: Int64) -> ByteBuffer {
        switch Int.random(in: 0..<20, using: &random) {
        case ..<Self.beaconsIn20:
            next = (next + 1) % beacons.count
            return beacons[next]
        case ..<(Self.beaconsIn20 + Self.daysIn20): return days.randomElement(using: &random)!
        case ..<(Self.beaconsIn20 + Self.daysIn20 + Self.monthsIn20): return months.randomElement(using: &random)!
        default: return dashboard
        }
    }
}
