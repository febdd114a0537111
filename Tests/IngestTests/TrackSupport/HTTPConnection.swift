import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A client's socket, byte by byte: it sends what it is told, well-formed or not.
final class HTTPConnection: Sendable {
    struct Response: Equatable {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        subscript(name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        static func == (left: Response, right: Response) -> Bool {
            left.status == right.status && left.body == right.body
        }
    }

    struct Closed: Error {}

    private struct State {
        var bytes: [UInt8] = []
        var isClosed = false
        var changes = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let connection: HTTPConnection

        init(_ connection: HTTPConnection) { self.connection = connection }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = Self.unwrapInboundIn(data)
            connection.update { $0.bytes += Array(buffer.readableBytesView) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { connection.update { $0.isClosed = true } }
        }

        func channelInactive(context: ChannelHandlerContext) {
            connection.update { $0.isClosed = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    /// - Parameter bytes: written as soon as there is a connection, before anything else runs; then nothing that comes
    ///   is taken off the socket until `setReading`.
    static func connect(to address: SocketAddress, sending bytes: [UInt8] = []) async throws -> HTTPConnection {
        let connection = HTTPConnection()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .channelOption(ChannelOptions.autoRead, value: bytes.isEmpty)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Inbox(connection))
                }
            }
            .connect(to: address)
            .map { channel in
                if !bytes.isEmpty { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
                return channel
            }
            .get()
        connection.channel.withLock { $0 = channel }
        return connection
    }

    private func update(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            state.changes += 1
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.withLock { $0 }!.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Whether what the server sends is taken off the socket.
    func setReading(_ isReading: Bool) async throws {
        try await channel.withLock { $0 }!.setOption(ChannelOptions.autoRead, value: isReading).get()
    }

    /// Returns before it is sent.
    func startSending(_ bytes: [UInt8]) {
        channel.withLock { $0 }!.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func closeOutput() async throws {
        try await channel.withLock { $0 }!.close(mode: .output)
    }

    func close() {
        channel.withLock { $0 }!.close(promise: nil)
    }

    /// Closes both sides at once, which a server sees whatever it waits for.
    func reset() async throws {
        let channel = channel.withLock { $0 }!
        try await (channel as! any SocketOptionProvider).setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close()
    }

    /// Waits until `take` finds what it looks for in what has come.
    private func wait<Value: Sendable>(_ take: (inout [UInt8], _ isClosed: Bool) throws -> Value?) async throws -> Value
    {
        while true {
            let (value, seen) = try state.withLock { state in
                (try take(&state.bytes, state.isClosed), state.changes)
            }
            if let value { return value }
            await withCheckedContinuation { continuation in
                let isNew = state.withLock { state in
                    // Something may have come in between: then look again at once.
                    if state.changes != seen { return true }
                    state.waiter = continuation
                    return false
                }
                if isNew { continuation.resume() }
            }
        }
    }

    /// The next response, also a 1xx. Its body by Content-Length.
    func response(toHead: Bool = false) async throws -> Response {
        try await wait { bytes, isClosed in
            guard let response = Self.parse(&bytes, toHead: toHead) else {
                if isClosed { throw Closed() }
                return nil
            }
            return response
        }
    }

    /// What else comes before the server closes; then this side is closed, too.
    func rest() async throws -> [UInt8] {
        defer { close() }
        return try await wait { bytes, isClosed in
            guard isClosed else { return nil }
            defer { bytes = [] }
            return bytes
        }
    }

    private static func parse(_ bytes: inout [UInt8], toHead: Bool) -> Response? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4, let headEnd = (0...(bytes.count - 4)).first(where: { bytes[$0...].starts(with: end) })
        else { return nil }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (String(parts[0]), String(parts[1].drop { $0 == " " }))
        }
        let status = Int(lines[0].split(separator: " ")[1])!
        let length =
            toHead ? 0 : headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        guard bytes.count >= headEnd + 4 + length else { return nil }
        let body = Array(bytes[(headEnd + 4)..<(headEnd + 4 + length)])
        bytes.removeFirst(headEnd + 4 + length)
        return Response(status: status, headers: headers, body: body)
    }
}
