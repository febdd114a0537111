import ArgumentParser
import Core
import Foundation
import Logging
import Platform
import Query
import Rollup
import ServiceLifecycle
import Storage
import UnixSignals

struct RollupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollup", abstract: "Turn stored beacons and messages into hours, days and months.",
        subcommands: [Run.self, RebuildRange.self, VerifyRange.self, MakePartitions.self])

    /// Days for which raw batches are kept unless RAW_RETENTION_DAYS says otherwise: as long as beacons are accepted.
    static let defaultRetentionDays = 400

    /// Runs `body` with a rollup over the servers in the environment, whose days are those of the settings.
    ///
    /// - Parameters:
    ///   - readsOnly: for what counts nothing, so that it doesn't settle whose days they are.
    ///   - waits: for what goes on until it is stopped, also where Postgres is away, and compares by itself.
    static func withRollup(
        _ environmentFile: EnvironmentFile, connections: Int = 2, readsOnly: Bool = false, waits: Bool = false,
        _ body: (Rollup, Settings) async throws -> Void
    ) async throws {
        try await reportingFailure {
            let (settings, logger) = try ProcessSettings.bootstrap(
                defaultLogFormat: .text, environmentFile: environmentFile)
            let database = try settings.analyticsDatabase(applicationName: "tiketi rollup")
            let redis = try settings.string("REDIS_URL") == nil ? nil : try settings.redis()
            let calendar = try settings.reportingCalendar()
            let zone = try StoredTimeZone(settings)
            let postgres = PostgresPool(database, connections: connections, logger: logger)
            let counters = redis.map { RedisPool($0, connections: 1, logger: logger) }
            let rollup = Rollup(
                postgres: postgres, redis: counters, calendar: calendar, clock: ProcessSettings.clock,
                metrics: RollupMetrics(Metrics()), logger: logger)
            do {
                if !waits {
                    try await postgres.withConnection { connection in
                        if readsOnly {
                            try zone.check(on: connection)
                        } else if try !zone.claim(on: connection) {
                            throw NotMigrated()
                        }
                    }
                }
                try await body(rollup, settings)
            } catch {
                await counters?.shutdown()
                await postgres.shutdown()
                throw error
            }
            await counters?.shutdown()
            await postgres.shutdown()
        }
    }

    /// What this program counts into is not all there.
    struct NotMigrated: Error, CustomStringConvertible {
        var description: String { "the analytics database is of an earlier version: run 'tiketi migrate' first" }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fold what is pending, derive days and months, heal the counters in Redis.",
            discussion:
                "Safe beside other runs. Without --follow it ends when nothing is left to do, as a CronJob does.")

        @Flag(help: "Go on until stopped.")
        var follow = false

        @OptionGroup var environmentFile: EnvironmentFile

        func run() async throws {
            try await RollupCommand.withRollup(environmentFile, waits: follow) { rollup, settings in
                if follow {
                    let group = ServiceGroup(
                        configuration: .init(
                            services: [
                                .init(
                                    service: RollupService(
                                        rollup: rollup, zone: try StoredTimeZone(settings),
                                        logger: .init(label: "tiketi.rollup")))
                            ],
                            gracefulShutdownSignals: [.sigterm, .sigint], logger: .init(label: "tiketi.rollup")))
                    try await group.run()
                } else {
                    let result = try await rollup.run()
                    print(
                        "folded \(result.beacons) beacons in \(result.batches) batches, \(result.repeats) repeats; "
                            + "derived \(result.derived) buckets")
                    guard result.damaged == 0 else {
                        ProcessSettings.standardError(
                            "tiketi: \(result.damaged) batches are set aside and not counted: "
                                + "'tiketi rollup verify' names them")
                        throw ExitCode.failure
                    }
                }
            }
        }
    }

    struct RebuildRange: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild", abstract: "Count raw batches again and replace what differs, atomically.")

        @OptionGroup var range: DayRange
        @OptionGroup var environmentFile: EnvironmentFile

        func run() async throws {
            try await RollupCommand.withRollup(environmentFile) { rollup, settings in
                let days = try await range.resolve(settings)
                let result = try await rollup.rebuild(days)
                if result.retriedBatches > 0 {
                    print("\(result.retriedBatches) damaged batches can be read again: the next run folds them")
                }
                if result.forgottenBatches > 0 {
                    print("\(result.forgottenBatches) batches were in no ledger: the next run folds them")
                }
                if result.mendedHeaders > 0 {
                    print(
                        "\(result.mendedHeaders) rows of raw batches said otherwise than their blocks, and are mended")
                }
                guard let rebuilt = result.days else {
                    print("nothing is stored")
                    return
                }
                print(
                    "rebuilt \(rebuilt.lowerBound) to \(rebuilt.upperBound) from \(result.beacons) beacons; "
                        + "\(result.changedHours) hourly rows changed")
            }
        }
    }

    struct VerifyRange: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Compare raw, hours, days and months; name each bucket that disagrees.",
            discussion: """
                Silent where all was compared and agrees. Exits with 1 where something does not. What could not be compared, \
                as buckets that wait to be derived, is said on standard error. With --from or --to two things are taken as \
                they are stored beside these days: where sessions begin and end that reach across an edge, and which \
                beacons without a time of their own, received before, are repeats. With --incremental a day that was \
                proven so before is not proven again where all that its proof rested on is byte by byte as it was, which \
                Postgres tells by digests; what changed, and what came since, is proven and remembered. With --payments the payments database \
                (PAYMENTS_DATABASE_URL) is compared instead: each payment and refund with the revenue ledger, and what \
                they add up to with the revenue of hours, days and months.
                """)

        @OptionGroup var range: DayRange
        @OptionGroup var environmentFile: EnvironmentFile

        @Flag(help: "Compare the payments database with the ledger and the revenue tables.")
        var payments = false

        @Flag(help: "Pass over days that were proven before, of which nothing has changed since.")
        var incremental = false

        @Flag(help: "Say how much was compared, also where all agree.")
        var verbose = false

        /// Days are proven side by side, each on a connection and a core.
        static let maxConnections = 8

        func run() async throws {
            if payments {
                return try await RollupCommand.verifyPayments(environmentFile, range, isVerbose: verbose)
            }
            let cores = min(ProcessInfo.processInfo.activeProcessorCount, Self.maxConnections)
            try await RollupCommand.withRollup(
                environmentFile, connections: cores, readsOnly: true
            ) { rollup, settings in
                let report = try await rollup.verify(
                    try await range.resolve(settings), isIncremental: incremental, helpers: cores - 1)
                for finding in report.findings { print(TableText.sanitized("\(finding)")) }
                if report.findings.count == Verify.maxFindings { print("… and possibly more") }
                if report.dirty > 0 {
                    ProcessSettings.standardError(
                        "tiketi: \(report.dirty) buckets wait to be derived and were not compared")
                }
                if let days = report.withoutRaw {
                    // The first day of all is nobody's.
                    let which = range.from == nil ? "up to" : "\(days.lowerBound) to"
                    ProcessSettings.standardError(
                        "tiketi: raw batches are gone, and days \(which) \(days.upperBound) were not compared with them"
                    )
                }
                if let reason = report.notRemembered {
                    ProcessSettings.standardError(
                        "tiketi: what was proven could not be remembered and is proven again the next time: \(reason)")
                }
                for mark in report.waitingForLong {
                    ProcessSettings.standardError("tiketi: waits for more than an hour: \(mark)")
                }
                if verbose {
                    let days = report.days.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "no days"
                    print("compared \(days), \(report.beacons) raw beacons; \(report.dirty) buckets wait to be derived")
                    if report.known > 0 {
                        print("\(report.known) days were proven before, and nothing of them has changed")
                    }
                    for doubt in report.doubts { print("not proven, so counted exactly: \(doubt)") }
                }
                if !report.findings.isEmpty { throw ExitCode.failure }
            }
        }
    }

    struct MakePartitions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "partitions",
            abstract: "Make coming partitions of the raw batches, drop what is past retention, merge small batches.",
            discussion: """
                RAW_RETENTION_DAYS says how long raw batches are kept (\(RollupCommand.defaultRetentionDays)), \
                HOURLY_RETENTION_MONTHS how long hours are (\(HourlyRetention.defaultMonths)). Days and months stay.
                """)

        @OptionGroup var environmentFile: EnvironmentFile

        func run() async throws {
            try await RollupCommand.withRollup(environmentFile) { rollup, settings in
                let keepDays = try settings.int(
                    "RAW_RETENTION_DAYS", default: RollupCommand.defaultRetentionDays, in: 1...10_000)
                let keepMonths = try settings.int(
                    "HOURLY_RETENTION_MONTHS", default: HourlyRetention.defaultMonths,
                    in: HourlyRetention.minMonths...HourlyRetention.maxMonths)
                let result = try await rollup.partitions(keepDays: keepDays)
                for day in result.made { print("made \(day)") }
                for day in result.dropped { print("dropped \(day)") }
                for day in result.kept { print("kept \(day): not all of it is counted yet") }
                let hours = try await rollup.pruneHours(keepMonths: keepMonths)
                for day in hours.pruned { print("dropped the hours of \(day)") }
                for day in hours.kept { print("kept the hours of \(day): they and the day don't agree yet") }
                let sessions = try await rollup.forgetSessions()
                if sessions > 0 { print("forgot \(sessions) sessions") }
                let compacted = try await rollup.compact()
                if compacted.merged > 0 { print("merged \(compacted.batches) batches into \(compacted.merged)") }
            }
        }
    }
}

/// `--from` and `--to`, reporting days, inclusive; neither means everything.
struct DayRange: ParsableArguments {
    @Option(help: "First reporting day, as in 2025-12-01.")
    var from: Day?

    @Option(help: "Last reporting day.")
    var to: Day?

    func validate() throws {
        if let from, let to, from > to { throw ValidationError("--from must not be after --to") }
    }

    /// One bound alone reaches to today, or back to the first day that beacons can have.
    func resolve(_ settings: Settings) async throws -> ClosedRange<Day>? {
        if from == nil && to == nil { return nil }
        let calendar = try settings.reportingCalendar()
        let today = calendar.day(of: ProcessSettings.clock())
        let first = from ?? Day("1970-01-01")!
        let last = to ?? max(today, first)
        return first...last
    }
}

extension Day: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}
