import Foundation
import Ingest
import Platform
import Storage
import TestSupport
import Testing

/// Plays rounds on one stage, under one load.
///
/// Each round is a life of ingest that is told beforehand when to strike. It ends with its victim up again and ingest
/// killed, so that the next one begins with what a crash has left.
final class Torture {
    /// Beacons a second.
    static let rate = 1000
    static let beaconsPerRequest = 20
    /// What each artist has on average: about as many beacons go each way.
    private static let hotArtistRate = rate / OfferedBeacons.artists
    /// A moment that doesn't come within this time was not hit. A disk that others keep busy may take most of it.
    private static let maxWait = Duration.seconds(120)
    /// Beacons that a life must have taken before it is told to end.
    private static let takenBeforeEnd = 200

    let stage: CrashStage
    let load: BeaconLoad
    private let pool: PostgresPool
    private let redis: RedisPool
    private let gate: CommitGate
    private var oracle: CrashOracle
    private(set) var table = TortureTable()

    init(_ stage: CrashStage, seed: UInt64) async throws {
        self.stage = stage
        let database = try PostgresConfiguration(url: stage.postgres.url(database: "analytics_db"))
        pool = PostgresPool(database, connections: 2, logger: silentLogger)
        redis = RedisPool(try RedisConfiguration(url: stage.redis.url()), connections: 1, logger: silentLogger)
        gate = try await CommitGate(database)
        load = BeaconLoad(OfferedBeacons(seed: seed, perRequest: Self.beaconsPerRequest), rate: Self.rate, port: 1)
        oracle = CrashOracle(load)
    }

    func end() async {
        await gate.remove()
        await redis.shutdown()
        await pool.shutdown()
    }

    // MARK: Rounds

