import ArgumentParser

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in what happened before Tiketi was there.",
        subcommands: [ImportAccessLogCommand.self])
}
