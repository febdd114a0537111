import Core
import Platform

/// Payments and refunds as they are answered. What only Toss and we need to know is not in it.
enum PaymentJSON {
    /// - Parameter refunds: nil where they were not asked for.
    static func payment(_ row: PaymentRow, refunds: [RefundRow]? = nil) -> JSONWriter {
        var json = JSONWriter()
        write(row, refunds: refunds, to: &json)
        return json
    }

    static func write(_ row: PaymentRow, refunds: [RefundRow]? = nil, to json: inout JSONWriter) {
        json.object { json in
            json.member("paymentId", row.paymentId)
            json.member("orderId", row.orderId)
            json.member("reservationId", row.reservationId)
            json.member("eventId", row.eventId)
            json.member("title", row.title)
            json.member("state", row.state.rawValue)
            json.member("amount", row.amount)
            json.member("currency", row.currency)
            json.member("refundCommitted", row.refundCommitted)
            json.member("refunded", row.refunded)
            json.member("failureCode", row.failureCode)
            json.member("approvedAt", row.approvedAt.map(Instant.iso8601))
            json.member("createdAt", Instant.iso8601(row.createdAt))
            json.member("tickets", array: row.ticketIds) { $0.value($1) }
            if let refunds { json.member("refunds", array: refunds) { write($1, to: &$0) } }
        }
    }

    static func write(_ refund: RefundRow, to json: inout JSONWriter) {
        json.object { json in
            json.member("refundId", refund.refundId)
            json.member("amount", refund.amount)
            json.member("tickets", Int64(refund.tickets))
            json.member("reason", refund.reason)
            json.member("state", refund.state.rawValue)
            json.member("failureCode", refund.failureCode)
            json.member("completedAt", refund.completedAt.map(Instant.iso8601))
            json.member("createdAt", Instant.iso8601(refund.createdAt))
        }
    }
}
