import HTTPTypes
package import Hummingbird

/// Lets through requests with a bearer token of one of the roles, as `TokenMiddleware` does, and tells the routes whose
/// it is.
package struct IdentityMiddleware: RouterMiddleware {
    package typealias Context = ServiceContext

    private let verifier: TokenVerifier
    private let roles: Set<Role>

    package init(_ verifier: TokenVerifier, roles: Set<Role>) {
        self.verifier = verifier
        self.roles = roles
    }

    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.identity = try await verifier.bearer(request.headers[.authorization], roles: roles)
        return try await next(request, context)
    }
}
