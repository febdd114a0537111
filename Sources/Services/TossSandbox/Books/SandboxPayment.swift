/// A payment as Toss keeps it. Instants are milliseconds since 1970.
package struct SandboxPayment: Codable, Sendable, Equatable {
    package enum Status: String, Codable, Sendable {
        case ready = "READY"
        case inProgress = "IN_PROGRESS"
        case done = "DONE"
        case canceled = "CANCELED"
        case partialCanceled = "PARTIAL_CANCELED"
        case aborted = "ABORTED"
        case expired = "EXPIRED"
    }

    package struct Cancel: Codable, Sendable, Equatable {
        package var transactionKey: String
        package var amount: Int64
        package var reason: String
        package var canceledAt: Int64
        /// What could be given back after it.
        package var refundable: Int64
    }

    package struct Failure: Codable, Sendable, Equatable {
        package var code: String
        package var message: String
    }

    package var paymentKey: String
    package var orderId: String
    package var orderName: String
    package var currency: String
    /// What the buyer has authenticated.
    package var amount: Int64
    package var status: Status
    package var requestedAt: Int64
    package var authenticatedAt: Int64?
    package var approvedAt: Int64?
    package var approvalKey: String?
    package var cancels: [Cancel] = []
    package var failure: Failure?
    /// Where the pay page sends the browser afterwards, as they were when it was opened; nil without a page.
    package var successUrl: String?
    package var failUrl: String?

    /// What can still be given back.
    package var balance: Int64 {
        approvedAt == nil ? 0 : amount - cancels.reduce(0) { $0 + $1.amount }
    }
}
