import Platform
import ServiceLifecycle

/// Ends the process where its REPORTING_TIME_ZONE is not the database's, once the database says so: until then, also while
/// it is away, beacons are taken.
struct TimeZoneService: Service {
    static let retryInterval = Duration.seconds(5)

    /// False where the database can't tell yet.
    let compare: @Sendable () async throws -> Bool

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await compare() { return }
                } catch let error as SettingsError {
                    throw error
                } catch {
                    // The pool has warned of losing Postgres.
                }
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }
}
