import ArgumentParser
import Core
import Foundation
import PaymentService
import Platform

struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compare a day of Seoul with Toss's list, and print each difference.",
        discussion: """
            A running service does the same by itself, once a day and again while there are differences. \
            PAYMENTS_DATABASE_URL says where our books are, TOSS_SECRET_KEY and TOSS_API_URL where Toss's are. \
            Exit code 1: there are differences; 75: Toss's list can't be had now.
            """)

    @Option(help: ArgumentHelp("Such as 2026-03-02.", valueName: "day"))
    var day: String

    @OptionGroup var environmentFile: EnvironmentFile

    func run() async throws {
        try await reportingFailure {
            guard let day = Day(day) else {
                ProcessSettings.standardError("tiketi: --day: must be a day such as 2026-03-02")
                throw ProcessSettings.wrongUsage
            }
            let (settings, logger) = try ProcessSettings.bootstrap(
                defaultLogFormat: .text, environmentFile: environmentFile)
            let books = DayReconciliation(
                database: try settings.database("PAYMENTS_DATABASE_URL"),
                tossSecretKey: try settings.require("TOSS_SECRET_KEY"), tossURL: try settings.tossURL(),
                clock: ProcessSettings.clock, logger: logger)
            let differences: [String]
            do {
                differences = try await books.run(day)
            } catch is DayReconciliation.TossUnavailable {
                await books.shutdown()
                ProcessSettings.standardError("tiketi: Toss's list can't be had: try again later")
                throw ProcessSettings.tryAgain
            } catch {
                await books.shutdown()
                throw error
            }
            await books.shutdown()
            for difference in differences { print(difference) }
            guard differences.isEmpty else { throw ExitCode.failure }
            print("no differences")
        }
    }
}

extension Settings {
    /// `TOSS_API_URL`
    func tossURL() throws -> URL {
        try webURL("TOSS_API_URL") ?? URL(string: "https://api.tosspayments.com")!
    }
}
