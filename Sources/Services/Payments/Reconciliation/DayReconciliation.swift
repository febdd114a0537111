import AsyncHTTPClient
package import Core
package import Foundation
package import Logging
import NIOCore
import Platform
package import Storage

/// One day compared with Toss's list because somebody asks for it, beside a running service or without one.
package struct DayReconciliation: Sendable {
    private let pool: PostgresPool
    private let http: HTTPClient
    private let reconciliation: Reconciliation

    /// - Parameter clock: milliseconds since 1970.
    package init(
        database: PostgresConfiguration, tossSecretKey: String, tossURL: URL, clock: @escaping @Sendable () -> Int64,
        logger: Logger
    ) {
        pool = PostgresPool(database, connections: 1, logger: logger)
        http = TossClient.http(connections: 1)
        let metrics = PaymentMetrics(Metrics())
        let toss = TossClient(
            http: http, address: { tossURL }, secretKey: tossSecretKey,
            timeout: .milliseconds(PaymentService.defaultTossTimeoutMs), metrics: metrics, logger: logger)
        reconciliation = Reconciliation(postgres: pool, toss: toss, clock: clock, metrics: metrics, logger: logger)
    }

    /// Stores the differences as the service does; what Toss knows better, the service is told to ask about.
    ///
    /// - Returns: a line for each.
    /// - Throws: `TossUnavailable` where Toss's list can't be had now.
    package func run(_ day: Day) async throws -> [String] {
        do {
            return try await reconciliation.run(day).map(\.description)
        } catch Reconciliation.Unfinished.tossUnavailable {
            throw TossUnavailable()
        }
    }

    package struct TossUnavailable: Error {}

    package func shutdown() async {
        try? await http.shutdown()
        await pool.shutdown()
    }
}
