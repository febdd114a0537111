import ArgumentParser
import Core
import Platform
import Query
import Storage

/// What questions have whose answer is found as a whole.
struct AnswerOptions: ParsableArguments {
    @OptionGroup var query: QueryOptions

    @Flag(help: "Say on standard error which tables answered, and how fresh they are.")
    var explain = false

    @Option(help: ArgumentHelp("Ask again every so many seconds, until Ctrl-C.", valueName: "seconds"))
    var watch: Int?

    static let maxWatch = 86_400

    func validate() throws {
        if explain && watch != nil { throw ValidationError("--explain says it once, so it goes without --watch.") }
        if let watch, !(1...Self.maxWatch).contains(watch) {
            throw ValidationError("--watch must be 1 to \(Self.maxWatch) seconds.")
        }
    }

    /// - Parameter chart: drawn instead of what the format says.
    func print(chart: ChartText.Kind? = nil, _ ask: (QueryEngine) async throws -> any Answer) async throws {
        func text(_ answer: any Answer) -> String {
            guard let chart else { return query.format.render(answer, isStyled: query.isStyled) }
            return ChartText.render(answer.sheet, chart, width: Terminal.columns)
        }
        try await query.withEngine { engine in
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
}
