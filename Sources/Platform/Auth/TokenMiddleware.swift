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
        _ = try await verifier.bearer(request.headers[.authorization], roles: roles)
        return try await next(request, context)
    }
}
