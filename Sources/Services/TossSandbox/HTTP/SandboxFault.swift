/// What goes wrong with a call, once, because somebody asked for it.
package enum SandboxFault: String, Codable, Sendable, CaseIterable {
    /// It is done, and the answer comes far too late.
    case timeoutAfter = "timeout_after"
    /// Nothing is done, and the answer, 500, comes far too late.
    case timeoutBefore = "timeout_before"
    /// It is done, and the answer is 500.
    case errorAfter = "error_500_after"
    /// Nothing is done, and the answer is 500.
    case errorBefore = "error_500_before"
    /// Nothing is done: 400 PROVIDER_ERROR, which is repeated for its key.
    case providerError = "provider_error"
    /// Nothing is done: IDEMPOTENT_REQUEST_PROCESSING.
    case processing = "processing"
    /// Nothing is done: the card refuses.
    case rejected = "rejected"
    /// Nothing is done: NOT_CANCELABLE_PAYMENT.
    case notCancelable = "not_cancelable"

    package enum Call: String, Codable, Sendable, CaseIterable {
        case confirm, cancel
    }

    /// What is answered instead of doing anything.
    var refusal: SandboxError? {
        switch self {
        case .timeoutAfter, .errorAfter: nil
        case .timeoutBefore, .errorBefore:
            SandboxError(500, "FAILED_INTERNAL_SYSTEM_PROCESSING", "asked for by a test")
        case .providerError: SandboxError(400, "PROVIDER_ERROR", "asked for by a test")
        case .processing: SandboxError(409, "IDEMPOTENT_REQUEST_PROCESSING", "asked for by a test")
        case .rejected: SandboxError(403, "REJECT_CARD_COMPANY", "asked for by a test")
        case .notCancelable: SandboxError(403, "NOT_CANCELABLE_PAYMENT", "asked for by a test")
        }
    }

    /// Whether the answer is what the key's next use gets.
    var isRemembered: Bool {
        switch self {
        case .timeoutBefore, .errorBefore, .processing: false
        default: true
        }
    }
}
