import Core
import Logging
import Platform
import Storage

/// Takes `refund.due`: each becomes one refund, whose amount was final before.
struct DueRefunds: Sendable {
    let postgres: PostgresPool
    let clock: @Sendable () -> Int64
    let logger: Logger

    /// - Returns: how many messages were new.
    func store(_ messages: [Message]) async throws -> Int {
        let now = clock()
        let (count, troubles) = try await postgres.withConnection { connection in
            try connection.transaction { connection in
                let new = try Inbox.take(messages, on: connection)
                // Payments are locked in one order.
                let due = new.compactMap { message -> RefundDue? in
                    if case .refundDue(let due) = message.body { due } else { nil }
                }.sorted { ($0.paymentId, $0.cancellationId) < ($1.paymentId, $1.cancellationId) }
                var troubles: [(String, String)] = []
                for refund in due where refund.amount > 0 {
                    let request = try RefundStore.request(
                        payment: refund.paymentId, key: "cancellation:\(refund.cancellationId)", amount: refund.amount,
                        tickets: refund.tickets, reason: refund.reason, now: now, on: connection)
                    switch request {
                    case .made, .known: break
                    case .notPaid: troubles.append((refund.cancellationId, "not_paid"))
                    case .exceedsBalance: troubles.append((refund.cancellationId, "exceeds_balance"))
                    }
                }
                return (new.count, troubles)
            }
        }
        for (cancellation, trouble) in troubles {
            logger.critical(
                "a refund that is due can't be made: somebody must look",
                metadata: ["cancellation": "\(cancellation)", "code": "\(trouble)"])
        }
        return count
    }
}
