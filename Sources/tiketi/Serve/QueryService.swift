import Hummingbird
import Query
import ServiceLifecycle

/// The server of questions; its connections close once it has answered the last one.
struct QueryService<Server: ApplicationProtocol>: Service {
    let application: Server
    let engine: QueryEngine
    let feed: RealtimeFeed

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: {
            // They would never end by themselves, and the server waits for what it answers.
            feed.close()
        }
        await engine.shutdown()
    }
}
