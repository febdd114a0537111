import ArgumentParser
import Core
import Platform
import Query
import Rollup

extension RollupCommand {
    /// `rollup verify --payments`
    static func verifyPayments(_ environmentFile: EnvironmentFile, _ range: DayRange, isVerbose: Bool) async throws {
        try await withRollup(environmentFile, connections: 1, readsOnly: true) { rollup, settings in
            let payments = try settings.database("PAYMENTS_DATABASE_URL", applicationName: "tiketi rollup")
            let report = try await rollup.verifyPayments(
                try await range.resolve(settings), payments: payments, isDemonstration: DemoTraffic.isPayment)
            for finding in report.findings { print(TableText.sanitized("\(finding)")) }
            if report.findings.count == Verify.maxFindings { print("… and possibly more") }
            if report.onTheWay > 0 { print("on the way: \(report.onTheWay) messages of payments and refunds") }
            if isVerbose {
                print(
                    "compared \(report.payments) payments and \(report.refunds) refunds; \(report.newer) came meanwhile; "
                        + "\(report.demonstrated) of a demonstration are in no payments database; "
                        + "\(report.dirty) buckets wait to be derived")
            }
            if !report.findings.isEmpty { throw ExitCode.failure }
        }
    }
}

extension DemoTraffic {
    /// Whether the payment is of the demonstration that `tiketi dev` loads.
    @Sendable static func isPayment(_ id: String) -> Bool { id.hasPrefix("payment-\(DemoData.run)-") }
}
