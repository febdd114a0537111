import ArgumentParser

struct PaymentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payments", abstract: "What an operator asks of payments.", subcommands: [ReconcileCommand.self])
}
