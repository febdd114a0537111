import JWTKit

/// Where the keys that verify tokens come from.
package enum KeySource: Sendable {
    /// Of this process's own `JWT_SIGNING_KEY`.
    case fixed(VerifyingKeys)
    /// Of `JWKS_URL`.
    case fetched(FetchedKeys)

    /// Tokens whose signature was found good by these keys: shared by all who check with them.
    var verified: VerifiedTokens {
        switch self {
        case .fixed(let keys): keys.verified
        case .fetched(let keys): keys.verified
        }
    }

    func key(_ id: String) async throws -> (any JWTAlgorithm)? {
        switch self {
        case .fixed(let keys): keys.key(id)
        case .fetched(let keys): try await keys.key(id)
        }
    }
}
