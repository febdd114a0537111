/// What Toss says instead of an answer: a status, and `{"code","message"}`.
package struct SandboxError: Error, Sendable, Equatable {
    package var status: Int
    package var code: String
    package var message: String

    package init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    static let unauthorized = SandboxError(401, "UNAUTHORIZED_KEY", "the secret key is not known")
    static let notFound = SandboxError(404, "NOT_FOUND_PAYMENT", "there is no such payment")
    static let sessionGone = SandboxError(
        404, "NOT_FOUND_PAYMENT_SESSION", "the payment was not authenticated, or its ten minutes are over")
    static let alreadyProcessed = SandboxError(400, "ALREADY_PROCESSED_PAYMENT", "the payment was processed already")

    static func invalid(_ message: String) -> SandboxError { SandboxError(400, "INVALID_REQUEST", message) }
}
