import Platform
import ReservationService

extension ServedProcess {
    func reservations(_ metrics: Metrics) async throws -> ReservationService {
        let configuration = ReservationService.Configuration(
            database: try settings.database("RESERVATIONS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), clock: ProcessSettings.clock)
        return try await ReservationService(configuration, metrics: metrics, logger: logger)
    }
}
