import HTTPTypes

extension TokenVerifier {
    /// The token of an `Authorization` header.
    ///
    /// - Throws: a `Problem`: 401 without a token or with one that is not ours, 403 with another role than these.
    package func bearer(_ authorization: String?, roles: Set<Role>) async throws -> AccessToken {
        let token: AccessToken
        do {
            guard let authorization, let bearer = Self.bearer(authorization) else { throw InvalidToken.missing }
            token = try await verify(bearer)
        } catch let error as InvalidToken {
            // RFC 6750 §3: no error code where there was no token.
            let challenge =
                error == .missing ? "Bearer" : "Bearer error=\"invalid_token\", error_description=\"\(error.detail)\""
            throw Problem(
                .unauthorized, error.code, detail: error.detail, headers: [.wwwAuthenticate: challenge])
        } catch is FetchedKeys.Unavailable {
            throw Problem(
                .serviceUnavailable, "keys_unavailable", detail: "the keys that verify tokens can't be fetched",
                retryAfterSeconds: 5)
        }
        guard roles.contains(token.role) else {
            let needed = roles.map(\.rawValue).sorted().joined(separator: " or ")
            throw Problem(
                .forbidden, "wrong_role",
                detail: "this needs the role \(needed); the token's is \(token.role.rawValue)",
                headers: [.wwwAuthenticate: "Bearer error=\"insufficient_scope\""])
        }
        return token
    }

    private static func bearer(_ authorization: String) -> Substring? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].drop { $0 == " " }
    }
}
