import NIOCore
import NIOPosix

/// Connections that keep still, until each sends one request.
final class IdleConnections: Sendable {
    /// Connecting at once; a listener's queue is not longer than this everywhere.
    private static let maxConnecting = 128

    private let channels: [any Channel]

    private init(_ channels: [any Channel]) { self.channels = channels }

    static func open(_ count: Int, port: Int, on group: any EventLoopGroup) async throws -> IdleConnections {
        var channels: [any Channel] = []
        let bootstrap = ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler())
                }
            }
        while channels.count < count {
            let futures = (0..<min(maxConnecting, count - channels.count)).map { _ in
                bootstrap.connect(host: "127.0.0.1", port: port)
            }
            for future in futures { channels.append(try await future.get()) }
        }
        return IdleConnections(channels)
    }

    /// Sends the request on each of them, one after the other. How many were answered with 2xx.
    func ask(_ request: ByteBuffer) async -> Int {
        var answered = 0
        for channel in channels {
            let promise = channel.eventLoop.makePromise(of: Bool.self)
            channel.eventLoop.execute {
                guard channel.isActive,
                    let handler = try? channel.pipeline.syncOperations.handler(type: AnswerHandler.self)
                else { return promise.succeed(false) }
                handler.promise = promise
                channel.writeAndFlush(request, promise: nil)
            }
            if (try? await promise.futureResult.get()) == true { answered += 1 }
        }
        return answered
    }

    func close() async {
        for channel in channels { try? await channel.close() }
    }

    private final class AnswerHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var promise: EventLoopPromise<Bool>?
        private var pending = ByteBuffer()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = Self.unwrapInboundIn(data)
            pending.writeBuffer(&part)
            guard let answer = pending.withUnsafeReadableBytes(HTTPAnswer.init) else { return }
            pending = ByteBuffer()
            finish((200..<300).contains(answer.status))
        }

        func channelInactive(context: ChannelHandlerContext) { finish(false) }

        private func finish(_ isAccepted: Bool) {
            promise?.succeed(isAccepted)
            promise = nil
        }
    }
}
