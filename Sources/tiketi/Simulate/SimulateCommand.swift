import ArgumentParser
import AsyncHTTPClient
import Core
import Foundation
import Logging
import NIOCore
import Platform
import Storage

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Drive demo traffic and bookings through the public HTTP API.",
        discussion: """
            Visitors look at artists, events and seats, as many as the rate asks for; some book and some give back. \
            Beacons go to /api/analytics/track. Bookings go to the message stream where REDIS_URL names one that \
            answers. The same seed makes the same people; each run adds its own beacons.
            """)

    @Option(help: "Where the service answers.")
    var url = "http://127.0.0.1:8080"

    @Option(help: "Beacons a second.")
    var rate = 200.0

    @Option(help: "How long, such as 90s, 15m or 2h; without it, until Ctrl-C.")
    var duration: SpanOption?

    @Option(help: "Artists in the demo catalogue.")
    var artists = 40

    @Option(help: "Beacons in one request.")
    var batch = 5

    @Option(help: "Where chance begins.")
    var seed: UInt64 = 1

    @OptionGroup var environmentFile: EnvironmentFile

    func validate() throws {
        guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host?.isEmpty == false
        else {
            throw ValidationError("--url takes an address such as http://127.0.0.1:8080")
        }
        guard rate > 0, rate <= Simulation.maxRate else {
            throw ValidationError("--rate takes a number above 0, up to \(Int(Simulation.maxRate))")
        }
        guard (1...DemoCatalogue.maxArtists).contains(artists) else {
            throw ValidationError("--artists takes a number from 1 to \(DemoCatalogue.maxArtists)")
        }
        guard (1...Simulation.maxBatch).contains(batch) else {
            throw ValidationError("--batch takes a number from 1 to \(Simulation.maxBatch)")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let (settings, logger) = try ProcessSettings.bootstrap(
                defaultLogFormat: .text, environmentFile: environmentFile)
            var configuration = HTTPClient.Configuration()
            configuration.timeout.connect = .seconds(3)
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Simulation.maxRequests
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                try await run(http, try await openBus(settings, logger))
            } catch {
                try await http.shutdown()
                throw error
            }
            try await http.shutdown()
        }
    }

    private func run(_ http: HTTPClient, _ redis: RedisPool?) async throws {
        let client = TrackClient(client: http, url: url.hasSuffix("/") ? String(url.dropLast()) : url)
        do {
            try await client.checkAlive()
        } catch {
            ProcessSettings.standardError("tiketi: nothing answers at \(url) (\(error)): start it with `tiketi dev`")
            throw ProcessSettings.tryAgain
        }
        let settings = Simulation.Settings(
            rate: rate, duration: duration?.duration, artists: artists, seed: seed, batch: batch)
        let simulation = Simulation(settings: settings, client: client, redis: redis)
        let report = try await StopSignal.withSignals { try await Self.show(simulation, $0) }
        await redis?.shutdown()
        try summarise(report)
    }

    private static func show(_ simulation: Simulation, _ stop: StopSignal) async throws -> Simulation.Report {
        var bar = ProgressBar("simulate", unit: .count("beacons"))
        let settings = simulation.settings
        let total = settings.duration.map { Int64($0.inSeconds * settings.rate) }
        let report = try await simulation.run(until: stop) { report in
            let trouble = report.outcome.failed + report.outcome.rejected
            bar.update(Int64(report.sent), of: total, note: trouble > 0 ? "\(trouble) not taken" : "")
        }
        bar.finish()
        return report
    }

    /// The message stream, where there is one to reach; simulating beacons alone is well worth it too.
    private func openBus(_ settings: Settings, _ logger: Logger) async throws -> RedisPool? {
        guard try settings.string("REDIS_URL") != nil else { return nil }
        var logger = logger
        // What fails is said below, in one line.
        logger.logLevel = .error
        let pool = RedisPool(try settings.redis(), connections: 1, logger: logger)
        do {
            _ = try await pool.withConnection { try $0.command(["PING"]) }
            return pool
        } catch {
            ProcessSettings.standardError("tiketi: no bookings, since Redis does not answer: \(error)")
            await pool.shutdown()
            return nil
        }
    }

    private func summarise(_ report: Simulation.Report) throws {
        let outcome = report.outcome
        let rate = Int(Double(report.sent) / max(0.001, report.seconds))
        print(
            "\(report.sent) beacons in \(Int(report.seconds.rounded())) s (\(rate)/s): \(outcome.accepted) accepted, "
                + "\(outcome.rejected) rejected, \(outcome.failed) failed, \(outcome.retries) requests repeated")
        if report.messages > 0 { print("\(report.messages) messages published") }
        if let failure = outcome.failure {
            ProcessSettings.standardError("tiketi: the last trouble was: \(failure)")
        }
        if outcome.failed > 0 || outcome.rejected > 0 { throw ExitCode.failure }
    }
}
