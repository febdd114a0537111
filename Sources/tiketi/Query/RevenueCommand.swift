import ArgumentParser
import Platform
import Query

struct RevenueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revenue", abstract: "Revenue, tickets and refunds in one currency.")

    @Option(
        name: [.long, .customLong("granularity")],
        help: "\(RevenueQuestion.granularities.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(RevenueQuestion.granularities.map(\.rawValue)))
    var period: String?

    @Option(help: "KRW unless given.")
    var currency: String?

    @Option(help: ArgumentHelp("Of this artist.", valueName: "id"))
    var artist: String?

    @OptionGroup var when: PeriodOptions
    @Option(
        help:
            "Beside the total that of an earlier range: \(EarlierRange.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(EarlierRange.allCases.map(\.rawValue)))
    var compare: String?

    @OptionGroup var options: ChartOptions

    func run() async throws {
        try await options.print { engine in
            let parameters = try QueryParameters(
                when.parameters.adding([
                    ("period", period), ("currency", currency), ("artistId", artist), ("compare", compare),
                ]),
                known: RevenueQuestion.parameterNames)
            return try await engine.revenue(RevenueQuestion(parameters))
        }
    }
}
