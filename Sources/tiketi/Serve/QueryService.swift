import Hummingbird
import Query
import ServiceLifecycle

/// The server of questions; its connections close once it has answered the last one.
struct QueryService<Server: ApplicationProtocol>: Service {
    let application: Server
    let engine: QueryEngine

    func run() async throws {
        try await application.run()
        await engine.shutdown()
    }
}
