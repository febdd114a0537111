package import Core
package import Logging
package import NIOPosix
package import Platform
import ServiceLifecycle
package import Storage

/// One ingest node: the spool with its shipper and counters, and the endpoint that fills it.
///
/// As a service it runs until it is told to stop gracefully; then it refuses new beacons, ships what it acknowledged,
/// and ends. Stop the server in front of it first.
package struct IngestNode: Service {
    package struct Settings: Sendable {
        package var spool: SpoolSettings
        package var nodeId: String
        package var track = TrackSettings()
        /// A drain that takes longer ends without everything stored; the spool keeps the rest for the next start.
        package var maxDrain: Duration = .seconds(60)

        package init(spool: SpoolSettings, nodeId: String) {
            self.spool = spool
            self.nodeId = nodeId
        }
    }

    package let endpoint: TrackEndpoint
    package let spool: Spool
    private let shipper: Shipper
    private let counters: Counters?
    private let salts: VisitorSalts
    private let maxDrain: Duration
    private let logger: Logger

    /// Opens the spool.
    ///
    /// - Parameter onFailure: the spool's disk failed; end the process.
    package init(
        _ settings: Settings, calendar: ReportingCalendar, postgres: PostgresPool, redis: RedisPool?,
        metrics: Metrics, threadPool: NIOThreadPool, clock: @escaping @Sendable () -> Int64, logger: Logger,
        onFailure: @escaping @Sendable (String) -> Void
    ) throws {
        spool = try Spool(settings.spool, metrics: SpoolMetrics(metrics), logger: logger, onFailure: onFailure)
        counters = redis.map { Counters(redis: $0, calendar: calendar, clock: clock, logger: logger) }
        shipper = Shipper(
            spool: spool, nodeId: settings.nodeId, pool: postgres, counters: counters, metrics: ShipMetrics(metrics),
            clock: clock, logger: logger)
        salts = VisitorSalts(calendar: calendar, pool: postgres, clock: clock, logger: logger)
        endpoint = TrackEndpoint(
            settings: settings.track, spool: spool, salts: salts.fallback, metrics: metrics, threadPool: threadPool,
            now: clock)
        maxDrain = settings.maxDrain
        self.logger = logger
    }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await salts.run(for: endpoint) }
            let counting = Task { await counters?.run() }
            let shipping = Task { await shipper.run() }
            try? await gracefulShutdown()
            spool.beginDraining()
            shipper.beginDraining()
            let deadline = Task {
                try await Task.sleep(for: maxDrain)
                logger.error("not everything could be stored in time; the spool keeps the rest")
                shipping.cancel()
                counting.cancel()
            }
            await shipping.value
            counters?.beginDraining()
            await counting.value
            deadline.cancel()
            group.cancelAll()
        }
    }
}
