import Core
import Foundation
import Hummingbird
import HummingbirdCore
import Ingest
import Logging
import NIOCore
import NIOPosix
import Platform
import Query
import ReservationService
import Rollup
import ServiceLifecycle
import Storage
import UnixSignals

/// The services of one process, on one port, against the servers in its settings.
///
/// They start in the order of `run()`'s list and stop in reverse: first the port closes, then ingest ships what it
/// acknowledged, last the connections close.
struct ServedProcess {
    static let maxStop: Duration = .seconds(90)
    static let ingestConnections = 2
    /// Half as many loops as cores: the others are for the spool, for what ships it and for the connections' threads.
    /// With a loop for each core a turn of a loop brings less, and all of it costs more wake-ups: on two cores a third
    /// fewer requests. They end with the process.
    static let loopCount = max(1, System.coreCount / 2)
    static let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)

    let services: Set<ServiceName>
    let settings: Settings
    let host: String
    let port: Int
    /// `tiketi dev` folds in the same process; elsewhere a CronJob or `tiketi rollup run --follow` does.
    let followsRollup: Bool
    /// Routes beside those of the services.
    var addRoutes: @Sendable (Router<ServiceContext>) -> Void = { _ in }
    let logger: Logger
    let own = OwnAddress()
    let sharedKeys = SharedKeys()

    /// Where another service is: the setting's address, or else this process where it serves that service too.
    ///
    /// The value is nil until the port is bound.
    func address(_ setting: String, of service: ServiceName) throws -> @Sendable () -> URL? {
        guard let url = try settings.webURL(setting) else {
            guard services.contains(service) else {
                throw SettingsError(setting, "missing: set it to where '\(service.rawValue)' is served")
            }
            return { [own] in own.url }
        }
        return { url }
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// - Parameter onListening: called with the port that was bound.
    func run(onListening: @escaping @Sendable (Int) async -> Void) async throws {
        let metrics = Metrics()
        var closing: [@Sendable () async -> Void] = []
        do {
            let running = try await start(metrics, closing: &closing, onListening: onListening)
            var configuration = ServiceGroupConfiguration(
                services: running, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            configuration.maximumGracefulShutdownDuration = Self.maxStop
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            for close in closing.reversed() { await close() }
            throw error
        }
        for close in closing.reversed() { await close() }
    }

    /// What runs, in the order in which it starts.
    ///
    /// - Parameter closing: what is to be closed at the end, in reverse.
    private func start(
        _ metrics: Metrics, closing: inout [@Sendable () async -> Void],
        onListening: @escaping @Sendable (Int) async -> Void
    ) async throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
        var running: [ServiceGroupConfiguration.ServiceConfiguration] = []
        var node: IngestNode?
        var engine: QueryEngine?
        if followsRollup || services.contains(.ingest) || services.contains(.query) {
            let database = try settings.analyticsDatabase()
            let calendar = try settings.reportingCalendar()
            let zone = try StoredTimeZone(settings)
            let redis = try settings.redis()
            let counters = RedisPool(redis, connections: 1, logger: logger)
            closing.append { await counters.shutdown() }
            if followsRollup {
                let pool = PostgresPool(database, connections: 1, logger: logger)
                closing.append { await pool.shutdown() }
                let rollup = Rollup(
                    postgres: pool, redis: counters, calendar: calendar, clock: ProcessSettings.clock,
                    metrics: RollupMetrics(metrics), logger: logger)
                running.append(.init(service: RollupService(rollup: rollup, zone: zone, logger: logger)))
            }
            if services.contains(.ingest) {
                let postgres = PostgresPool(database, connections: Self.ingestConnections, logger: logger)
                let messages = RedisPool(redis, connections: 1, logger: logger)
                closing.append {
                    await messages.shutdown()
                    await postgres.shutdown()
                }
                node = try await ingestNode(calendar, postgres, counters, metrics)
                await node!.announce()
                running.append(.init(service: node!))
                let consumer = MessageConsumer(
                    name: try settings.nodeID(), redis: messages, postgres: postgres, clock: ProcessSettings.clock,
                    metrics: MessageMetrics(metrics), logger: logger)
                running.append(.init(service: MessageService(consumer: consumer)))
                running.append(comparing { try await postgres.withConnection { try zone.claim(on: $0) } })
            }
            if services.contains(.query) {
                let asked = QueryEngine(database: database, redis: redis, calendar: calendar, logger: logger)
                engine = asked
                closing.append { await asked.shutdown() }
            }
        }
        let parts = try await parts(metrics, closing: &closing)
        for part in parts { running.append(.init(service: PartService(part: part))) }
        let server = try await server(node, engine, parts, metrics) { [own, host] port in
            own.set(host: host, port: port)
            await onListening(port)
        }
        // Settings that can't be right are told before a server is asked. Ingest compares by itself, later: it starts also
        // where Postgres is away.
        if let engine, !services.contains(.ingest) {
            let zone = try StoredTimeZone(settings)
            if try await !Self.isSame({ try await engine.check(zone) }) {
                running.append(comparing { try await engine.check(zone) })
            }
        }
        running.append(.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup))
        return running
    }

    /// Whether the database has said already that its days are ours.
    private static func isSame(_ compare: () async throws -> Bool) async throws -> Bool {
        do {
            return try await compare()
        } catch let error as PostgresError where error.kind == .unavailable {
            return false
        }
    }

    private func comparing(
        _ compare: @escaping @Sendable () async throws -> Bool
    ) -> ServiceGroupConfiguration.ServiceConfiguration {
        .init(
            service: TimeZoneService(logger: logger, compare: compare), successTerminationBehavior: .ignore,
            failureTerminationBehavior: .gracefullyShutdownGroup)
    }

    private func parts(
        _ metrics: Metrics, closing: inout [@Sendable () async -> Void]
    ) async throws -> [any ServicePart] {
        var parts: [any ServicePart] = []
        for name in ServiceName.allCases where services.contains(name) {
            let part: any ServicePart
            switch name {
            case .ingest, .query: continue
            case .users: part = try await users(metrics)
            case .events: part = try await events(metrics)
            case .reservations: part = try await reservations(metrics)
            case .payments:
                part = try await payments(metrics, beside: parts.lazy.compactMap { $0 as? ReservationService }.first)
            }
            closing.append { await part.shutdown() }
            parts.append(part)
        }
        return parts
    }

    private func ingestNode(
        _ calendar: ReportingCalendar, _ postgres: PostgresPool, _ redis: RedisPool, _ metrics: Metrics
    ) async throws -> IngestNode {
        var spool = SpoolSettings(directory: try settings.spoolFolder().path)
        #if DEBUG
            // So that little traffic fills many: the torture test's setting, as TIKETI_CRASH_AT is.
            spool.segmentBytes = try settings.int(
                "TIKETI_SEGMENT_BYTES", default: spool.segmentBytes, in: (64 << 10)...(64 << 20))
        #endif
        spool.maxBytes = try settings.int(
            "SPOOL_MAX_BYTES", default: spool.maxBytes, in: (2 * spool.segmentBytes)...(1 << 50))
        var node = IngestNode.Settings(spool: spool, nodeId: try settings.nodeID())
        node.track.cors = CORSPolicy(origins: try settings.corsOrigins())
        let hotArtistRate = try settings.trackHotArtistRate()
        // Each loop counts for itself.
        node.track.hotArtistRate = (hotArtistRate + Self.loopCount - 1) / Self.loopCount
        node.track.ratePerClient = try settings.trackRatePerClient()
        node.track.trustedProxies = try settings.trustedProxies()
        let logger = logger
        return try await IngestNode(
            node, calendar: calendar, postgres: postgres, redis: redis, metrics: metrics,
            threadPool: .singleton, clock: ProcessSettings.clock, logger: logger,
            onFailure: { reason in
                // Nothing may be acknowledged from here on, and a restart may find a working disk.
                logger.critical("ending: the spool's disk failed", metadata: ["reason": "\(reason)"])
                _exit(1)
            })
    }
}
