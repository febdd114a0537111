import HTTPTypes
package import Hummingbird

/// Lets through requests with a bearer token of one of the roles.
///
/// Others are a `Problem`: 401 without a token or with one that is not ours, 403 with the wrong role.
package struct TokenMiddleware<Context: RequestContext>: RouterMiddleware {
    private let verifier: TokenVerifier
    private let roles: Set<Role>

    package init(_ verifier: TokenVerifier, roles: Set<Role>) {
        self.verifier = verifier
        self.roles = roles
    }

    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        try await check(request.headers[.authorization])
        return try await next(request, context)
    }

    private func check(_ authorization: String?) async throws {
        let token: AccessToken
        do {
            guard let authorization, let bearer = Self.bearer(authorization) else { throw InvalidToken.missing }
            token = try await verifier.verify(bearer)
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
    }

    private static func bearer(_ authorization: String) -> Substring? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].drop { $0 == " " }
    }
}
