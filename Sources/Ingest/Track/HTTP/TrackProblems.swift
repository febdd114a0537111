import HTTPTypes
import Platform

/// The refusals of the track endpoint.
extension Problem {
    static func track(_ refusal: TrackRefusal) -> Problem {
        switch refusal {
        case .empty: .notJSON("The body is empty.")
        case .notJSON(let error): .notJSON("The body is not JSON: \(error).")
        case .notBeacons:
            .notJSON("The body must be an object, an array, {\"batch\":[…]} or newline-delimited objects.")
        case .tooManyBeacons:
            Problem(
                .contentTooLarge, "too_many_beacons", title: "Too many beacons",
                detail: "A request may hold \(TrackDecoder.maxBeaconsPerRequest) beacons.")
        }
    }

    private static func notJSON(_ detail: String) -> Problem {
        Problem(.badRequest, "not_json", title: "Not JSON", detail: detail)
    }

    static func track(_ refusal: SpoolRefusal) -> Problem {
        switch refusal {
        case .full(let seconds):
            Problem(
                .serviceUnavailable, "spool_full", title: "Spool full", detail: "Send it again later.",
                retryAfterSeconds: seconds)
        case .draining: .draining
        case .failed:
            Problem(
                .serviceUnavailable, "spool_failed", title: "Spool failed",
                detail: "It may or may not have been kept: send it again with the same messageId.", retryAfterSeconds: 5
            )
        }
    }

    static let draining = Problem(
        .serviceUnavailable, "draining", title: "Shutting down", detail: "Send it again.", retryAfterSeconds: 1)

    static func bodyTooLarge(_ limit: Int) -> Problem {
        Problem(
            .contentTooLarge, "body_too_large", title: "Body too large", detail: "A body may be \(limit) bytes long.")
    }

    static func inflatedTooLarge(_ limit: Int) -> Problem {
        Problem(
            .contentTooLarge, "inflated_too_large", title: "Inflated body too large",
            detail: "A body may inflate to \(limit) bytes.")
    }

    static let notGzip = Problem(
        .badRequest, "not_gzip", title: "Not gzip", detail: "The body is not gzip, or it is cut short or damaged.")

    static let unsupportedEncoding = Problem(
        .unsupportedMediaType, "unsupported_encoding", title: "Unsupported encoding",
        detail: "Content-Encoding may be gzip or identity.", headers: [.acceptEncoding: "gzip, identity"])

    static func rateLimited(_ seconds: Int) -> Problem {
        Problem(.tooManyRequests, "rate_limited", title: "Too many requests", retryAfterSeconds: seconds)
    }

    static let invalidWait = Problem(
        .badRequest, "invalid_wait", title: "Invalid wait", detail: "wait may be 'stored', or left out.", field: "wait",
        allowed: ["stored"])

    static let badQuery = Problem(
        .badRequest, "bad_query", title: "Malformed query", detail: "A % must be followed by two hex digits.")

    static let notAllowed = Problem(
        .methodNotAllowed, "method_not_allowed", title: "Method not allowed", headers: [.allow: "GET, POST, OPTIONS"])

    /// The one rejection of a pixel.
    static func invalidBeacon(_ rejection: Rejection) -> Problem {
        Problem(
            .badRequest, "invalid_beacon", title: "Invalid beacon",
            detail: "\(rejection.field == .beacon ? "The beacon" : rejection.field.name) \(rejection.reason.rawValue).",
            field: rejection.field.name)
    }
}
