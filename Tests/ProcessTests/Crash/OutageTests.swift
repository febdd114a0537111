import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Platform
import Storage
import TestSupport
import Testing

/// Postgres and Redis are away for long, and ingest goes on as long as it can: a small spool makes long short.
@Suite(.serialized) struct OutageTests {
    private static let segmentBytes = 64 << 10
    private static let spoolBytes = 16 * segmentBytes
    private static let rate = 3000
    /// Beacons of which none could have been answered if the answer waited for the server that is away.
    private static let many = 5000

    @Test func withoutPostgresBeaconsAreTakenUpToTheMarkAndThenStoredInOrder() async throws {
        let generator = SeededGenerator()
        print("outage test: \(generator)")
        try await CrashStage.with { stage in
            let port = try await stage.startIngest([
                "TIKETI_SEGMENT_BYTES": "\(Self.segmentBytes)", "SPOOL_MAX_BYTES": "\(Self.spoolBytes)",
            ])
            let load = BeaconLoad(OfferedBeacons(seed: generator.seed), rate: Self.rate, port: port)
            let loading = Task { try await load.run() }
            let pool = PostgresPool(
                try PostgresConfiguration(url: stage.postgres.url(database: "analytics_db")), connections: 2,
                logger: silentLogger)
            try await until { try await Self.batches(pool) > 0 }

            try await onOwnThread { stage.postgres.kill9() }
            let before = load.acknowledgedBeacons
            try await until { try await Self.status("/ready", port) == .serviceUnavailable }
            #expect(load.acknowledgedBeacons > before, "taken without Postgres")
            let refused = try await Self.answer(
                "/track", port, body: load.beacons.body(0, at: load.instant(ofRequest: 0)))
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.headers.first(name: "retry-after") == "5")
            #expect(String(buffer: try await refused.body.collect(upTo: 1 << 16)).contains("spool_full"))
            // What was being taken when the mark was reached is taken.
            let underWay = BeaconLoad.maxConnections * load.beacons.body(0, at: 0).count
            #expect(try stage.spoolBytes() <= Self.spoolBytes + Self.segmentBytes + underWay)
            let refusals = load.totals.refusals
            try await until { load.totals.refusals > refusals + BeaconLoad.maxConnections }

            try await stage.postgres.start()
            let full = load.acknowledgedBeacons
            try await until { load.acknowledgedBeacons > full + Self.many }
            #expect(try await Self.status("/ready", port) == .ok)
            load.finish()
            try await loading.value
            try await Self.check(load, stage, pool)
            #expect(try await Self.isInOrder(pool))
            await pool.shutdown()
        }
    }

    @Test func withoutRedisNoBeaconWaitsAndTheCountersAreHealed() async throws {
        let generator = SeededGenerator()
        print("outage test: \(generator)")
        try await CrashStage.with { stage in
            let port = try await stage.startIngest()
            let load = BeaconLoad(OfferedBeacons(seed: generator.seed), rate: Self.rate, port: port)
            let loading = Task { try await load.run() }
            let pool = PostgresPool(
                try PostgresConfiguration(url: stage.postgres.url(database: "analytics_db")), connections: 2,
                logger: silentLogger)
            try await until { try await Self.batches(pool) > 0 }

            // It says nothing any more, and hangs up on nobody; then it is gone.
            kill(try #require(stage.redis.pid), SIGSTOP)
            try await Self.goesOn(load, port, pool)
            try await onOwnThread { stage.redis.kill9() }
            try await Self.goesOn(load, port, pool)
            try await stage.redis.start()
            load.finish()
            try await loading.value
            #expect(load.totals.refusals == 0)
            try await Self.check(load, stage, pool)
            await pool.shutdown()
        }
    }

    /// Many beacons are acknowledged and stored from now on.
    private static func goesOn(_ load: BeaconLoad, _ port: Int, _ pool: PostgresPool) async throws {
        let acknowledged = load.acknowledgedBeacons
        let batches = try await batches(pool)
        try await until { load.acknowledgedBeacons > acknowledged + many }
        try await until { try await self.batches(pool) > batches + 2 }
        #expect(try await status("/ready", port) == .ok)
    }

    /// All that was acknowledged is counted, everywhere.
    private static func check(_ load: BeaconLoad, _ stage: CrashStage, _ pool: PostgresPool) async throws {
        #expect(await stage.drainIngest() == .exited(0))
        let run = try await stage.tiketi(["rollup", "run"])
        #expect(run.ending == .exited(0), "\(run.error)")
        let redis = RedisPool(try RedisConfiguration(url: stage.redis.url()), connections: 1, logger: silentLogger)
        var oracle = CrashOracle(load)
        try await oracle.read(pool)
        oracle.checkBeacons()
        try await oracle.checkSums(pool, redis)
        if load.totals.givenUp == 0 { #expect(oracle.stored.counted == load.acknowledgedBeacons) }
        try await CrashProofs.checkVerify(stage)
        await redis.shutdown()
    }

    private static func batches(_ pool: PostgresPool) async throws -> Int {
        try await pool.withConnection { try $0.query("SELECT count(*) FROM analytics_events")[0].get(0) }
    }

    /// Whether one life has committed its batches by their numbers, without a gap.
    private static func isInOrder(_ pool: PostgresPool) async throws -> Bool {
        let batches = try await pool.withConnection { connection in
            try connection.query("SELECT node, seq, last_seq FROM analytics_events ORDER BY xmin::text::bigint")
                .map { (try $0.get(0, as: String.self), try $0.get(1, as: Int64.self), try $0.get(2, as: Int64.self)) }
        }
        return zip(batches, batches.dropFirst()).allSatisfy { $0.0 == $1.0 && $0.2 + 1 == $1.1 }
    }

    private static func status(_ path: String, _ port: Int) async throws -> HTTPResponseStatus {
        let answer = try await answer(path, port)
        _ = try await answer.body.collect(upTo: 1 << 16)
        return answer.status
    }

    private static func answer(_ path: String, _ port: Int, body: [UInt8]? = nil) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        if let body {
            request.method = .POST
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        return try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    }
}

extension CrashStage {
    /// What the spool's segments take.
    fileprivate func spoolBytes() throws -> Int {
        let spool = folder.appending(path: "spool")
        return try FileManager.default.contentsOfDirectory(atPath: spool.path).filter { $0.hasSuffix(".seg") }
            .reduce(0) {
                try $0
                    + (FileManager.default.attributesOfItem(atPath: spool.appending(path: $1).path)[.size] as! Int)
            }
    }
}
