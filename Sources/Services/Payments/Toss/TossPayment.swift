import Core

/// A payment as Toss tells of it, as far as it matters here.
struct TossPayment: Decodable, Equatable, Sendable {
    enum Status: String, Decodable, Sendable {
        case ready = "READY"
        case inProgress = "IN_PROGRESS"
        case waitingForDeposit = "WAITING_FOR_DEPOSIT"
        case done = "DONE"
        case canceled = "CANCELED"
        case partialCanceled = "PARTIAL_CANCELED"
        case aborted = "ABORTED"
        case expired = "EXPIRED"
    }

    struct Cancel: Decodable, Equatable, Sendable {
        var transactionKey: String
        var cancelAmount: Int64
        var canceledAt: String

        /// Milliseconds since 1970.
        var at: Int64? { Instant.parse(canceledAt) }
    }

    struct Failure: Decodable, Equatable, Sendable {
        var code: String
    }

    var paymentKey: String
    var orderId: String
    var status: Status
    var totalAmount: Int64
    var balanceAmount: Int64
    var currency: String?
    var approvedAt: String?
    var cancels: [Cancel]?
    var failure: Failure?

    /// Milliseconds since 1970.
    var approved: Int64? { approvedAt.flatMap { Instant.parse($0) } }
}
