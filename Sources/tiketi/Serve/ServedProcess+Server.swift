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
        _ node: IngestNode?, _ engine: QueryEngine?, _ parts: [any ServicePart], _ metrics: Metrics,
        onListening: @escaping @Sendable (Int) async -> Void
    ) async throws -> any Service {
        if let node, engine == nil, parts.isEmpty { return ingestServer(node, metrics, onListening: onListening) }
        let router = Router(context: ServiceContext.self)
        router.add(middleware: ProblemMiddleware())
        var documents: [String] = []
        var feed: RealtimeFeed?
        if let engine {
            let verifier = TokenVerifier(try await keys(), audience: .analytics)
            let api = QueryAPI(engine: engine, verifier: verifier, metrics: metrics)
            api.addRoutes(to: router)
            documents.append(QueryAPI.openAPI)
            feed = api.feed
        }
        for part in parts {
            part.addRoutes(to: router)
            documents.append(type(of: part).openAPI)
        }
        addRoutes(router)
        if node != nil { documents.append(TrackOpenAPI.document) }
        ServiceRoutes.add(to: router, metrics: metrics, openAPI: documents) { [node] in
            if let node, !node.spool.canAccept { return false }
            if let engine, await !engine.isReady() { return false }
            for part in parts where await !part.isReady() { return false }
            return true
        }
        let application = Application(
            responder: MethodResponder(router),
            server: .sharedPort { try node?.endpoint.addHandlers(to: $0) },
            configuration: .init(
                address: .hostname(host, port: port), serverName: "tiketi",
                availableConnectionsDelegate: MaximumAvailableConnections(connectionBound())),
            // Connections are accepted once this returns.
            onServerRunning: { channel in Task { await onListening(channel.localAddress?.port ?? 0) } },
            eventLoopGroupProvider: .shared(Self.eventLoops),
            logger: logger)
        return HTTPService(application: application) { [feed] in feed?.close() }
    }

    /// Tokens are checked with the key set of `JWKS_URL`, or with the public halves of our signing keys. One set for all
    /// services of the process, so that each token's signature is checked once.
    func keys() async throws -> KeySource {
        try await sharedKeys.source { try await makeKeys() }
    }

    private func makeKeys() async throws -> KeySource {
        if let url = try settings.jwksURL() { return .fetched(FetchedKeys(url: url, logger: logger)) }
        guard let keys = try await settings.ownVerifyingKeys() else {
            throw SettingsError("JWT_SIGNING_KEY", "is not set, nor is JWKS_URL: no token could be checked")
        }
        return .fixed(keys)
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
