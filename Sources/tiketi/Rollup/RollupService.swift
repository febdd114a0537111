import Logging
import Platform
import Rollup
import ServiceLifecycle

/// Follows what is stored until told to stop.
struct RollupService: Service {
    static let retryInterval = Duration.milliseconds(500)

    let rollup: Rollup
    let zone: StoredTimeZone
    let logger: Logger

    /// Nothing is counted before it is known whose days they are. Where Postgres is away that is waited for.
    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while try await !TimeZoneService.answer(
                every: Self.retryInterval, logger, { try await rollup.claim(zone) }), !Task.isCancelled
            {
                // Not migrated so far.
                try? await Task.sleep(for: Self.retryInterval)
            }
            await rollup.follow()
        }
    }
}
