import Core
import Logging
import Platform
import Storage

/// Takes `refund.due`: each becomes one refund, whose amount was final before. One that can't be made is kept as refused:
/// the message is gone after this, and somebody has to see that money is due.
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
                    let key = "cancellation:\(refund.cancellationId)"
                    let request = try RefundStore.request(
                        payment: refund.paymentId, key: key, amount: refund.amount, tickets: refund.tickets,
                        reason: refund.reason, now: now, on: connection)
                    let code: String
                    switch request {
                    case .made, .known: continue
                    case .unknownPayment: code = "unknown_payment"
                    case .notPaid: code = "not_paid"
                    case .exceedsBalance: code = "exceeds_balance"
                    }
                    try RefundStore.keepRefused(
                        payment: refund.paymentId, key: key, amount: refund.amount, tickets: refund.tickets,
                        reason: refund.reason, code: code, now: now, on: connection)
                    troubles.append((refund.cancellationId, code))
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
