import ArgumentParser
import Platform
import Query

struct TrafficCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traffic",
        abstract: "Page views, visitors and sessions of an artist, an event or the whole site.")

    @Option(help: ArgumentHelp("Of this artist.", valueName: "id"))
    var artist: String?

    @Option(help: ArgumentHelp("Of this event.", valueName: "id"))
    var event: String?

    @Option(
        help: "\(Granularity.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(Granularity.allCases.map(\.rawValue)))
    var granularity: String?

    @OptionGroup var period: PeriodOptions
    @Option(
        help:
            "Beside the total that of an earlier range: \(EarlierRange.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(EarlierRange.allCases.map(\.rawValue)))
    var compare: String?

    @OptionGroup var options: ChartOptions

    func validate() throws {
        if artist != nil && event != nil { throw ValidationError("Give --artist or --event, not both.") }
    }

    func run() async throws {
        try await options.print { engine in
            let parameters = try QueryParameters(
                period.parameters.adding([("granularity", granularity), ("compare", compare)]),
                known: TrafficQuestion.parameterNames)
            return try await engine.traffic(TrafficQuestion(subject: subject(), parameters))
        }
    }

    private func subject() throws -> TrafficSubject {
        if let artist { return .artist(try QueryParameters.checkedIdentifier(artist, "artistId")) }
        if let event { return .event(try QueryParameters.checkedIdentifier(event, "eventId")) }
        return .site
    }
}
