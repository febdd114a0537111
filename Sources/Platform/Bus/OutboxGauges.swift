package import Logging
package import Storage

/// How much a database's outbox holds and for how long, as metrics: what no relay publishes, and what no group confirms.
package struct OutboxGauges: Sendable {
    /// Rows of either kind that are counted; a longer outbox is told as one of this length, and its age goes on.
    package static let maxCounted = 100_000
    static let interval = Duration.seconds(10)

    private let postgres: PostgresPool
    private let maxCounted: Int
    private let waiting: Gauge
    private let unconfirmed: Gauge
    private let oldest: Gauge
    private let logger: Logger

    package init(
        _ postgres: PostgresPool, of database: Migrator.Database, maxCounted: Int = OutboxGauges.maxCounted,
        metrics: Metrics, logger: Logger
    ) {
        self.postgres = postgres
        self.maxCounted = maxCounted
        self.logger = logger
        waiting = metrics.gauge(
            "tiketi_outbox_waiting", "Messages that wait to be published.", labels: ["database": database.rawValue])
        unconfirmed = metrics.gauge(
            "tiketi_outbox_unconfirmed", "Published messages that some group has not confirmed.",
            labels: ["database": database.rawValue])
        oldest = metrics.gauge(
            "tiketi_outbox_oldest_seconds", "Age of the oldest message that is not confirmed by all groups.",
            labels: ["database": database.rawValue])
    }

    /// Measures until the task is cancelled. Where the database is away the last values stay.
    package func run() async {
        while !Task.isCancelled {
            do {
                try await measure()
            } catch {
                if Task.isCancelled { return }
                logger.debug("the outbox could not be measured", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    package func measure() async throws {
        let row = try await postgres.withConnection { [maxCounted] connection in
            let row = try connection.query(
                """
                SELECT
                    (SELECT count(*) FROM (SELECT FROM outbox WHERE entry_ms IS NULL LIMIT \(maxCounted)) w),
                    (SELECT count(*) FROM (SELECT FROM outbox WHERE entry_ms IS NOT NULL LIMIT \(maxCounted)) p),
                    (SELECT coalesce(floor(extract(epoch FROM
                        clock_timestamp() - (SELECT created_at FROM outbox ORDER BY seq LIMIT 1))), 0)::bigint)
                """)[0]
            return (
                waiting: try row.get(0, as: Int64.self), unconfirmed: try row.get(1, as: Int64.self),
                oldest: try row.get(2, as: Int64.self)
            )
        }
        waiting.set(Int(row.waiting))
        unconfirmed.set(Int(row.unconfirmed))
        oldest.set(max(0, Int(row.oldest)))
    }
}
