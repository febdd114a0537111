/// What an error of Toss's means, by its code alone: messages are for people, and change.
enum TossErrorClass: Equatable, Sendable {
    /// What was asked for may have happened before: ask how the payment stands.
    case alreadyDone
    /// Whether it has happened is not known: ask, and send the same again under the same key.
    case unknown
    /// It has not happened; the buyer may pay in another way.
    case buyerMustAct
    /// It has not happened: the payment's time is over.
    case sessionGone
    /// It has not happened, and never will like this: somebody must look at our keys or our code.
    case ourMistake
    /// A cancel that has not happened, and may a little later.
    case later
    /// A cancel that has not happened, and somebody must look at.
    case refundRefused

    private static let byCode: [String: TossErrorClass] = [
        "ALREADY_PROCESSED_PAYMENT": .alreadyDone,
        "ALREADY_CANCELED_PAYMENT": .alreadyDone,
        "ALREADY_REFUND_PAYMENT": .alreadyDone,

        // A 400, and yet it says nothing.
        "PROVIDER_ERROR": .unknown,
        "FAILED_INTERNAL_SYSTEM_PROCESSING": .unknown,
        "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING": .unknown,
        "FAILED_REFUND_PROCESS": .unknown,
        "UNKNOWN_PAYMENT_ERROR": .unknown,
        "COMMON_ERROR": .unknown,
        "IDEMPOTENT_REQUEST_PROCESSING": .unknown,

        "REJECT_CARD_PAYMENT": .buyerMustAct,
        "REJECT_CARD_COMPANY": .buyerMustAct,
        "REJECT_ACCOUNT_PAYMENT": .buyerMustAct,
        "INVALID_CARD_EXPIRATION": .buyerMustAct,
        "INVALID_STOPPED_CARD": .buyerMustAct,
        "BELOW_MINIMUM_AMOUNT": .buyerMustAct,
        "PAY_PROCESS_CANCELED": .buyerMustAct,

        "NOT_FOUND_PAYMENT_SESSION": .sessionGone,
        "NOT_FOUND_PAYMENT": .sessionGone,
        "EXPIRED_PAYMENT": .sessionGone,

        "UNAUTHORIZED_KEY": .ourMistake,
        "INVALID_API_KEY": .ourMistake,
        "INCORRECT_BASIC_AUTH_FORMAT": .ourMistake,
        "FORBIDDEN_REQUEST": .ourMistake,
        "DUPLICATED_ORDER_ID": .ourMistake,
        "INVALID_REQUEST": .ourMistake,

        "FORBIDDEN_CONSECUTIVE_REQUEST": .later,

        "NOT_CANCELABLE_AMOUNT": .refundRefused,
        "NOT_CANCELABLE_PAYMENT": .refundRefused,
        "NOT_ALLOWED_PARTIAL_REFUND": .refundRefused,
        "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT": .refundRefused,
        "EXCEED_MAX_REFUND_DUE": .refundRefused,
        "REFUND_REJECTED": .refundRefused,
    ]

    /// - Parameter status: of the answer: a 5xx says nothing, whatever its code.
    init(code: String, status: Int) {
        if (500...).contains(status) {
            self = .unknown
        } else if let known = Self.byCode[code] {
            self = known
        } else if code.hasPrefix("INVALID_REFUND_ACCOUNT_") || code.hasPrefix("EXCEED_CANCEL_") {
            self = .refundRefused
        } else if code.hasPrefix("EXCEED_MAX_") || code.hasPrefix("REJECT_") {
            self = .buyerMustAct
        } else {
            // A code that nobody here has read about proves nothing.
            self = .unknown
        }
    }
}
