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

        #expect(load.defects.isEmpty, "\(load.defects.prefix(3))")
        let stored = try await pool.withConnection { try StoredBeacons(load, on: $0) }
        checkBeacons(load, stored)
        checkFreshness(load, stored, watch.taken)
        try await checkSums(load, stored, pool, redis)
        try await checkRevenue(payments, pool)
        try await checkProofs(stage, pool)
        let totals = load.totals
        print(
            "crash test: \(load.acknowledgedBeacons) acknowledged, \(stored.counted) counted, "
                + "\(scale.requests * CrashScale.beaconsPerRequest) offered; \(stored.rawBeacons) stored with "
                + "\(stored.repeats) repeats; \(totals.attempts) requests, \(totals.refusals) refused, "
                + "\(totals.unknown) of unknown fate, \(totals.givenUp) given up, \(totals.resent) sent again; "
                + "\(watch.taken.count) looks at the freshness")
        await redis.shutdown()
        await pool.shutdown()
    }

    private static func count(_ table: String, _ pool: PostgresPool) async throws -> Int {
        try await pool.withConnection { try $0.query("SELECT count(*) FROM \(unescaped: table)")[0].get(0) }
    }

    /// Acknowledged ⊆ counted ⊆ offered, each once.
    private func checkBeacons(_ load: BeaconLoad, _ stored: StoredBeacons) {
        #expect(stored.defects.isEmpty, "\(stored.defects.prefix(3))")
        #expect(stored.unfoldedBatches == 0)
        let lost = stored.lost(of: load)
        var doubled: [String] = []
        var invented: [String] = []
        for (request, knowledge) in load.knowledge.enumerated() {
            for row in 0..<CrashScale.beaconsPerRequest {
                let count = stored.counts[request * CrashScale.beaconsPerRequest + row]
                if count > 1 { doubled.append(load.beacons.messageId(request, row)) }
                if count > 0, knowledge == .notOffered { invented.append(load.beacons.messageId(request, row)) }
            }
        }
        #expect(lost.isEmpty, "\(lost.count) acknowledged beacons lost, such as \(lost.prefix(3))")
        #expect(doubled.isEmpty, "\(doubled.count) beacons counted twice, such as \(doubled.prefix(3))")
        #expect(invented.isEmpty, "\(invented.count) beacons counted and never offered: \(invented.prefix(3))")
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

    /// Hours, days, months and Redis counters are what the counted beacons add up to.
    private func checkSums(
        _ load: BeaconLoad, _ stored: StoredBeacons, _ pool: PostgresPool, _ redis: RedisPool
    ) async throws {
        let expected = ExpectedSums(stored, load, calendar: .seoul)
        let sums = try await pool.withConnection { try ExpectedSums.stored(on: $0) }
        let wrong = Set(sums.keys).union(expected.sums.keys).filter { sums[$0] != expected.sums[$0] }
        #expect(
            wrong.isEmpty,
            """
            \(wrong.count) wrong buckets, such as \(wrong.prefix(3).map {
                "\($0): \(sums[$0].map { "\($0)" } ?? "none") for \(expected.sums[$0].map { "\($0)" } ?? "none")"
            })
            """)
        let oldest = ReportingCalendar.seoul.day(of: BeaconLoad.now()) - CounterKey.daysKept
        let counters = try await redis.withConnection { connection in
            let names = try connection.command(["KEYS", "*:views:????????"]).array?.compactMap(\.string) ?? []
            var counters: [String: Int64] = [:]
            for name in names { counters[name] = try connection.command(["GET", .init(name)]).int }
            return counters
        }
        // Those of days that are over expire.
        let due = expected.counters.filter { $0.key.suffix(8) >= oldest.compact }
        #expect(counters == due)
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

    /// `verify` finds nothing, and `rebuild` changes nothing.
    private func checkProofs(_ stage: CrashStage, _ pool: PostgresPool) async throws {
        let verify = try await stage.tiketi(["rollup", "verify"])
        #expect(verify.ending == .exited(0))
        #expect(verify.output == "" && verify.error == "", "\(verify.output)\(verify.error)")
        let before = try await Self.digests(pool)
        let rebuild = try await stage.tiketi(["rollup", "rebuild"])
        #expect(rebuild.ending == .exited(0), "\(rebuild.error)")
        #expect(rebuild.output.hasSuffix("; 0 hourly rows changed\n"), "\(rebuild.output)")
        #expect(try await Self.digests(pool) == before)
    }

    private static func digests(_ pool: PostgresPool) async throws -> [String: String] {
        try await pool.withConnection { connection in
            var digests: [String: String] = [:]
            for family in ["artist_traffic", "event_traffic", "site_traffic", "revenue"] {
                for grain in ["hourly", "daily", "monthly"] {
                    let table = "\(family)_\(grain)"
                    digests[table] = try connection.query(
                        """
                        SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), ''))
                        FROM \(unescaped: table) t
                        """)[0].get(0)
                }
            }
            return digests
        }
    }
}
