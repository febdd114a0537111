import EventService
import Platform

extension ServedProcess {
    func events(_ metrics: Metrics) async throws -> EventService {
        let configuration = EventService.Configuration(
            database: try settings.database("EVENTS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), clock: ProcessSettings.clock)
        return try await EventService(configuration, metrics: metrics, logger: logger)
    }
}