    /// Plays rounds under load, then has everything come to rest, and compares.
    ///
    /// - Parameter folding: a rollup runs beside them.
    func play(_ rounds: some Sequence<TortureRound>, folding: Bool) async throws {
        if folding { try stage.startRollup() }
        let loading = Task { [load] in try await load.run() }
        for round in rounds {
            let first = load.requestCount
            let began = ContinuousClock.now
            let isHit = try await play(round)
            table.add(round, isHit: isHit)
            let took = (ContinuousClock.now - began) / .seconds(1)
            print(
                "torture \(round): \(isHit ? "hit" : "NOT HIT") in \(String(format: "%.1f s", took)), "
                    + "requests \(first)..<\(load.requestCount)")
        }
        load.finish()
        load.move(toPort: try await stage.startIngest())
        try await loading.value
        #expect(await stage.drainIngest() == .exited(0))
        if folding { #expect(await stage.endRollup() == .exited(0)) }
        try await compare(countersAreUnhealed: !folding)
    }

    private func play(_ round: TortureRound) async throws -> Bool {
        if round.moment == .beforeCommit { try await gate.close() }
        let ingest = try stage.launchIngest(try settings(of: round))
        let began = ContinuousClock.now
        let isHit: Bool
        switch round.moment {
        case .anyTime:
            try await Task.sleep(until: began + .milliseconds(round.delayMs))
            if let port = ingest.port { load.move(toPort: port) }
            try await kill(round.victim)
            isHit = true
        case .beforeCommit:
            isHit = try await wait(for: ingest) { try await gate.isHolding() }
            if isHit { try await kill(round.victim) }
            if round.commitsLate {
                if round.victim == .ingest { _ = try stage.launchIngest() }
                try await Task.sleep(for: .milliseconds(round.downMs))
            }
            await gate.open()
        case .point(let point):
            let taken = load.acknowledgedBeacons + Self.takenBeforeEnd
            var isTold = !point.isInDrain
            isHit = try await wait(for: ingest) {
                if !isTold, load.acknowledgedBeacons >= taken {
                    isTold = true
                    ingest.signal(SIGTERM)
                }
                return ingest.error.contains("\(CrashPoint.mark)\(point): ")
            }
        }
        if isHit { try await recover(round, ingest) }
        await stage.killIngest()
        return isHit
    }

    private func settings(of round: TortureRound) throws -> [String: String] {
        var settings = ["TIKETI_SEGMENT_BYTES": String(64 << 10)]
        if round.hasHotArtists { settings["TRACK_HOT_ARTIST_RATE"] = String(Self.hotArtistRate) }
        guard case .point(let point) = round.moment else { return settings }
        settings["TIKETI_CRASH_AT"] = "\(point):\(round.time)"
        switch round.victim {
        case .ingest: break
        case .postgres: settings["TIKETI_CRASH_AT"]! += ":\(try #require(stage.postgres.pid))"
        case .redis: settings["TIKETI_CRASH_AT"]! += ":\(try #require(stage.redis.pid))"
        }
        return settings
    }

    /// Has the load follow ingest to its port; false where the condition doesn't come true.
    private func wait(for ingest: RunningProgram, _ condition: () async throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + Self.maxWait
        var isFollowed = false
        while ContinuousClock.now < deadline {
            if !isFollowed, let port = ingest.port {
                load.move(toPort: port)
                isFollowed = true
            }
            if try await condition() { return true }
            if ingest.hasEnded {
                if try await condition() { return true }
                Issue.record("ingest ended by itself: \(await ingest.end()) \(ingest.error.suffix(2000))")
                return false
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        print("torture: ingest goes on without it: \(ingest.error.suffix(2000))")
        return false
    }

    private func kill(_ victim: TortureRound.Victim) async throws {
        let (postgres, redis) = (stage.postgres, stage.redis)
        switch victim {
        case .ingest: await stage.killIngest()
        case .postgres: try await onOwnThread { postgres.kill9() }
        case .redis: try await onOwnThread { redis.kill9() }
        }
    }

    /// Starts the victim again, and sees that ingest goes on with it.
    private func recover(_ round: TortureRound, _ ingest: RunningProgram) async throws {
        // Whoever was at the moment has told it to die; this waits for it.
        try await kill(round.victim)
        try await Task.sleep(for: .milliseconds(round.downMs))
        switch round.victim {
        case .ingest:
            #expect(await ingest.end() == .signaled(SIGKILL))
            return
        case .postgres: try await stage.postgres.start()
        case .redis: try await stage.redis.start()
        }
        if case .point(let point) = round.moment, point.isInDrain {
            #expect(await ingest.end() == .exited(0), "\(ingest.error.suffix(1000))")
            return
        }
        let stored = try await storedBatches()
        _ = try await wait(for: ingest) { try await storedBatches() > stored }
    }

    private func storedBatches() async throws -> Int {
        try await pool.withConnection { try $0.query("SELECT count(*) FROM analytics_events")[0].get(0) }
    }

    // MARK: Comparing

    private func compare(countersAreUnhealed: Bool) async throws {
        if countersAreUnhealed {
            try await oracle.read(pool)
            try await oracle.checkUnhealedCounters(redis)
        }
        let run = try await stage.tiketi(["rollup", "run"])
        #expect(run.ending == .exited(0), "\(run.error)")
        try await oracle.read(pool)
        oracle.checkBeacons()
        try await oracle.checkSums(pool, redis)
    }

    /// The pipeline's own proofs, which read everything again.
    func prove() async throws {
        try await CrashProofs.check(stage, pool)
    }

    var summary: String {
        let totals = load.totals
        return """
            \(load.acknowledgedBeacons) beacons acknowledged, \(oracle.stored.counted) counted, \
            \(load.requestCount * load.beacons.perRequest) offered; \(oracle.stored.rawBeacons) stored with \
            \(oracle.stored.repeats) repeats; \(totals.attempts) requests, \(totals.refusals) refused, \
            \(totals.unreached) reached nobody, \(totals.unknown) of unknown fate, \(totals.givenUp) given up, \(totals.resent) sent again
            """
    }
}

extension CrashPoint {
    fileprivate var isInDrain: Bool { self == .drainBegun || self == .drainShipped }
}

extension RunningProgram {
    /// On which ingest listens; nil where it doesn't yet.
    fileprivate var port: Int? { CrashStage.port(in: error) }
}
