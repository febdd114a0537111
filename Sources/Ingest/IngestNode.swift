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

    /// Opens the spool, which reads its last segment: on the thread pool, since that blocks.
    ///
    /// - Parameter onFailure: the spool's disk failed; end the process.
    package init(
        _ settings: Settings, calendar: ReportingCalendar, postgres: PostgresPool, redis: RedisPool?,
        metrics: Metrics, threadPool: NIOThreadPool, clock: @escaping @Sendable () -> Int64, logger: Logger,
        onFailure: @escaping @Sendable (String) -> Void
    ) async throws {
        spool = try await threadPool.runIfActive {
            try Spool(settings.spool, metrics: SpoolMetrics(metrics), logger: logger, onFailure: onFailure)
        }
        counters = redis.map { Counters(redis: $0, calendar: calendar, clock: clock, logger: logger) }
        shipper = Shipper(
            spool: spool, nodeId: settings.nodeId, pool: postgres, counters: counters,
            metrics: ShipMetrics(metrics, clock: clock),
            clock: clock, logger: logger)
        salts = VisitorSalts(calendar: calendar, pool: postgres, clock: clock, logger: logger)
        endpoint = TrackEndpoint(
            settings: settings.track, spool: spool, salts: salts.fallback, metrics: metrics, threadPool: threadPool,
            now: clock)
        maxDrain = settings.maxDrain
    }

    /// Not everything that was acknowledged could be stored before the node had to end.
    package struct DrainIncomplete: Error, CustomStringConvertible {
        package var description: String {
            "not everything acknowledged could be stored in time: the spool keeps the rest for the next start"
        }
    }

    /// Makes the node known in Postgres, where that can be reached. Call it before the endpoint takes beacons.
    package func announce() async {
        CrashPoint.spoolOpened.reached()
        await shipper.announce()
    }

    /// - Throws: `DrainIncomplete`.
    package func run() async throws {
        let isLate = await withTaskGroup(of: Void.self) { group in
            group.addTask { await salts.run(for: endpoint) }
            let counting = Task { await counters?.run() }
            let shipping = Task { await shipper.run() }
            try? await gracefulShutdown()
            spool.beginDraining()
            shipper.beginDraining()
            CrashPoint.drainBegun.reached()
            let deadline = Task {
                guard (try? await Task.sleep(for: maxDrain)) != nil else { return false }
                shipping.cancel()
                counting.cancel()
                return true
            }
            await shipping.value
            CrashPoint.drainShipped.reached()
            counters?.beginDraining()
            await counting.value
            deadline.cancel()
            group.cancelAll()
            return await deadline.value
        }
        if isLate { throw DrainIncomplete() }
    }
}
