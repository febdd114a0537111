import PaymentService
import Platform

extension ServedProcess {
    func payments(_ metrics: Metrics) async throws -> PaymentService {
        let configuration = PaymentService.Configuration(
            database: try settings.database("PAYMENTS_DATABASE_URL"), redis: try settings.redis(),
            keys: try await keys(), clock: ProcessSettings.clock)
        return try await PaymentService(configuration, metrics: metrics, logger: logger)
    }
}
