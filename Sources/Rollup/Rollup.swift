package import Core
package import Logging
import Platform
package import Storage

/// Runs the rollup: once, as a CronJob does, or for as long as it is let.
package struct Rollup: Sendable {
    let postgres: PostgresPool
    let redis: RedisPool?
    let calendar: ReportingCalendar
    let clock: @Sendable () -> Int64
    let logger: Logger
    let metrics: RollupMetrics

    package init(
        postgres: PostgresPool, redis: RedisPool?, calendar: ReportingCalendar,
        clock: @escaping @Sendable () -> Int64, metrics: RollupMetrics, logger: Logger
    ) {
        self.postgres = postgres
        self.redis = redis
        self.calendar = calendar
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    package struct Result: Sendable, Equatable {
        package var batches = 0
        package var beacons = 0
        package var repeats = 0
        package var derived = 0
        /// Batches set aside because they could not be folded.
        package var damaged = 0
    }

    /// Folds what is pending, derives what is dirty, and heals the counters.
    ///
    /// As many batches as are pending when it begins: it ends also where more keep coming. Safe beside other runners:
    /// what they hold is left to them.
    package func run() async throws -> Result {
        var result = Result()
        let pending = try await postgres.withConnection { connection in
            try connection.query("SELECT count(*) FROM rollup_pending")[0].get(0, as: Int.self)
        }
        while result.batches + result.damaged < pending {
            let folded = try await fold()
            if folded.isEmpty { break }
            result.batches += folded.batches
            result.beacons += folded.beacons
            result.repeats += folded.repeats
            result.damaged += folded.damaged.count
        }
        // What can't be derived stops nothing else.
        var undecodable: UndecodableRow?
        do { result.derived = try await deriveAll() } catch let row as UndecodableRow { undecodable = row }
        var withoutDetails: (any Error)?
        do { try await deriveDetails() } catch { withoutDetails = error }
        try await heal()
        try await forgetStamped()
        if let error = undecodable ?? withoutDetails { throw error }
        return result
    }

    /// How long `follow` waits when nothing was pending.
    static let idleMs: Int64 = 100
    /// How often `follow` derives days and months: queries read dirty buckets from the hours meanwhile, and today is
    /// dirty again at once.
    static let deriveEveryMs: Int64 = 60_000
    static let healEveryMs: Int64 = 20_000
    /// Where a fold found repeats, which the counters have counted, they are healed sooner, but not more often.
    static let minHealMs: Int64 = 2000
    static let retryMs: ClosedRange<Int64> = 100...5000

    /// Runs until the task is cancelled; what fails is tried again.
    package func follow() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await followDetails() }
            await followFolds()
            group.cancelAll()
        }
    }

    private func followFolds() async {
        var lastDerived: Int64 = 0
        var lastHealed: Int64 = 0
        var owesHealing = false
        var upkeep = Upkeep()
        var delayMs = Self.retryMs.lowerBound
        while !Task.isCancelled {
            do {
                let folded = try await fold()
                let now = clock()
                if folded.repeats > 0 { owesHealing = true }
                if now - lastHealed >= (owesHealing ? Self.minHealMs : Self.healEveryMs) {
                    lastHealed = now
                    owesHealing = false
                    try await heal()
                    try await forgetStamped()
                }
                if now - lastDerived >= Self.deriveEveryMs {
                    // Also where that fails: folding goes on.
                    lastDerived = now
                    _ = try await deriveAll()
                }
                let isBusy = try await keepUp(&upkeep)
                delayMs = Self.retryMs.lowerBound
                if folded.isEmpty, !isBusy { try await Task.sleep(for: .milliseconds(Self.idleMs)) }
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                metrics.failures.increment()
                logger.warning("rollup step failed; trying again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(delayMs))
                delayMs = min(delayMs * 2, Self.retryMs.upperBound)
            }
        }
    }

    private func fold() async throws -> FoldTransaction.Result {
        let folded = try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(Self.maxStatementTime) {
                try FoldTransaction.run(calendar: calendar, on: connection)
            }
        }
        metrics.batches.increment(by: folded.batches)
        metrics.beacons.increment(by: folded.beacons)
        metrics.repeats.increment(by: folded.repeats)
        metrics.damaged.increment(by: folded.damaged.count)
        for damaged in folded.damaged {
            logger.critical(
                "a stored batch can't be folded and was set aside: its beacons are not counted",
                metadata: ["batch": "\(damaged.key)", "reason": "\(damaged.reason)"])
        }
        return folded
    }

    /// A statement that adds hundreds of thousands of beacons may take longer than a request's.
    static let maxStatementTime = Duration.seconds(600)

    /// Derives what is dirty; what becomes dirty meanwhile may be left to the next time.
    ///
    /// Where a bucket has a part that can't be decoded, throws that once all the others are derived.
    package func deriveAll() async throws -> Int {
        var derived = 0
        var undecodable: UndecodableRow?
        while true {
            let (bookings, hours, days, months) = try await postgres.withConnection { [calendar] connection in
                try connection.withStatementTimeout(Self.maxStatementTime) {
                    (
                        try DeriveBookings.run(calendar: calendar, on: connection),
                        try DeriveRevenue.hours(calendar: calendar, on: connection),
                        try DeriveTraffic.days(calendar: calendar, on: connection),
                        try DeriveTraffic.months(calendar: calendar, on: connection)
                    )
                }
            }
            derived += bookings + hours + days.derived + months.derived
            undecodable = undecodable ?? days.undecodable.first ?? months.undecodable.first
            // Not until nothing is dirty: others may mark buckets faster than one run derives them.
            guard
                bookings == DeriveBookings.maxHours || hours == DeriveRevenue.maxHours || days.isCut || months.isCut
            else {
                if let undecodable { throw undecodable }
                return derived
            }
        }
    }

    /// Folds between attempts to heal, where too much was pending.
    static let maxFoldsToHeal = 4

    /// Sets the counters right; where too much is pending, folds some of that first.
    ///
    /// - Parameter counters: those that are set also where nothing is left to count.
    func heal(alsoZero counters: Set<ErasureEffect.CounterName> = []) async throws {
        guard let redis else { return }
        do {
            var folds = 0
            while true {
                if let healed = try await HealCounters.run(
                    calendar: calendar, now: clock(), alsoZero: counters, postgres: postgres, redis: redis)
                {
                    logger.debug("counters healed", metadata: ["result": "\(healed)"])
                    return
                }
                guard folds < Self.maxFoldsToHeal, try await !fold().isEmpty else { break }
                folds += 1
            }
            logger.notice("counters are not healed: too many beacons wait to be folded")
        } catch let error as RedisError {
            // The counters are a cache; the rollup is done without them.
            logger.warning("counters could not be healed", metadata: ["error": "\(error)"])
        }
    }

    /// Stamped ids older than two days before everything that may still arrive.
    private func forgetStamped() async throws {
        try await postgres.withConnection { connection in
            _ = try connection.execute(
                """
                DELETE FROM stamped_message_ids WHERE received_at < least(
                    now(), (SELECT min(shipped_through) FROM spool_positions),
                    (SELECT min(received_at) FROM rollup_pending),
                    (SELECT min(received_at) FROM damaged_batches)) - interval '2 days'
                """)
        }
    }

    package func rebuild(_ range: ClosedRange<Day>?) async throws -> Rebuild.Result {
        let result = try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(.zero) {
                try Rebuild.run(range, calendar: calendar, on: connection)
            }
        }
        _ = try await deriveAll()
        try await deriveDetails()
        return result
    }

    /// - Parameters:
    ///   - isIncremental: whether days that were proven so before, of which nothing has changed, need not be proven again;
    ///     writes down what is proven now.
    ///   - helpers: how many further connections prove days at the same time, where the pool has them to spare.
    package func verify(
        _ range: ClosedRange<Day>?, isIncremental: Bool = false, helpers: Int = 1
    ) async throws -> Verify.Report {
        let work = ProofWork(helpers: helpers)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<helpers {
                group.addTask { [postgres] in
                    // Only then: where the pool has one connection, it is for whom the others help.
                    for await _ in begun { break }
                    // Without help it takes longer; what fails in the middle of a day fails the verification.
                    try? await postgres.withConnection { connection in
                        try connection.withStatementTimeout(.zero) { try work.help(on: connection) }
                    }
                }
            }
            defer {
                begin.finish()
                work.close()
            }
            return try await postgres.withConnection { [calendar] connection in
                begin.finish()
                var report = try connection.withStatementTimeout(.zero) {
                    try Verify.run(
                        range, calendar: calendar, isIncremental: isIncremental, work: work, on: connection)
                }
                // What was found is worth more than what is remembered.
                do {
                    if !report.proven.isEmpty { try ProvenDays.remember(report.proven, on: connection) }
                } catch {
                    report.notRemembered = "\(error)"
                }
                return report
            }
        }
    }

    package func partitions(keepDays: Int) async throws -> Partitions.Result {
        let today = today
        return try await postgres.withConnection { [calendar] connection in
            // Detaching waits for every transaction that may still read the partition.
            try connection.withStatementTimeout(.zero) {
                try Partitions.run(today: today, keepDays: keepDays, calendar: calendar, on: connection)
            }
        }
    }
}
