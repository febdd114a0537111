import Core

/// An approval or a cancel in Toss's list.
struct TossTransaction: Decodable, Equatable, Sendable {
    var transactionKey: String
    var paymentKey: String
    var orderId: String
    var status: String
    var amount: Int64
    var transactionAt: String

    /// Whether it gave money back. Approvals are told as DONE.
    var isCancel: Bool { status == "CANCELED" || status == "PARTIAL_CANCELED" }
    /// What moved, whichever way.
    var money: Int64 { amount.magnitude > UInt64(Int64.max) ? .max : abs(amount) }
}
