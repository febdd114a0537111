import Core
import NIOCore
import NIOPosix

/// Requests made one after the other, on the load's event loop.
protocol RequestSource: Sendable {
    /// - Parameter instant: milliseconds since 1970.
    mutating func request(at instant: Int64) -> ByteBuffer
}

/// Requests at a rate, whatever the answers take: an open loop, as browsers are.
///
/// One connection has one request under way; where all have, what is due waits. A latency counts from when the request
/// was due.
struct PacedLoad {
    struct Result: Sendable {
        var latencies = Latencies()
        /// Answers other than 2xx, and connections that were closed.
        var failed = 0
        /// When each request was answered with 2xx, ascending.
        var acceptedAt: [ContinuousClock.Instant] = []

        var answered: Int { latencies.count + failed }
    }

    static let tick: TimeAmount = .milliseconds(5)
    /// Beyond the time, for the last answers.
    static let maxAnswerTime: TimeAmount = .seconds(30)
    /// Opened at once.
    static let maxOpening = 128

    let port: Int
    /// Requests a second.
    let rate: Double
    var connections = 16
    let lasts: Duration
    let source: any RequestSource

    func run() async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = group.next()
            let sender = try await loop.submit { NIOLoopBound(Sender(loop, self), eventLoop: loop) }.get()
            var opened = 0
            while opened < connections {
                let count = min(Self.maxOpening, connections - opened)
                let opening = (0..<count).map { _ in
                    ClientBootstrap(group: loop)
                        .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                        .channelInitializer { channel in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(PacedLoadHandler(sender.value))
                            }
                        }
                        .connect(host: "127.0.0.1", port: port)
                }
                _ = try await EventLoopFuture.whenAllSucceed(opening, on: loop).get()
                opened += count
            }
            let result = try await loop.flatSubmit { sender.value.run() }.get()
            try await group.shutdownGracefully()
            return result
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Confined to its event loop.
    final class Sender {
        private let loop: any EventLoop
        private let lasts: Duration
        private var source: any RequestSource
        private var pace: Pace
        /// When each request that waits for a connection was due, the oldest first.
        private var due: ArraySlice<ContinuousClock.Instant> = []
        private var underWay = 0
        private var start = ContinuousClock.now
        private var free: CircularBuffer<PacedLoadHandler> = []
        private var result = Result()
        private let done: EventLoopPromise<Result>
        private var isOver = false

        init(_ loop: any EventLoop, _ load: PacedLoad) {
            self.loop = loop
            lasts = load.lasts
            source = load.source
            pace = Pace(rate: load.rate)
            done = loop.makePromise()
        }

        func run() -> EventLoopFuture<Result> {
            start = .now
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: PacedLoad.tick) { task in
                let sender = bound.value
                let now = ContinuousClock.now
                if now - sender.start >= sender.lasts {
                    task.cancel()
                    sender.end()
                    return
                }
                let count = sender.pace.due(at: now - sender.start)
                sender.due += Array(repeating: now, count: count)
                sender.send()
            }
            return done.futureResult
        }

        func add(_ handler: PacedLoadHandler) { free.append(handler) }

        private func send() {
            while !due.isEmpty, let handler = free.popFirst() {
                underWay += 1
                handler.send(source.request(at: ProcessSettings.clock()), due: due.removeFirst())
            }
        }

        private func end() {
            isOver = true
            result.failed += due.count
            due = []
            if underWay == 0 { return done.succeed(result) }
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleTask(in: PacedLoad.maxAnswerTime) {
                bound.value.result.failed += bound.value.underWay
                bound.value.done.succeed(bound.value.result)
            }
        }

        func answer(_ handler: PacedLoadHandler, status: Int, due: ContinuousClock.Instant) {
            underWay -= 1
            let now = ContinuousClock.now
            if (200..<300).contains(status) {
                result.latencies.add(ns: UInt64((now - due).inSeconds * 1e9))
                result.acceptedAt.append(now)
            } else {
                result.failed += 1
            }
            free.append(handler)
            if isOver {
                if underWay == 0 { done.succeed(result) }
            } else {
                send()
            }
        }

        /// A connection was closed; with a request under way that failed.
        func lose(_ handler: PacedLoadHandler, hadRequest: Bool) {
            free.removeAll { $0 === handler }
            guard hadRequest else { return }
            underWay -= 1
            result.failed += 1
            if isOver, underWay == 0 { done.succeed(result) }
        }
    }
}

/// One connection of a `PacedLoad`.
final class PacedLoadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let sender: PacedLoad.Sender
    private var context: ChannelHandlerContext?
    private var pending = ByteBuffer()
    /// Of the request under way.
    private var due: ContinuousClock.Instant?

    init(_ sender: PacedLoad.Sender) { self.sender = sender }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        sender.add(self)
    }

    func send(_ request: ByteBuffer, due: ContinuousClock.Instant) {
        self.due = due
        context?.writeAndFlush(Self.wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = Self.unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = part } else { pending.writeBuffer(&part) }
        guard let answer = pending.withUnsafeReadableBytes(HTTPAnswer.init) else { return }
        pending = ByteBuffer()
        guard let due else { return }
        self.due = nil
        sender.answer(self, status: answer.status, due: due)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        sender.lose(self, hadRequest: due != nil)
        due = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension PacedLoadHandler: Sendable {}
