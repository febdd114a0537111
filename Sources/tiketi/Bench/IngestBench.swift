import AsyncHTTPClient
import Core
import NIOCore
import NIOPosix
import Storage

/// The real `tiketi serve ingest`, in a process of its own, shipping to Postgres and Redis.
struct IngestBench {
    static let connections = 64
    static let maxMetricsBytes = 1 << 20

    let seed: UInt64
    let seconds: Int

    func run(_ progress: (String) -> Void) async throws -> [BenchReport] {
        [try await BenchStage.with { try await single($0, progress) }]
            + [try await BenchStage.with { try await batches($0, progress) }]
            + [try await BenchStage.with { try await idle($0, progress) }]
    }

    // MARK: Single beacons

    private func single(_ stage: BenchStage, _ progress: (String) -> Void) async throws -> BenchReport {
        var bodies = BeaconBodies(seed: seed, instant: ProcessSettings.clock())
        let requests = bodies.singles()
        let body = bodies.single()
        var report = BenchReport(
            name: "ingest, single beacons",
            conditions:
                "\(body.count)-byte bodies, \(Self.connections) connections, \(seconds) s, client on the same cores")

        // Peer and we alternate, so that a busy machine troubles both.
        progress("nginx and ingest, single beacons")
        var nginx: (own: HTTPLoad.Result, wrk: WrkLoad.Result?)?
        if let executable = NginxPeer.executable {
            nginx = try await NginxPeer.serving(executable, in: stage.folder) { port in
                (try await load(port, requests), try await self.wrk(port, body, stage))
            }
        }
        let (own, wrk) = try await stage.serving("ingest") { process, port in
            let own = try await load(port, requests)
            try checkAllAccepted(own, process)
            return (own, try await self.wrk(port, body, stage))
        }
        let measuredPeers = nginx.map { [Figure.Peer("nginx return 204 (this run)", $0.own.perSecond)] } ?? []
        report.figures += [
            Figure(
                "acknowledged", own.perSecond, "req/s", better: .higher,
                peers: measuredPeers + Peers.singleRequests),
            Figure(
                "ack p50", own.latencies.milliseconds(0.5), "ms", better: .lower,
                peers: nginx.map { [.init("nginx return 204 (this run)", $0.own.latencies.milliseconds(0.5))] } ?? []),
            Figure(
                "ack p99", own.latencies.milliseconds(0.99), "ms", better: .lower,
                peers: (nginx.map { [.init("nginx return 204 (this run)", $0.own.latencies.milliseconds(0.99))] } ?? [])
                    + Peers.singleAckP99),
        ]
        if let wrk {
            let peer = nginx?.wrk
            report.figures += [
                Figure(
                    "acknowledged, wrk -t1", wrk.perSecond, "req/s", better: .higher,
                    peers: peer.map { [.init("nginx return 204 (this run)", $0.perSecond)] } ?? []),
                Figure(
                    "ack p99, wrk -t1", wrk.p99Ms, "ms", better: .lower,
                    peers: peer.map { [.init("nginx return 204 (this run)", $0.p99Ms)] } ?? []),
            ]
        }
        return report
    }

    private func load(_ port: Int, _ requests: [ByteBuffer]) async throws -> HTTPLoad.Result {
        try await HTTPLoad(
            port: port, connections: Self.connections, measured: .seconds(seconds), requests: requests
        ).run()
    }

    private func wrk(_ port: Int, _ body: [UInt8], _ stage: BenchStage) async throws -> WrkLoad.Result? {
        guard let executable = WrkLoad.executable else { return nil }
        return try await WrkLoad.run(
            executable, port: port, connections: Self.connections, seconds: seconds, body: body, in: stage.folder)
    }

    private func checkAllAccepted(_ result: HTTPLoad.Result, _ process: BenchProcess) throws {
        guard result.refused == 0 else {
            throw BenchProcess.Failed(description: "\(process.name) refused \(result.refused) requests")
        }
    }

    // MARK: Batches

