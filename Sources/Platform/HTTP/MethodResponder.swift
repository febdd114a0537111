import HTTPTypes
package import Hummingbird

/// What a router answers, and 405 with `Allow` where a path is there for other methods than the one that was asked with.
///
/// HEAD is answered as GET is, without the body.
package struct MethodResponder<Context: RequestContext>: HTTPResponder {
    private let routes: RouterResponder<Context>
    /// The same paths, each under GET: which methods it has.
    private let paths: RouterResponder<Context>

    /// - Parameter router: with all its routes.
    package init(_ router: Router<Context>) {
        routes = router.buildResponder()
        var methods: [String: (path: RouterPath, names: Set<String>)] = [:]
        for route in router.routes {
            methods[route.path.description, default: (route.path, [])].names.insert(route.method.rawValue)
        }
        let others = Router(context: Context.self)
        others.add(middleware: ProblemMiddleware())
        for (path, names) in methods.values {
            let allow = (names.contains("GET") ? names.union(["HEAD"]) : names).sorted().joined(separator: ", ")
            others.get(path) { _, _ -> Response in
                throw Problem(
                    .methodNotAllowed, "method_not_allowed", detail: "this path is there for \(allow)",
                    headers: [.allow: allow])
            }
        }
        paths = others.buildResponder()
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        let asked = request.method == .head ? Self.get(request) : request
        var response = try await routes.respond(to: asked, context: context)
        // The name that the router gives to a request without a route.
        if response.status == .notFound, context.endpointPath == "NotFound" {
            let known = try await paths.respond(to: Self.get(request), context: context)
            if known.status == .methodNotAllowed { response = known }
        }
        guard request.method == .head else { return response }
        let length = response.headers[.contentLength]
        response = response.createHeadResponse()
        // Nil of a stream: its length is not that of the empty body.
        response.headers[.contentLength] = length
        return response
    }

    private static func get(_ request: Request) -> Request {
        var head = request.head
        head.method = .get
        return Request(head: head, body: request.body)
    }
}
