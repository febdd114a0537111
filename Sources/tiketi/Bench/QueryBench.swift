import Core
import NIOCore
import Platform
import Storage

/// The real `tiketi serve query` over thirteen months of rollups.
struct QueryBench {
    static let connections = 64

    let seed: UInt64
    let artists: Int
    let seconds: Int

    func run(_ progress: (String) -> Void) async throws -> [BenchReport] {
        try await BenchStage.with { stage in
            progress("loading \(StoredRollups.months) months of rollups")
            let (today, first, rows) = try await StoredRollups(seed: seed, artists: artists).store(stage)
            progress("asking")
            let token = try await DevEnvironment.token(Settings(environment: stage.settings)) ?? ""
            let period = "startDate=\(first)&endDate=\(today)&granularity"
            let dashboard = [Self.request("/api/analytics/dashboard", token)]
            let monthly = traffic("\(period)=monthly", token)
            let daily = traffic("\(period)=daily", token)
            let mixed = monthly.flatMap { [$0, dashboard[0]] }
            return try await stage.serving("query") { process, port in
                var report = BenchReport(
                    name: "query",
                    conditions:
                        "\(artists) artists × \(StoredRollups.months) months (\(grouped(rows)) rows of rollups), \(Self.connections) connections, a signed token each, nothing pending; the dashboard is found once a second for all; \(seconds) s"
                )
                for (what, requests) in [
                    ("dashboard and monthly traffic in turn", mixed), ("dashboard", dashboard),
                    ("artist traffic, 13 months monthly", monthly), ("artist traffic, 13 months daily", daily),
                ] {
                    let load = try await HTTPLoad(
                        port: port, connections: Self.connections, measured: .seconds(seconds), requests: requests
                    ).run()
                    guard load.refused == 0 else {
                        throw BenchProcess.Failed(description: "\(process.name) refused \(load.refused) requests")
                    }
                    report.figures += [
                        Figure(what, load.perSecond, "req/s", better: .higher, peers: Peers.requests),
                        Figure("  p50", load.latencies.milliseconds(0.5), "ms", better: .lower),
                        Figure(
                            "  p99", load.latencies.milliseconds(0.99), "ms", better: .lower, peers: Peers.requestP99),
                    ]
                }
                report.figures.append(
                    Figure(
                        "visitors of a month from daily sketches", try Self.monthUniquesMs(seed), "ms", better: .lower,
                        peers: [.init("Redis PFCOUNT of many keys, its documentation", 1)]))
                return [report]
            }
        }
    }

    private static let unionRounds = 200

    /// Reading, merging and counting a month's sketches, each of 20,000 visitors, one core.
    private static func monthUniquesMs(_ seed: UInt64) throws -> Double {
        var random = SplitMix64(seed: seed)
        let days = (0..<31).map { _ in
            var sketch = VisitorSketch()
            for _ in 0..<20_000 { sketch.add(hash: random.next()) }
            return sketch.bytes
        }
        var visitors = 0
        let start = ContinuousClock.now
        for _ in 0..<unionRounds {
            var month = VisitorSketch()
            for day in days { month.merge(try VisitorSketch(bytes: day)) }
            visitors += month.value
        }
        let elapsed = (ContinuousClock.now - start).inSeconds
        // Within four standard errors of what it must be.
        guard abs(Double(visitors / unionRounds) / 620_000 - 1) < 0.05 else {
            throw BenchProcess.Failed(description: "a month has \(visitors / unionRounds) visitors")
        }
        return elapsed * 1000 / Double(unionRounds)
    }

    private static func request(_ path: String, _ token: String) -> ByteBuffer {
        HTTPLoad.request("GET", path, headers: [("Authorization", "Bearer \(token)")])
    }

    private func traffic(_ query: String, _ token: String) -> [ByteBuffer] {
        (0..<artists).map { Self.request("/api/analytics/artist/artist-\(padded($0, 4))/traffic?\(query)", token) }
    }
}