    private func batches(_ stage: BenchStage, _ progress: (String) -> Void) async throws -> BenchReport {
        progress("ingest, batches of \(BeaconBodies.batchCount)")
        var bodies = BeaconBodies(seed: seed, instant: ProcessSettings.clock())
        let (requests, beaconBytes) = bodies.batches()
        let (result, backlog, memory) = try await stage.serving("ingest") { process, port in
            let result = try await load(port, requests)
            let metrics = try await Self.metrics(port)
            try checkAllAccepted(result, process)
            let accepted = metrics["tiketi_track_beacons_accepted_total"] ?? 0
            let shipped = metrics["tiketi_ship_beacons_total"] ?? 0
            return (result, accepted - shipped, process.peakResidentBytes)
        }
        // The process has drained and ended: everything it acknowledged must be there.
        let stored = try await stage.withPool { pool in
            try await pool.withConnection { connection in
                try connection.query("SELECT sum(beacons)::bigint FROM analytics_events")[0].get(0, as: Int64.self)
            }
        }
        guard stored == Int64(result.accepted * BeaconBodies.batchCount) else {
            throw BenchProcess.Failed(
                description: "\(result.accepted * BeaconBodies.batchCount) beacons were acknowledged, \(stored) stored")
        }
        let beaconsPerSecond = result.perSecond * Double(BeaconBodies.batchCount)
        return BenchReport(
            name: "ingest, batches of \(BeaconBodies.batchCount)",
            conditions:
                "\(beaconBytes)-byte beacons, \(Self.connections) connections, \(seconds) s, shipped to Postgres and Redis meanwhile",
            figures: [
                Figure(
                    "acknowledged", beaconsPerSecond, "beacons/s", better: .higher, peers: Peers.batchBeacons),
                Figure("ack p50", result.latencies.milliseconds(0.5), "ms", better: .lower),
                Figure("ack p99", result.latencies.milliseconds(0.99), "ms", better: .lower),
                Figure("spool backlog at the end", backlog / beaconsPerSecond, "s of input", better: .lower),
                Figure("peak memory of ingest", Double(memory) / 1_048_576, "MiB", better: .lower),
            ])
    }

    // MARK: Idle connections

    static let idleConnections = 10_000
    static let activeConnections = 1000
    /// The server hangs up on who keeps silent for a minute, and they are to be there still.
    static let maxIdleSeconds = 30

    private func idle(_ stage: BenchStage, _ progress: (String) -> Void) async throws -> BenchReport {
        progress("ingest, \(Self.idleConnections) idle connections")
        _ = OpenFileLimit.raise()
        var bodies = BeaconBodies(seed: seed, instant: ProcessSettings.clock())
        let requests = bodies.singles()
        let seconds = min(seconds, Self.maxIdleSeconds)
        let (result, served, memory) = try await stage.serving("ingest") { process, port in
            let idle = try await IdleConnections.open(
                Self.idleConnections, port: port, on: MultiThreadedEventLoopGroup.singleton)
            let result = try await HTTPLoad(
                port: port, connections: Self.activeConnections, measured: .seconds(seconds), requests: requests
            ).run()
            try checkAllAccepted(result, process)
            let served = await idle.ask(requests[0])
            await idle.close()
            return (result, served, process.peakResidentBytes)
        }
        return BenchReport(
            name: "ingest, \(Self.idleConnections) idle connections",
            conditions: "single beacons on \(Self.activeConnections) more connections, \(seconds) s",
            figures: [
                Figure("acknowledged", result.perSecond, "req/s", better: .higher),
                Figure("ack p99", result.latencies.milliseconds(0.99), "ms", better: .lower),
                Figure("idle ones served afterwards", Double(served), "connections", better: .higher),
                Figure("peak memory of ingest", Double(memory) / 1_048_576, "MiB", better: .lower),
            ])
    }

    /// The process's metrics without labels, by name.
    static func metrics(_ port: Int) async throws -> [String: Double] {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics"), timeout: .seconds(10))
        let text = String(buffer: try await response.body.collect(upTo: maxMetricsBytes))
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            if parts.count == 2 { values[String(parts[0])] = Double(parts[1]) }
        }
        return values
    }
}
