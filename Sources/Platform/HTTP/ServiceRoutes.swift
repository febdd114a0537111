package import Hummingbird
import NIOCore

/// What each process answers about itself: `/health`, `/ready`, `/metrics`, `/openapi.json`.
package enum ServiceRoutes {
    /// - Parameter openAPI: the documents of what the process serves, at least one.
    package static func add<Context: RequestContext>(
        to router: some RouterMethods<Context>, metrics: Metrics, openAPI documents: [String],
        isReady: @escaping @Sendable () async -> Bool
    ) {
        let document = OpenAPI.merged(documents)
        router.get("health") { _, _ in "ok\n" }
        router.get("ready") { _, _ in
            guard await isReady() else { throw Problem.unavailable }
            return "ready\n"
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: Metrics.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.exposition())))
        }
        router.get("openapi.json") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: document)))
        }
    }
}
