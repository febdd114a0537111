import HTTPTypes
import Hummingbird
import Storage

/// What the errors of the layers below mean to a client.
extension Problem {
    /// Nil for an error that says nothing to a client: a defect, or a failure of ours.
    package init?(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let invalid as InvalidParameter:
            self = .invalid(invalid.field, invalid.detail, allowed: invalid.allowed)
        case let error as HTTPError:
            self.init(error.status, Self.code(of: error.status), detail: error.body, headers: error.headers)
            headers[.contentLength] = nil
        case let error as PostgresError where error.kind == .overloaded: self = .overloaded
        case let error as RedisError where error.kind == .overloaded: self = .overloaded
        case let error as PostgresError where error.kind == .unavailable: self = .unavailable
        case let error as RedisError where error.kind == .unavailable: self = .unavailable
        default: return nil
        }
    }

    /// As much work is waiting as may.
    package static let overloaded = Problem(
        .serviceUnavailable, "overloaded", title: "Overloaded", detail: "Too much is in flight. Try again later.",
        retryAfterSeconds: 1)

    /// Something this service needs can't be reached.
    package static let unavailable = Problem(
        .serviceUnavailable, "unavailable", title: "Unavailable", detail: "Try again later.", retryAfterSeconds: 5)

    private static func code(of status: HTTPResponse.Status) -> String {
        switch status {
        case .badRequest: "bad_request"
        case .unauthorized: "unauthorized"
        case .forbidden: "forbidden"
        case .notFound: "not_found"
        case .methodNotAllowed: "method_not_allowed"
        case .conflict: "conflict"
        case .contentTooLarge: "body_too_large"
        case .unsupportedMediaType: "unsupported_media_type"
        case .unprocessableContent: "invalid_field"
        case .tooManyRequests: "rate_limited"
        case .serviceUnavailable: "unavailable"
        case .internalServerError: "internal"
        default: "http_\(status.code)"
        }
    }
}
