/// Compares a day of ours with Toss's list of it. Pure.
enum Comparison {
    /// A payment that Toss's list or our day names.
    struct Payment: Equatable, Sendable {
        var paymentId: String
        var orderId: String
        var amount: Int64
        var isApproved: Bool
        /// Whether it was approved on this day, so that the list must have it.
        var isOfDay: Bool
    }

    struct Refund: Equatable, Sendable {
        var refundId: String
        var orderId: String
        var amount: Int64
        var transactionKey: String
        var isOfDay: Bool
    }

    static func differences(
        _ transactions: [TossTransaction], payments: [Payment], refunds: [Refund]
    ) -> [Difference] {
        var found: [Difference] = []
        let paymentsByOrder = Dictionary(payments.map { ($0.orderId, $0) }) { first, _ in first }
        let refundsByKey = Dictionary(refunds.map { ($0.transactionKey, $0) }) { first, _ in first }
        var seenOrders: Set<String> = []
        var seenRefunds: Set<String> = []
        for transaction in transactions {
            if transaction.isCancel {
                if let refund = refundsByKey[transaction.transactionKey] {
                    seenRefunds.insert(refund.refundId)
                    if refund.amount != transaction.money {
                        found.append(
                            Difference(
                                kind: .amountDiffers, reference: "refund:\(refund.refundId)",
                                orderId: transaction.orderId, amountHere: refund.amount,
                                amountAtToss: transaction.money))
                    }
                } else {
                    found.append(missingHere(transaction))
                }
            } else if transaction.status == "DONE" {
                guard let payment = paymentsByOrder[transaction.orderId] else {
                    found.append(missingHere(transaction))
                    continue
                }
                seenOrders.insert(payment.orderId)
                if !payment.isApproved {
                    found.append(
                        Difference(
                            kind: .stateDiffers, reference: "payment:\(payment.paymentId)", orderId: payment.orderId,
                            amountHere: 0, amountAtToss: transaction.money))
                } else if payment.amount != transaction.money {
                    found.append(
                        Difference(
                            kind: .amountDiffers, reference: "payment:\(payment.paymentId)", orderId: payment.orderId,
                            amountHere: payment.amount, amountAtToss: transaction.money))
                }
            }
        }
        for payment in payments
        where payment.isOfDay && payment.isApproved && !seenOrders.contains(payment.orderId) {
            found.append(
                Difference(
                    kind: .missingAtToss, reference: "payment:\(payment.paymentId)", orderId: payment.orderId,
                    amountHere: payment.amount))
        }
        for refund in refunds where refund.isOfDay && !seenRefunds.contains(refund.refundId) {
            found.append(
                Difference(
                    kind: .missingAtToss, reference: "refund:\(refund.refundId)", orderId: refund.orderId,
                    amountHere: refund.amount))
        }
        return found
    }

    private static func missingHere(_ transaction: TossTransaction) -> Difference {
        Difference(
            kind: .missingHere, reference: "transaction:\(transaction.transactionKey)", orderId: transaction.orderId,
            amountAtToss: transaction.money)
    }
}
