package import Core
package import Storage

extension Rollup {
    /// - Parameters:
    ///   - payments: the payments database, of which nothing is changed.
    ///   - isDemonstration: whether a payment of this id was never in a payments database.
    package func verifyPayments(
        _ range: ClosedRange<Day>?, payments: PostgresConfiguration,
        isDemonstration: @escaping @Sendable (String) -> Bool = { _ in false }
    ) async throws -> VerifyPayments.Report {
        try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(.zero) {
                try VerifyPayments.run(
                    range, payments: payments, calendar: calendar, isDemonstration: isDemonstration, on: connection)
            }
        }
    }
}
