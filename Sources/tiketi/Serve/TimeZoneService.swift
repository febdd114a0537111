import Logging
import Platform
import ServiceLifecycle
import Storage

/// Ends the process where its REPORTING_TIME_ZONE is not the database's, once the database says so: until then, also while
/// it is away, beacons are taken.
struct TimeZoneService: Service {
    static let retryInterval = Duration.seconds(5)

    let logger: Logger
    /// False where the database can't tell yet.
    let compare: @Sendable () async throws -> Bool

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while try await !Self.answer(every: Self.retryInterval, logger, compare), !Task.isCancelled {
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }

    /// What comparing has said, once Postgres answers; true where the task is cancelled before that.
    ///
    /// - Throws: `SettingsError` where the zone is another.
    static func answer(
        every interval: Duration, _ logger: Logger, _ compare: @Sendable () async throws -> Bool
    ) async throws -> Bool {
        var hasWarned = false
        while !Task.isCancelled {
            do {
                return try await compare()
            } catch let error as SettingsError {
                throw error
            } catch {
                // The pool has warned of losing Postgres.
                let isAway = (error as? PostgresError)?.kind == .unavailable
                if !isAway, !hasWarned, !Task.isCancelled {
                    hasWarned = true
                    logger.error(
                        "it can't be told whose days the database has; trying again", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: interval)
        }
        return true
    }
}
