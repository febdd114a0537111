import ArgumentParser
import Query

struct DashboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard", abstract: "Today and the last thirty days at a glance.")

    @OptionGroup var options: AnswerOptions

    func run() async throws {
        try await options.print { engine in try await engine.dashboard() }
    }
}
