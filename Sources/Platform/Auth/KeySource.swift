/// Where the keys that verify tokens come from.
package enum KeySource: Sendable {
    /// Of this process's own `JWT_SIGNING_KEY`.
    case fixed(VerifyingKeys)
    /// Of `JWKS_URL`.
    case fetched(FetchedKeys)
}
