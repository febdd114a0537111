import Core
import Foundation
import Platform
import Storage
import TestSupport
import Testing

/// Goal: whatever is killed, whenever, every acknowledged beacon counts exactly once, everywhere.
///
/// Method: real processes on real servers, killed under load at seeded moments. Every beacon carries an id that tells
/// what it adds to every sum, so the raw batches say which beacons count, and a wrong sum convicts one of them.
@Suite(.serialized) struct CrashTests {
    @Test func sumsHoldUnderTrouble() async throws {
        let scale = CrashScale()
        var generator = SeededGenerator()
        let trouble = Trouble(scale, using: &generator)
        print(
            "crash test: \(generator), \(scale.rate) beacons/s for \(scale.seconds) s, killing "
                + trouble.blows.map(\.description).joined(separator: "; "))
        let seed = generator.seed
        try await CrashStage.with { stage in
            try await sumsHold(scale, trouble, stage, seed: seed)
        }
    }

    private func sumsHold(_ scale: CrashScale, _ trouble: Trouble, _ stage: CrashStage, seed: UInt64) async throws {
        let database = try PostgresConfiguration(url: stage.postgres.url(database: "analytics_db"))
        let pool = PostgresPool(database, connections: 2, logger: silentLogger)
        let redis = RedisPool(try RedisConfiguration(url: stage.redis.url()), connections: 1, logger: silentLogger)
        try stage.startRollup()
        let load = BeaconLoad(
            OfferedBeacons(seed: seed), requests: scale.requests, rate: scale.rate,
            port: try await stage.startIngest())
        let payments = PaymentMessages(redis, seed: seed, count: Int(scale.seconds * 20))
        let paidAt = BeaconLoad.now()
        let watch = FreshnessWatch(database)
        let watching = Task { try await watch.run() }

        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await load.run()
                print("crash test: offered and answered within \(ContinuousClock.now - began)")
            }
            group.addTask { try await trouble.happen(to: stage, under: load) }
            group.addTask { await payments.publish(occurredAt: paidAt, paced: true) }
            try await group.waitForAll()
        }
        // What Redis lost with its data nobody has confirmed: the outbox publishes it again, and what it did confirm
        // too where the confirmation was lost.
        await payments.publish(occurredAt: paidAt, paced: false)
        try await eventually {
            let stored = try await Self.count("revenue_ledger", pool)
            guard stored == payments.count else { throw NotYet(what: "\(stored) of \(payments.count) payments stored") }
        }
        #expect(await stage.drainIngest() == .exited(0))
        watch.end()
        try await watching.value
        try await eventually {
            let pending = try await Self.count("rollup_pending", pool)
            guard pending == 0 else { throw NotYet(what: "\(pending) batches pending") }
        }
        #expect(await stage.endRollup() == .exited(0))
        let run = try await stage.tiketi(["rollup", "run"])
        #expect(run.ending == .exited(0), "\(run.error)")

        var oracle = CrashOracle(load)
        try await oracle.read(pool)
        oracle.checkBeacons()
        let stored = oracle.stored
        checkFreshness(load, stored, watch.taken)
        try await oracle.checkSums(pool, redis)
        try await checkRevenue(payments, pool)
        try await CrashProofs.check(stage, pool)
        let totals = load.totals
        print(
            "crash test: \(load.acknowledgedBeacons) acknowledged, \(stored.counted) counted, "
                + "\(scale.requests * load.beacons.perRequest) offered; \(stored.rawBeacons) stored with "
                + "\(stored.repeats) repeats; \(totals.attempts) requests, \(totals.refusals) refused, "
                + "\(totals.unreached) reached nobody, \(totals.unknown) of unknown fate, \(totals.givenUp) given up, \(totals.resent) sent again; "
                + "\(watch.taken.count) looks at the freshness")
        await redis.shutdown()
        await pool.shutdown()
    }

    private static func count(_ table: String, _ pool: PostgresPool) async throws -> Int {
        try await pool.withConnection { try $0.query("SELECT count(*) FROM \(unescaped: table)")[0].get(0) }
    }

    /// Whenever the pipeline said "stored through", it was.
    private func checkFreshness(_ load: BeaconLoad, _ stored: StoredBeacons, _ samples: [FreshnessWatch.Sample]) {
        var acknowledged: [(at: Int64, request: Int)] = []
        for (request, knowledge) in load.knowledge.enumerated() {
            if case .acknowledged(let instant) = knowledge { acknowledged.append((instant, request)) }
        }
        acknowledged.sort { $0.at < $1.at }
        var overdue: [String] = []
        var position = 0
        // By node, the highest number among those acknowledged before the sample's instant.
        var needed: [String: Int64] = [:]
        for sample in samples.sorted(by: { $0.shippedThrough < $1.shippedThrough }) {
            while position < acknowledged.count, acknowledged[position].at < sample.shippedThrough {
                if let batch = stored.batches[acknowledged[position].request] {
                    needed[batch.node] = max(needed[batch.node] ?? 0, batch.lastSeq)
                }
                position += 1
            }
            for (node, lastSeq) in needed where lastSeq > sample.stored[node] ?? 0 {
                overdue.append(
                    "through \(Instant.iso8601(sample.shippedThrough)): \(sample.stored[node] ?? 0) of \(lastSeq)")
            }
        }
        #expect(overdue.isEmpty, "said to be stored and was not: \(overdue.count), such as \(overdue.prefix(3))")
    }

    private func checkRevenue(_ payments: PaymentMessages, _ pool: PostgresPool) async throws {
        let sums = try await pool.withConnection { connection in
            try ["revenue_ledger", "revenue_hourly", "revenue_daily", "revenue_monthly"].map { table in
                let column = table == "revenue_ledger" ? "amount" : "gross"
                return try connection.query(
                    "SELECT coalesce(sum(\(unescaped: column)), 0)::bigint FROM \(unescaped: table)")[0]
                    .get(0, as: Int64.self)
            }
        }
        #expect(sums == [Int64](repeating: payments.total, count: 4))
    }
}
