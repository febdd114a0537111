import JWTKit

/// Where the keys that verify tokens come from.
package enum KeySource: Sendable {
    /// Of this process's own `JWT_SIGNING_KEY`.
    case fixed(VerifyingKeys)
    /// Of `JWKS_URL`.
    case fetched(FetchedKeys)

    func key(_ id: String) async throws -> (any JWTAlgorithm)? {
        switch self {
        case .fixed(let keys): keys.key(id)
        case .fetched(let keys): try await keys.key(id)
        }
    }
}
