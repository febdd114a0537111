import Core
import Platform

extension SandboxPayment {
    /// As Toss answers it, as far as anything here reads it.
    var json: JSONWriter {
        var json = JSONWriter()
        write(to: &json)
        return json
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("mId", "tiketi-sandbox")
            json.member("version", "2022-11-16")
            json.member("paymentKey", paymentKey)
            json.member("type", "NORMAL")
            json.member("orderId", orderId)
            json.member("orderName", orderName)
            json.member("currency", currency)
            json.member("method", "카드")
            json.member("status", status.rawValue)
            json.member("totalAmount", amount)
            json.member("balanceAmount", balance)
            // Toss splits the tax off: 30000 are 27273 and 2727.
            json.member("suppliedAmount", balance - balance / 11)
            json.member("vat", balance / 11)
            json.member("taxFreeAmount", 0)
            json.member("isPartialCancelable", true)
            json.member("requestedAt", KST.text(requestedAt))
            json.member("approvedAt", approvedAt.map(KST.text))
            json.member("lastTransactionKey", cancels.last?.transactionKey ?? approvalKey)
            if cancels.isEmpty {
                json.member("cancels", raw: "null")
            } else {
                json.member("cancels", array: cancels) { json, cancel in
                    json.object { json in
                        json.member("transactionKey", cancel.transactionKey)
                        json.member("cancelAmount", cancel.amount)
                        json.member("cancelReason", cancel.reason)
                        json.member("canceledAt", KST.text(cancel.canceledAt))
                        json.member("refundableAmount", cancel.refundable)
                        json.member("cancelStatus", "DONE")
                    }
                }
            }
            if let failure {
                json.member(
                    "failure",
                    object: { json in
                        json.member("code", failure.code)
                        json.member("message", failure.message)
                    })
            } else {
                json.member("failure", raw: "null")
            }
        }
    }
}
