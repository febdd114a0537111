/// Why a token is not accepted.
package enum InvalidToken: Error, Equatable, Sendable {
    case missing
    case malformed
    /// Its algorithm is not one we accept, or not that of its key.
    case algorithm
    case unknownKey
    case signature
    case wrongIssuer
    case wrongAudience
    case expired
    case issuedInFuture
    case notYetValid

    /// As in the problem's `code`.
    var code: String {
        switch self {
        case .missing: "token_missing"
        case .expired: "token_expired"
        default: "token_invalid"
        }
    }

    var detail: String {
        switch self {
        case .missing: "an Authorization header with a bearer token is needed"
        case .malformed: "the token is no signed JWT with the claims iss, aud, sub, role, exp and iat"
        case .algorithm: "the token's algorithm is not accepted"
        case .unknownKey: "the token's key is not known"
        case .signature: "the token's signature does not fit"
        case .wrongIssuer: "the token comes from another issuer"
        case .wrongAudience: "the token is meant for another audience"
        case .expired: "the token has expired"
        case .issuedInFuture: "the token was issued in the future"
        case .notYetValid: "the token is not valid yet"
        }
    }
}
