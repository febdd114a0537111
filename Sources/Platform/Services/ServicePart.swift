package import Hummingbird

/// A service's share of a process: its routes, and what it does beside answering.
package protocol ServicePart: Sendable {
    /// An OpenAPI 3.1 document, as JSON; what it shares with others is left to `OpenAPI.merged`.
    static var openAPI: String { get }

    /// Adds the routes below `/api` and `/.well-known`, and those of other services below `/internal`. `ProblemMiddleware`
    /// stands before them.
    func addRoutes(to router: Router<ServiceContext>)

    /// Whether it can serve: its database is reached and up to date.
    func isReady() async -> Bool

    /// Works beside the routes, such as publishing messages, until the task is cancelled.
    func run() async

    /// Closes what it has open, once nothing uses it any more.
    func shutdown() async
}
