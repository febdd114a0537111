import ArgumentParser
import Core
import Foundation
import Logging
import Platform
import Query
import Storage

/// What every question on the command line has.
struct QueryOptions: ParsableArguments {
    @Option(help: "\(AnswerFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = AnswerFormat.table

    @Option(
        help: ArgumentHelp(
            "Draw the first number instead: \(ChartText.Kind.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "kind"))
    var chart: ChartText.Kind?

    @Flag(help: "Say on standard error which tables answered, and how fresh they are.")
    var explain = false

    @Option(help: ArgumentHelp("Ask again every so many seconds, until Ctrl-C.", valueName: "seconds"))
    var watch: Int?

    @OptionGroup var environmentFile: EnvironmentFile

    static let maxWatch = 86_400

    func validate() throws {
        if chart != nil && format != .table { throw ValidationError("--chart draws, so it goes without --format.") }
        if explain && watch != nil { throw ValidationError("--explain says it once, so it goes without --watch.") }
        if let watch, !(1...Self.maxWatch).contains(watch) {
            throw ValidationError("--watch must be 1 to \(Self.maxWatch) seconds.")
        }
    }

    /// Asks, with connections that are closed afterwards.
    func withEngine(_ body: (QueryEngine) async throws -> Void) async throws {
        try await reportingFailure {
            let settings = try environmentFile.settings()
            LogOutput.bootstrap(format: .text, level: try settings.choice("LOG_LEVEL", default: .warning))
            let zone = try StoredTimeZone(settings)
            let engine = QueryEngine(
                database: try settings.analyticsDatabase(applicationName: "tiketi query"),
                redis: try settings.string("REDIS_URL") == nil ? nil : try settings.redis(),
                calendar: try settings.reportingCalendar(), logger: Logger(label: "tiketi.query"))
            do {
                try await engine.check(zone)
                try await body(engine)
                await engine.shutdown()
            } catch let invalid as InvalidParameter {
                await engine.shutdown()
                ProcessSettings.standardError("tiketi: \(Self.inOptions(invalid.detail))")
                throw ProcessSettings.wrongUsage
            } catch {
                await engine.shutdown()
                throw error
            }
        }
    }

    func print(_ ask: (QueryEngine) async throws -> any Answer) async throws {
        try await withEngine { engine in
            guard let watch else {
                let answer = try await ask(engine)
                try StandardOutput.write(Array(text(answer).utf8))
                return explainIfAsked(answer)
            }
            try await StopSignal.withSignals { stop in
                while !stop.isRaised {
                    let text = text(try await ask(engine))
                    // Home, and what was there before goes.
                    let page = Terminal.outputIsTerminal ? "\u{1B}[H\u{1B}[2J" + text : text
                    try StandardOutput.write(Array(page.utf8))
                    let next = ContinuousClock.now + .seconds(watch)
                    while ContinuousClock.now < next, !stop.isRaised { try await Task.sleep(for: .milliseconds(50)) }
                }
            }
        }
    }

    private func explainIfAsked(_ answer: any Answer) {
        guard explain else { return }
        for line in answer.explanation.lines { ProcessSettings.standardError(line) }
        let age = max(ProcessSettings.clock() - answer.freshness.asOf, 0)
        let pending = answer.freshness.oldestPending.map { "; a batch received at \(Instant.iso8601($0)) waits" } ?? ""
        ProcessSettings.standardError(
            "as of \(Instant.iso8601(answer.freshness.asOf)), \(age / 1000).\(age / 100 % 10) s ago\(pending)")
    }

    private func text(_ answer: any Answer) -> String {
        guard let chart else { return format.render(answer) }
        return ChartText.render(answer.sheet, chart, width: Terminal.columns)
    }

    /// Says it in the names of the command line.
    static func inOptions(_ detail: String) -> String {
        var detail = detail
        for (parameter, option) in names { detail = detail.replacing(parameter, with: option) }
        return detail
    }

    private static let names = [
        ("startDate", "--from"), ("endDate", "--to"), ("artistId", "--artist"), ("eventId", "--event"),
        ("granularity must", "--granularity must"), ("period must", "--period must"), ("by must", "--by must"),
        ("by=", "--by "), ("metric must", "--metric must"), ("limit must", "--limit must"),
        ("timezone must", "--timezone must"), ("currency must", "--currency must"), ("compare must", "--compare must"),
    ]
}

extension AnswerFormat: ExpressibleByArgument {}
extension ChartText.Kind: ExpressibleByArgument {}
