import Ingest
import ServiceLifecycle

/// Reads messages until told to stop.
struct MessageService: Service {
    let consumer: MessageConsumer

    func run() async throws {
        await cancelWhenGracefulShutdown { await consumer.run() }
    }
}
