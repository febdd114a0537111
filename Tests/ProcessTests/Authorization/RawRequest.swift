import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Bytes that are sent as they are.
enum RawRequest {
    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let text = Mutex("")

        var answer: String { text.withLock { $0 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = String(buffer: Self.unwrapInboundIn(data))
            text.withLock { $0 += part }
        }
    }

    /// What comes until the other side closes.
    static func send(_ bytes: String, to address: String) async throws -> String {
        let url = URLComponents(string: address)
        let collector = Collector()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { $0.pipeline.addHandler(collector) }
            .connect(host: url?.host ?? "127.0.0.1", port: url?.port ?? 0).get()
        try await channel.writeAndFlush(ByteBuffer(string: bytes))
        try await channel.closeFuture.get()
        return collector.answer
    }
}
