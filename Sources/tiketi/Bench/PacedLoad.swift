import Core
import NIOCore
import NIOPosix
import Synchronization

/// Batches of beacons at a rate, whatever the answers take: an open loop, as browsers are.
///
/// One connection has one request under way; where all have, what is due waits, and its acknowledgement comes late.
struct PacedLoad {
    /// What was acknowledged by when.
    struct Acknowledged {
        var at: ContinuousClock.Instant
        /// Beacons in all.
        var beacons: Int
    }

    static let connections = 16
    static let tick: TimeAmount = .milliseconds(5)

    let port: Int
    /// Beacons a second.
    let rate: Double
    let lasts: Duration
    let seed: UInt64

    func run() async throws -> [Acknowledged] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = group.next()
            let sender = try await loop.submit { NIOLoopBound(Sender(loop, self), eventLoop: loop) }.get()
            for _ in 0..<Self.connections {
                _ = try await ClientBootstrap(group: loop)
                    .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(PacedLoadHandler(sender.value))
                        }
                    }
                    .connect(host: "127.0.0.1", port: port).get()
            }
            let acknowledged = try await loop.flatSubmit { sender.value.run() }.get()
            try await group.shutdownGracefully()
            return acknowledged
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Confined to its event loop.
    final class Sender {
        private let loop: any EventLoop
        private let lasts: Duration
        private var bodies: LiveBodies
        private var pace: Pace
        private var due = 0
        private var sent = 0
        private var answered = 0
        private var start = ContinuousClock.now
        private var free: [PacedLoadHandler] = []
        private var acknowledged: [Acknowledged] = []
        private let done: EventLoopPromise<[Acknowledged]>

        init(_ loop: any EventLoop, _ load: PacedLoad) {
            self.loop = loop
            lasts = load.lasts
            bodies = LiveBodies(seed: load.seed)
            pace = Pace(rate: load.rate / Double(BeaconBodies.batchCount))
            done = loop.makePromise()
        }

        func run() -> EventLoopFuture<[Acknowledged]> {
            start = .now
            let bound = NIOLoopBound(self, eventLoop: loop)
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: PacedLoad.tick) { task in
                let sender = bound.value
                let elapsed = ContinuousClock.now - sender.start
                if elapsed >= sender.lasts {
                    task.cancel()
                    if sender.answered == sender.sent { sender.done.succeed(sender.acknowledged) }
                    return
                }
                sender.due += sender.pace.due(at: elapsed)
                sender.send()
            }
            return done.futureResult
        }

        func add(_ handler: PacedLoadHandler) { free.append(handler) }

        private func send() {
            while due > 0, let handler = free.popLast() {
                due -= 1
                sent += 1
                handler.send(bodies.request(at: ProcessSettings.clock()))
            }
        }

        func answer(_ handler: PacedLoadHandler, isAccepted: Bool) {
            guard isAccepted else { return fail(HTTPLoad.ConnectionLost()) }
            answered += 1
            acknowledged.append(Acknowledged(at: .now, beacons: answered * BeaconBodies.batchCount))
            free.append(handler)
            let isOver = ContinuousClock.now - start >= lasts
            if !isOver { send() } else if answered == sent { done.succeed(acknowledged) }
        }

        func fail(_ error: any Error) { done.fail(error) }
    }
}

/// One connection of a `PacedLoad`.
final class PacedLoadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let sender: PacedLoad.Sender
    private var context: ChannelHandlerContext?
    private var pending = ByteBuffer()

    init(_ sender: PacedLoad.Sender) { self.sender = sender }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        sender.add(self)
    }

    func send(_ request: ByteBuffer) {
        context?.writeAndFlush(Self.wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = Self.unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = part } else { pending.writeBuffer(&part) }
        guard let answer = pending.withUnsafeReadableBytes(HTTPAnswer.init) else { return }
        pending = ByteBuffer()
        sender.answer(self, isAccepted: (200..<300).contains(answer.status))
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        // After the last answer this is nothing: the promise is fulfilled.
        sender.fail(HTTPLoad.ConnectionLost())
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension PacedLoadHandler: Sendable {}
