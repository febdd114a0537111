import NIOCore
import NIOPosix

/// A server that takes connections and says nothing.
struct MuteServer {
    private let channel: any Channel

    init(path: String) throws {
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .bind(unixDomainSocketPath: path).wait()
    }

    func stop() async throws { try await channel.close() }
}
