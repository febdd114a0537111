import HTTPTypes
package import Logging
package import NIOCore
import NIOPosix
package import Platform
import ServiceLifecycle

/// `serve ingest`: the track endpoint on plain NIO, with `/health`, `/ready`, `/metrics` and `/openapi.json` beside it.
package struct IngestServer: Service {
    package struct Settings: Sendable {
        package var host = "127.0.0.1"
        /// 0 is any that is free.
        package var port = 8080
        /// Further ones are told 503 and closed.
        package var maxConnections = 16_384
        /// How long a client may take for the next part of a request, or for the next request.
        package var idleMax = TimeAmount.seconds(60)
        /// How long a client may take for a whole request.
        package var requestMax = TimeAmount.seconds(60)
        /// How long a shutdown waits for answers under way.
        package var drainMax = TimeAmount.seconds(20)

        package init() {}
    }

    private let settings: Settings
    private let endpoint: TrackEndpoint
    private let metrics: Metrics
    private let isReady: @Sendable () -> Bool
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onListening: @Sendable (SocketAddress) -> Void

    /// - Parameters:
    ///   - isReady: what `/ready` says; called on event loops, so it must not block.
    ///   - onListening: called once, with the address that was bound.
    package init(
        settings: Settings, endpoint: TrackEndpoint, metrics: Metrics, isReady: @escaping @Sendable () -> Bool,
        group: any EventLoopGroup, logger: Logger, onListening: @escaping @Sendable (SocketAddress) -> Void = { _ in }
    ) {
        self.settings = settings
        self.endpoint = endpoint
        self.metrics = metrics
        self.isReady = isReady
        self.group = group
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until graceful shutdown or cancellation; returns once the last connection is closed.
    package func run() async throws {
        let connections = OpenConnections(maxConnections: settings.maxConnections)
        metrics.gauge("tiketi_ingest_open_connections", "Connections of the ingest server.") {
            Double(connections.count)
        }
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 1024)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            // A client may close its side once it has sent its request, and still wants the answer.
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try configure(channel, connections) }
            }
            .bind(host: settings.host, port: settings.port).get()
        if let address = server.localAddress {
            logger.info("Listening", metadata: ["address": "\(address)"])
            onListening(address)
        }
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                try? await server.closeFuture.get()
            } onCancel: {
                server.close(promise: nil)
            }
        } onGracefulShutdown: {
            server.close(promise: nil)
        }
        await connections.drain(within: settings.drainMax, on: group.any())
    }

    private func configure(_ channel: any Channel, _ connections: OpenConnections) throws {
        guard connections.add(channel) else {
            let problem = Problem(
                .serviceUnavailable, "too_many_connections", title: "Too many connections", retryAfterSeconds: 1)
            channel.writeAndFlush(ByteBuffer(string: Self.unread(problem))).whenComplete { _ in
                channel.close(promise: nil)
            }
            return
        }
        try HTTPServerPipeline.configure(channel, idleMax: settings.idleMax, requestMax: settings.requestMax)
        try endpoint.addHandlers(to: channel)
        try channel.pipeline.syncOperations.addHandler(IngestTailHandler(metrics: metrics, isReady: isReady))
    }

    /// The answer to a request that was not read.
    private static func unread(_ problem: Problem) -> String {
        let body = String(decoding: problem.body(), as: UTF8.self)
        return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
            + "Access-Control-Allow-Origin: *\r\nConnection: close\r\nRetry-After: 1\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
