import Core
import Logging
import Platform
import Storage

/// Takes `refund.due`: each becomes one refund, whose amount was final before. One that can't be made is kept as refused:
/// the message is gone after this, and somebody has to see that money is due.
struct DueRefunds: Sendable {
    /// All else that is told makes no difference here.
    static let kinds: Set<Message.Kind> = [.refundDue]

    let postgres: PostgresPool
    let clock: @Sendable () -> Int64
    let logger: Logger

    /// - Returns: how many messages were new, or are none of its.
    func store(_ messages: [Message]) async throws -> Int {
        let told = messages.filter { Self.kinds.contains($0.kind) }
        guard !told.isEmpty else { return messages.count }
        let now = clock()
        let (count, troubles) = try await postgres.withConnection { connection in
            try connection.transaction { connection in
                let new = try Inbox.take(told, on: connection)
                // Payments are locked in one order.
                let due = new.compactMap { message -> RefundDue? in
                    if case .refundDue(let due) = message.body { due } else { nil }
                }.sorted { ($0.paymentId, $0.cancellationId) < ($1.paymentId, $1.cancellationId) }
                var troubles: [(String, String)] = []
                for refund in due where refund.amount > 0 {
                    let key = RefundStore.cancellationKey + refund.cancellationId
                    let request = try Self.request(refund, key, now: now, on: connection)
                    let code: String
                    switch request {
                    case .made, .known: continue
                    case .unknownPayment: code = "unknown_payment"
                    case .notPaid:
                        code = RefundStore.notPaidCode
                        // It may have been: Toss is asked, and it is tried again then.
                        try PaymentStore.hint(payment: refund.paymentId, now: now, on: connection)
                    // Never for its tickets: they are bounded under the same lock.
                    case .exceedsBalance, .exceedsTickets: code = "exceeds_balance"
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
        return messages.count - told.count + count
    }

    /// An admin may have given back some of it before. Where no ticket is left after it there is nothing to decide: what is
    /// left of the money goes back, up to what is due. Where tickets are left somebody has to say what the money was for.
    private static func request(
        _ refund: RefundDue, _ key: String, now: Int64, on connection: PostgresConnection
    ) throws -> RefundStore.Request {
        var (amount, tickets) = (refund.amount, refund.tickets)
        if let row = try PaymentStore.lock(refund.paymentId, on: connection) {
            let canceled = try RefundStore.ticketsCanceled(of: row, on: connection) + tickets
            tickets = min(tickets, try RefundStore.ticketsLeft(of: row, on: connection))
            let left = row.amount - row.refundCommitted
            if canceled == Int64(row.tickets), left > 0 { amount = min(amount, left) }
        }
        return try RefundStore.request(
            payment: refund.paymentId, key: key, amount: amount, tickets: tickets, reason: refund.reason, now: now,
            on: connection)
    }
}
