import ArgumentParser
import Platform
import Query

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Which artists, events, pages, referrers, countries or devices were most.",
        discussion: """
            Pages, referrers, countries and devices come from breakdowns, which keep the first values of a day, and from raw \
            beacons where those say more and are there still. Where a number is a lower bound, a line below the table says \
            so, and 'at most' how much it may be.

            Examples:
              tiketi query top --by path --artist iu --from 2025-01-01 --to 2025-12-31
              tiketi query top --by country --metric uniqueVisitors
            """)

    @Option(
        help: "\(TopQuestion.Dimension.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(TopQuestion.Dimension.allCases.map(\.rawValue)))
    var by = "artist"

    @Option(
        help: "\(TopQuestion.Metric.allCases.map(\.rawValue).joined(separator: ", ")).",
        completion: .list(TopQuestion.Metric.allCases.map(\.rawValue)))
    var metric: String?

    @Option(help: "How many, 1 to \(TopQuestion.maxLimit).")
    var limit: String?

    @Option(
        help: ArgumentHelp("Only beacons of this artist; for --by path, referrer, country, device.", valueName: "id"))
    var artist: String?

    @Option(help: "For --metric revenue; KRW unless given.")
    var currency: String?

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: ChartOptions

    func run() async throws {
        try await options.print { engine in
            let parameters = try QueryParameters(
                period.parameters.adding([
                    ("by", by), ("metric", metric), ("limit", limit), ("artistId", artist), ("currency", currency),
                ]),
                known: TopQuestion.parameterNames)
            return try await engine.top(TopQuestion(parameters))
        }
    }
}
