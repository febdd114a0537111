import Testing

@testable import PaymentService

struct TossErrorClassTests {
    @Test(arguments: [
        (
            TossErrorClass.alreadyDone,
            ["ALREADY_PROCESSED_PAYMENT", "ALREADY_CANCELED_PAYMENT", "ALREADY_REFUND_PAYMENT"]
        ),
        (
            .unknown,
            [
                "PROVIDER_ERROR", "FAILED_INTERNAL_SYSTEM_PROCESSING", "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING",
                "UNKNOWN_PAYMENT_ERROR", "COMMON_ERROR", "IDEMPOTENT_REQUEST_PROCESSING", "A_CODE_OF_NEXT_YEAR", "",
            ]
        ),
        (
            .buyerMustAct,
            [
                "REJECT_CARD_PAYMENT", "REJECT_CARD_COMPANY", "REJECT_ACCOUNT_PAYMENT", "INVALID_CARD_EXPIRATION",
                "INVALID_STOPPED_CARD", "EXCEED_MAX_DAILY_PAYMENT_COUNT", "EXCEED_MAX_AMOUNT", "BELOW_MINIMUM_AMOUNT",
            ]
        ),
        (.sessionGone, ["NOT_FOUND_PAYMENT_SESSION", "NOT_FOUND_PAYMENT", "EXPIRED_PAYMENT"]),
        (
            .ourMistake,
            [
                "UNAUTHORIZED_KEY", "INVALID_API_KEY", "INCORRECT_BASIC_AUTH_FORMAT", "FORBIDDEN_REQUEST",
                "DUPLICATED_ORDER_ID", "INVALID_REQUEST",
            ]
        ),
        (.later, ["FORBIDDEN_CONSECUTIVE_REQUEST"]),
        (
            .refundRefused,
            [
                "NOT_CANCELABLE_AMOUNT", "NOT_CANCELABLE_PAYMENT", "NOT_ALLOWED_PARTIAL_REFUND",
                "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT", "EXCEED_MAX_REFUND_DUE",
                "INVALID_REFUND_ACCOUNT_INFO", "INVALID_REFUND_ACCOUNT_NUMBER", "REFUND_REJECTED",
            ]
        ),
    ])
    func aCodeMeansItsClass(kind: TossErrorClass, codes: [String]) {
        for code in codes {
            #expect(TossErrorClass(code: code, status: 400) == kind, "\(code)")
            // Whatever a server that failed says, it may have done it.
            #expect(TossErrorClass(code: code, status: 500) == .unknown, "\(code)")
        }
    }
}
