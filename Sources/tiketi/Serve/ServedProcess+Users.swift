import Platform
import UserService

extension ServedProcess {
    func users(_ metrics: Metrics) async throws -> UserService {
        let configuration = UserService.Configuration(
            database: try settings.database("USERS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), clock: ProcessSettings.clock)
        return try await UserService(configuration, metrics: metrics, logger: logger)
    }
}
