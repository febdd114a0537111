import ArgumentParser
import Platform
import Query

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Raw beacons, as the rollups count them: folded ones, repeats left out.",
        discussion: "csv, ndjson and json are streamed in constant memory; a table shows the first thousand.")

    @Option(help: ArgumentHelp("Of this artist.", valueName: "id"))
    var artist: String?

    @Option(help: ArgumentHelp("Of this event.", valueName: "id"))
    var event: String?

    @Option(help: "How many at most.")
    var limit: String?

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: QueryOptions

    func run() async throws {
        try await options.withEngine { engine in
            let parameters = try QueryParameters(
                period.parameters.adding([("artistId", artist), ("eventId", event), ("limit", limit)]),
                known: EventsQuestion.parameterNames)
            try await engine.events(EventsQuestion(parameters), format: options.format, isStyled: options.isStyled) {
                bytes in
                // Blocks while nobody reads; nothing else goes on in this process.
                try StandardOutput.write(bytes)
            }
        }
    }
}
