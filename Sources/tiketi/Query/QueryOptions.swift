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
            "Bold headings, and changes in green and red, in a table: auto (on a terminal, unless NO_COLOR is set), "
                + "always, never.", valueName: "when"))
    var color = Colour.auto

    @OptionGroup var environmentFile: EnvironmentFile

    enum Colour: String, CaseIterable, ExpressibleByArgument {
        case auto, always, never
    }

    var isStyled: Bool {
        switch color {
        case .always: true
        case .never: false
        case .auto: Terminal.outputIsTerminal && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
        }
    }

    /// Asks, with connections that are closed afterwards.
    func withEngine(_ body: (QueryEngine) async throws -> Void) async throws {
        try await reportingFailure {
            let settings = try environmentFile.settings()
            // What fails is said once, at the end.
            LogOutput.bootstrap(format: .text, level: try settings.choice("LOG_LEVEL", default: .error))
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
            } catch let error as PostgresError where error.kind == .unavailable {
                await engine.shutdown()
                ProcessSettings.standardError(
                    "tiketi: \(error); start it, or set ANALYTICS_DATABASE_URL to where it runs")
                throw ProcessSettings.tryAgain
            } catch {
                await engine.shutdown()
                throw error
            }
        }
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
