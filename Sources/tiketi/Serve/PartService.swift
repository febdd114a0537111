import Platform
import ServiceLifecycle

/// What a service does beside answering, until told to stop.
struct PartService: Service {
    let part: any ServicePart

    func run() async throws {
        await cancelWhenGracefulShutdown { await part.run() }
    }
}
