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
import ServiceLifecycle
import Storage

extension ServedProcess {
    /// Where questions are answered, further connections wait to be accepted; idle ones end after a minute.
    static let maxConnections = 16_384

    /// `maxConnections`, or what the system leaves room for.
    private func connectionBound() -> Int {
        let room = OpenFileLimit.raise()
        if room < Self.maxConnections {
            logger.warning(
                "the limit of open files leaves room for fewer connections than there could be",
                metadata: ["connections": "\(room)", "without": "\(Self.maxConnections)"])
        }
        return min(room, Self.maxConnections)
    }

    /// The server of this process: bare NIO where it only takes beacons, else Hummingbird, with the track endpoint in
    /// front of it on the same port where beacons are taken too.
    func server(
        _ node: IngestNode?, _ database: PostgresConfiguration, _ redis: RedisConfiguration,
        _ calendar: ReportingCalendar, _ metrics: Metrics, onListening: @escaping @Sendable (Int) async -> Void
    ) async throws -> any Service {
        guard services.contains(.query) else { return ingestServer(node!, metrics, onListening: onListening) }
        let engine = QueryEngine(database: database, redis: redis, calendar: calendar, logger: logger)
        let api = QueryAPI(engine: engine, verifier: TokenVerifier(try await keys()), metrics: metrics)
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        api.addRoutes(to: router)
        api.addServiceRoutes(
            to: router, metrics: metrics, isReady: { [node] in node?.spool.canAccept ?? true },
            openAPI: node.map { _ in TrackOpenAPI.document })
        let application = Application(
            router: router,
            server: .sharedPort { try node?.endpoint.addHandlers(to: $0) },
            configuration: .init(
                address: .hostname(host, port: port), serverName: "tiketi",
                availableConnectionsDelegate: MaximumAvailableConnections(connectionBound())),
            // Connections are accepted once this returns.
            onServerRunning: { channel in Task { await onListening(channel.localAddress?.port ?? 0) } },
            eventLoopGroupProvider: .shared(Self.eventLoops),
            logger: logger)
        return QueryService(application: application, engine: engine, feed: api.feed)
    }

    /// Tokens are checked with the key set of `JWKS_URL`, or with the public half of `JWT_SIGNING_KEY`.
    private func keys() async throws -> KeySource {
        if let url = try settings.jwksURL() { return .fetched(FetchedKeys(url: url, logger: logger)) }
        guard let text = try settings.jwtSigningKey() else {
            throw SettingsError("JWT_SIGNING_KEY", "is not set, nor is JWKS_URL: no token could be checked")
        }
        do {
            return .fixed(try await VerifyingKeys(try SigningKey(text)))
        } catch is SigningKey.Malformed {
            throw SettingsError("JWT_SIGNING_KEY", SigningKey.Malformed.requirement)
        }
    }

    private func ingestServer(
        _ node: IngestNode, _ metrics: Metrics, onListening: @escaping @Sendable (Int) async -> Void
    ) -> IngestServer {
        var server = IngestServer.Settings()
        server.host = host
        server.port = port
        server.maxConnections = connectionBound()
        return IngestServer(
            settings: server, endpoint: node.endpoint, metrics: metrics, isReady: { node.spool.canAccept },
            group: Self.eventLoops, logger: logger,
            onListening: { address in Task { await onListening(address.port ?? 0) } })
    }
}
