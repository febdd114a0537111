import Platform

/// An approval, or a cancel of all or of a part.
package struct SandboxTransaction: Codable, Sendable, Equatable {
    package var transactionKey: String
    package var paymentKey: String
    package var orderId: String
    package var status: SandboxPayment.Status
    package var currency: String
    /// Negative where it gives back.
    package var amount: Int64
    package var at: Int64

    init(of payment: SandboxPayment, key: String, amount: Int64, at: Int64) {
        transactionKey = key
        paymentKey = payment.paymentKey
        orderId = payment.orderId
        status = payment.status
        currency = payment.currency
        self.amount = amount
        self.at = at
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("mId", "tiketi-sandbox")
            json.member("transactionKey", transactionKey)
            json.member("paymentKey", paymentKey)
            json.member("orderId", orderId)
            json.member("currency", currency)
            json.member("method", "카드")
            json.member("useEscrow", false)
            json.member("amount", amount)
            json.member("status", status.rawValue)
            json.member("transactionAt", KST.text(at))
        }
    }
}
