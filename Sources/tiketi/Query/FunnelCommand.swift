import ArgumentParser
import Platform
import Query

struct FunnelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "funnel", abstract: "From looking at an event to paying for it, step by step.",
        discussion: """
            Examples:
              tiketi query funnel --event event_7
              tiketi query funnel --event event_7 --from 2025-12-01 --to 2025-12-07 --granularity weekly
            """)

    @Option(help: ArgumentHelp("Of this event.", valueName: "id"))
    var event: String

    @Option(
        help: "\(Granularity.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(Granularity.allCases.map(\.rawValue)))
    var granularity: String?

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: ChartOptions

    func run() async throws {
        try await options.print { engine in
            let parameters = try QueryParameters(
                period.parameters.adding([("granularity", granularity)]), known: FunnelQuestion.parameterNames)
            return try await engine.funnel(
                FunnelQuestion(eventID: QueryParameters.checkedIdentifier(event, "eventId"), parameters))
        }
    }
}
