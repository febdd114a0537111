/// Toss's side of every payment, by Toss's documented rules. Each call says what time it is.
package struct SandboxBooks: Codable, Sendable {
    /// What a buyer has to pay in, from the request on.
    package static let authenticationMs: Int64 = 30 * 60_000
    /// What the merchant has to confirm in, from the authentication on.
    package static let confirmationMs: Int64 = 10 * 60_000
    /// Of two cancels of one payment within this, the second is refused.
    package static let cancelIntervalMs: Int64 = 1_000
    /// A card's, in KRW.
    package static let minAmount: Int64 = 100
    package static let maxAmount: Int64 = 1_000_000_000_000
    package static let maxReasonLength = 200
    /// Payments that are kept; then no more are taken.
    package static let maxPayments = 100_000

    package private(set) var payments: [String: SandboxPayment] = [:]
    /// The payment of an order that counts: its newest, or the one that was approved.
    private var keysByOrder: [String: String] = [:]
    /// Every approval and cancel, in order.
    package private(set) var transactions: [SandboxTransaction] = []
    private var made = 0

    package init() {}

    // MARK: The buyer

    /// Begins a payment, as the browser's SDK does. The amount is whatever the browser says.
    package mutating func request(
        orderId: String, orderName: String, amount: Int64, currency: String = "KRW", key: String,
        successUrl: String? = nil, failUrl: String? = nil, now: Int64
    ) throws(SandboxError) -> SandboxPayment {
        guard
            (6...64).contains(orderId.utf8.count),
            orderId.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2d || byte == 0x5f
            })
        else { throw .invalid("orderId is 6 to 64 letters, digits, - and _") }
        guard !orderName.isEmpty, orderName.count <= 100 else { throw .invalid("orderName is 1 to 100 characters") }
        guard amount >= Self.minAmount else {
            throw SandboxError(400, "BELOW_MINIMUM_AMOUNT", "a card takes \(Self.minAmount) or more")
        }
        guard amount <= Self.maxAmount else { throw .invalid("amount is too large") }
        if let known = keysByOrder[orderId].flatMap({ payments[$0] }), known.approvedAt != nil {
            throw SandboxError(400, "DUPLICATED_ORDER_ID", "the order is paid")
        }
        guard payments.count < Self.maxPayments else { throw SandboxError(500, "COMMON_ERROR", "the books are full") }
        let payment = SandboxPayment(
            paymentKey: key, orderId: orderId, orderName: orderName, currency: currency, amount: amount,
            status: .ready, requestedAt: now, successUrl: successUrl, failUrl: failUrl)
        payments[key] = payment
        keysByOrder[orderId] = key
        return payment
    }

    /// The buyer has proven who they are; no money has moved.
    package mutating func authenticate(_ key: String, now: Int64) throws(SandboxError) -> SandboxPayment {
        guard var payment = find(key, now: now) else { throw .notFound }
        guard payment.status == .ready else { throw .sessionGone }
        payment.status = .inProgress
        payment.authenticatedAt = now
        payments[key] = payment
        return payment
    }

    /// The buyer gives up, or their card refuses.
    package mutating func abort(
        _ key: String, code: String, message: String, now: Int64
    ) throws(SandboxError) -> SandboxPayment {
        guard var payment = find(key, now: now) else { throw .notFound }
        guard payment.status == .ready || payment.status == .inProgress else { throw .alreadyProcessed }
        payment.status = .aborted
        payment.failure = .init(code: code, message: message)
        payments[key] = payment
        return payment
    }

    // MARK: The merchant

    /// Takes the money.
    package mutating func confirm(
        paymentKey: String, orderId: String, amount: Int64, now: Int64
    ) throws(SandboxError) -> SandboxPayment {
        guard var payment = find(paymentKey, now: now) else { throw .sessionGone }
        guard payment.orderId == orderId, payment.amount == amount else {
            throw .invalid("orderId and amount are not those that were authenticated")
        }
        switch payment.status {
        case .inProgress: break
        case .done, .canceled, .partialCanceled: throw .alreadyProcessed
        case .ready, .expired: throw .sessionGone
        case .aborted:
            throw SandboxError(
                403, payment.failure?.code ?? "REJECT_CARD_COMPANY", payment.failure?.message ?? "refused")
        }
        payment.status = .done
        payment.approvedAt = now
        payment.approvalKey = transactionKey()
        payments[paymentKey] = payment
        keysByOrder[orderId] = paymentKey
        transactions.append(SandboxTransaction(of: payment, key: payment.approvalKey!, amount: amount, at: now))
        return payment
    }

    /// Gives money back: all that is left where there is no amount.
    package mutating func cancel(
        _ key: String, reason: String, amount: Int64?, now: Int64
    ) throws(SandboxError) -> SandboxPayment {
        guard (1...Self.maxReasonLength).contains(reason.count) else {
            throw .invalid("cancelReason is 1 to \(Self.maxReasonLength) characters")
        }
        guard var payment = find(key, now: now) else { throw .notFound }
        switch payment.status {
        case .done, .partialCanceled: break
        case .canceled: throw SandboxError(400, "ALREADY_CANCELED_PAYMENT", "all of it was given back already")
        default: throw SandboxError(403, "NOT_CANCELABLE_PAYMENT", "the payment can't be canceled")
        }
        let amount = amount ?? payment.balance
        guard amount > 0, amount <= payment.balance else {
            throw SandboxError(403, "NOT_CANCELABLE_AMOUNT", "\(payment.balance) can be given back")
        }
        if let last = payment.cancels.last, now - last.canceledAt < Self.cancelIntervalMs {
            throw SandboxError(403, "FORBIDDEN_CONSECUTIVE_REQUEST", "one cancel a second")
        }
        let cancel = SandboxPayment.Cancel(
            transactionKey: transactionKey(), amount: amount, reason: reason, canceledAt: now,
            refundable: payment.balance - amount)
        payment.cancels.append(cancel)
        payment.status = payment.balance == 0 ? .canceled : .partialCanceled
        payments[key] = payment
        transactions.append(SandboxTransaction(of: payment, key: cancel.transactionKey, amount: -amount, at: now))
        return payment
    }

    package mutating func find(_ key: String, now: Int64) -> SandboxPayment? {
        guard var payment = payments[key] else { return nil }
        let end =
            switch payment.status {
            case .ready: payment.requestedAt + Self.authenticationMs
            case .inProgress: payment.authenticatedAt! + Self.confirmationMs
            default: Int64.max
            }
        if now >= end {
            payment.status = .expired
            payments[key] = payment
        }
        return payment
    }

    package mutating func find(order: String, now: Int64) -> SandboxPayment? {
        keysByOrder[order].flatMap { find($0, now: now) }
    }

    /// Those from `start` until before `end`, in order, behind one of them.
    package func transactions(
        from start: Int64, to end: Int64, after: String?, limit: Int
    ) throws(SandboxError) -> ArraySlice<SandboxTransaction> {
        var rest = transactions[...]
        if let after {
            guard let index = transactions.firstIndex(where: { $0.transactionKey == after }) else {
                throw SandboxError(400, "INVALID_TRANSACTION_KEY", "startingAfter is no transaction")
            }
            rest = transactions[(index + 1)...]
        }
        return rest.filter { (start..<end).contains($0.at) }.prefix(limit)
    }

    /// Money taken and given back, by order.
    package var money: [String: (taken: Int64, givenBack: Int64)] {
        transactions.reduce(into: [:]) { sums, transaction in
            var sum = sums[transaction.orderId] ?? (0, 0)
            if transaction.amount >= 0 { sum.0 += transaction.amount } else { sum.1 -= transaction.amount }
            sums[transaction.orderId] = sum
        }
    }

    private mutating func transactionKey() -> String {
        made += 1
        return "txrd_\(made)_\(UInt64.random(in: 0 ... .max))"
    }
}
