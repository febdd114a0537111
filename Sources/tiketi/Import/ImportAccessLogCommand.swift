import ArgumentParser
import Core
import Foundation
import Logging
import Platform
import Rollup
import Storage

struct ImportAccessLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-log",
        abstract: "Count the page views in a web server's log.",
        discussion: """
            The log is in the combined format of Apache and nginx, plain or gzip. A request counts where its path, as \
            it stands in the log with its query, matches a pattern; the pattern's last group is the artist's or \
            event's id. A GET answered with 200 or 304 is a page view; anything else is left out. A \
            visitor is an address and a user agent, kept as a hash.

            Each page view counts once: importing the same log again, or the same log grown longer, adds what is new. \
            The database is ANALYTICS_DATABASE_URL's; its rollups are up to date when this ends.
            """)

    @Argument(help: "The log; - for standard input.")
    var file: String

    @Option(help: "A regular expression whose last group is the artist's id.")
    var artistPattern: String

    @Option(help: "A regular expression whose last group is the event's id.")
    var eventPattern: String?

    @OptionGroup var environmentFile: EnvironmentFile

    func validate() throws {
        for (option, pattern) in [("--artist-pattern", artistPattern), ("--event-pattern", eventPattern)] {
            guard let pattern else { continue }
            do throws(IdPattern.Invalid) { _ = try IdPattern(pattern) } catch {
                throw ValidationError("\(option): \(error)")
            }
        }
    }

    func run() async throws {
        try await reportingFailure {
            let (settings, logger) = try ProcessSettings.bootstrap(
                defaultLogFormat: .text, environmentFile: environmentFile)
            let configuration = try settings.analyticsDatabase(applicationName: "tiketi import")
            let calendar = try settings.reportingCalendar()
            let zone = try StoredTimeZone(settings)
            // One imports and folds, the other looks how far that is.
            let pool = PostgresPool(configuration, connections: 2, logger: logger)
            do {
                guard try await pool.withConnection({ try zone.claim(on: $0) }) else {
                    throw RollupCommand.NotMigrated()
                }
                try await run(calendar, pool, logger)
            } catch {
                await pool.shutdown()
                throw error
            }
            await pool.shutdown()
        }
    }

    private func run(_ calendar: ReportingCalendar, _ pool: PostgresPool, _ logger: Logger) async throws {
        let work = AccessLogImport(
            path: file, artistPattern: artistPattern, eventPattern: eventPattern, receivedAt: ProcessSettings.clock())
        let summary = try await pool.withConnection { connection in
            var bar = ProgressBar("import", unit: .bytes)
            defer { bar.finish() }
            return try work.run(on: connection) { read, size, beacons in
                bar.update(read, of: size, note: "\(grouped(beacons)) beacons")
            }
        }
        // Without Redis: its counters are of the last days, and the rollup that serves them heals them anyway.
        let rollup = Rollup(
            postgres: pool, redis: nil, calendar: calendar, clock: ProcessSettings.clock,
            metrics: RollupMetrics(Metrics()), logger: logger)
        let isFolded = try await fold(summary, with: rollup, pool: pool)
        let repeats = try await ImportedBatches.repeats(in: summary.stored, pool: pool)
        print(report(summary, repeats: repeats), terminator: "")
        guard isFolded else {
            ProcessSettings.standardError("tiketi: stored, but another rollup still folds it: look again later")
            throw ProcessSettings.tryAgain
        }
    }

    private func fold(
        _ summary: AccessLogImport.Summary, with rollup: Rollup, pool: PostgresPool
    ) async throws -> Bool {
        let bar = SharedProgressBar("fold", unit: .count("batches"))
        defer { bar.finish() }
        let total = max(summary.stored.count, try await ImportedBatches.pending(pool))
        return try await ImportedBatches.fold(with: rollup, pool: pool) { pending in
            bar.update(Int64(total - min(total, pending)), of: Int64(total))
        }
    }

    func report(_ summary: AccessLogImport.Summary, repeats: Int) -> String {
        let counted = summary.storedBeacons - repeats
        var text = """
            \(grouped(summary.lines)) lines, \(grouped(summary.beacons)) page views
            \(grouped(counted)) counted, \(grouped(summary.beacons - counted)) counted before

            """
        guard summary.badLines > 0 else { return text }
        text += "\(grouped(summary.badLines)) bad line\(summary.badLines == 1 ? "" : "s") left out"
        let shown = summary.firstBadLines
        text += shown.count < summary.badLines ? ", the first \(shown.count):\n" : ":\n"
        for line in shown { text += "  line \(grouped(line.number)): \(line.reason): \(line.text)\n" }
        return text
    }
}
