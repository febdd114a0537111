import Hummingbird
import ServiceLifecycle

/// The HTTP server of a process; `onStop` ends the answers that would never end by themselves, and that it waits for.
struct HTTPService<Server: ApplicationProtocol>: Service {
    let application: Server
    let onStop: @Sendable () -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: {
            onStop()
        }
    }
}
