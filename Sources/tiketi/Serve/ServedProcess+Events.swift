import EventService
import Platform

extension ServedProcess {
    func events(_ metrics: Metrics) async throws -> EventService {
        var configuration = EventService.Configuration(
            database: try settings.database("EVENTS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), clock: ProcessSettings.clock)
        configuration.outboxLeaseSeconds = try settings.outboxLeaseSeconds()
        configuration.consumer = try settings.nodeID()
        return try await EventService(configuration, metrics: metrics, logger: logger)
    }
}
