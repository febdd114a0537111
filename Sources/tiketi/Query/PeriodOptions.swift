import ArgumentParser

/// The "when" of a question.
struct PeriodOptions: ParsableArguments {
    @Option(help: ArgumentHelp("First day, such as 2025-12-01; 30 days before --to unless given.", valueName: "day"))
    var from: String?

    @Option(help: ArgumentHelp("Last day, inclusive; today unless given.", valueName: "day"))
    var to: String?

    @Option(
        help: ArgumentHelp(
            "Days of another zone, such as Europe/Berlin; its offset must be whole hours.", valueName: "zone"))
    var timezone: String?

    var parameters: [(name: String, value: String)] {
        [("startDate", from), ("endDate", to), ("timezone", timezone)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }
}

extension [(name: String, value: String)] {
    /// Options under the names that the API gives them.
    func adding(_ options: [(name: String, value: String?)]) -> Self {
        self + options.compactMap { option in option.value.map { (option.name, $0) } }
    }
}
