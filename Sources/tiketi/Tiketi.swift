import ArgumentParser

@main
struct Tiketi: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tiketi",
        abstract: "Concert ticketing and its analytics: beacons in, dashboard numbers out.",
        subcommands: [
            DevCommand.self, ServeCommand.self, MigrateCommand.self, RollupCommand.self, QueryCommand.self,
            EraseCommand.self, ImportCommand.self, SimulateCommand.self, TokenCommand.self, PaymentsCommand.self,
            TossSandboxCommand.self, BenchCommand.self,
        ])
}
