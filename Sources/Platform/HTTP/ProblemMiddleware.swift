package import Hummingbird
import Logging

/// Turns every error into a `Problem`. The outermost middleware, or else errors of those outside it stay as they are.
///
/// An error that nobody made for clients becomes 500 `internal` with nothing of it in the body; the log has the rest.
package struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    package init() {}

    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            if let problem = Problem(error) { return problem.response(from: request, context: context) }
            context.logger.error(
                "Request failed",
                metadata: ["method": "\(request.method)", "path": "\(request.uri.path)", "error": "\(error)"])
            return Problem(.internalServerError, "internal").response(from: request, context: context)
        }
    }
}
