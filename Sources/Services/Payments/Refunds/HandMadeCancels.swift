import Logging
import Platform
import Storage

/// What somebody else has given back at Toss becomes refunds of ours.
struct HandMadeCancels: Sendable {
    let postgres: PostgresPool
    let clock: @Sendable () -> Int64
    let metrics: PaymentMetrics
    let logger: Logger

    func adopt(_ payment: TossPayment, of id: String) async throws {
        guard let cancels = payment.cancels, !cancels.isEmpty else { return }
        let now = clock()
        let (adopted, isTooMuch) = try await postgres.withConnection { connection in
            try connection.transaction { try RefundStore.adopt(cancels, of: id, now: now, on: $0) }
        }
        if adopted > 0 {
            metrics.refunds.increment(by: adopted)
            logger.warning(
                "money was given back by somebody else", metadata: ["payment": "\(id)", "cancels": "\(adopted)"])
        }
        if isTooMuch {
            logger.critical(
                "more was given back elsewhere than is left beside our refunds", metadata: ["payment": "\(id)"])
        }
    }
}
