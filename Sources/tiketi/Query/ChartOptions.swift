import ArgumentParser
import Query

/// What questions have whose rows can be drawn beside each other: numbers of one kind.
struct ChartOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Draw the first number instead: \(ChartText.Kind.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "kind"))
    var chart: ChartText.Kind?

    @OptionGroup var answers: AnswerOptions

    func validate() throws {
        if chart != nil && answers.query.format != .table {
            throw ValidationError("--chart draws, so it goes without --format.")
        }
    }

    func print(_ ask: (QueryEngine) async throws -> any Answer) async throws {
        try await answers.print(chart: chart, ask)
    }
}

extension ChartText.Kind: ExpressibleByArgument {}
