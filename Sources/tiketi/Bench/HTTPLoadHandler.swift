import NIOCore

/// One connection of `HTTPLoad`.
final class HTTPLoadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A refused client waits so long, as a decent one does.
    static let refusedPause = TimeAmount.milliseconds(10)

    private let requests: [ByteBuffer]
    private var next: Int
    private let from: NIODeadline
    private let to: NIODeadline
    private let tally: EventLoopPromise<HTTPLoad.Result>
    private var result = HTTPLoad.Result()
    private var sentAt = NIODeadline.now()
    private var pending = ByteBuffer()
    private var isDone = false

    init(
        requests: [ByteBuffer], first: Int, from: NIODeadline, to: NIODeadline,
        tally: EventLoopPromise<HTTPLoad.Result>
    ) {
        self.requests = requests
        next = first % requests.count
        self.from = from
        self.to = to
        self.tally = tally
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        sentAt = .now()
        context.writeAndFlush(Self.wrapOutboundOut(requests[next]), promise: nil)
        next = next + 1 == requests.count ? 0 : next + 1
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = Self.unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = part } else { pending.writeBuffer(&part) }
        guard let answer = pending.withUnsafeReadableBytes(HTTPAnswer.init) else { return }
        pending = ByteBuffer()
        let now = NIODeadline.now()
        let isMeasured = now >= from && now < to
        let isAccepted = (200..<300).contains(answer.status)
        if isAccepted {
            result.accepted += 1
            if isMeasured { result.latencies.add(ns: UInt64((now - sentAt).nanoseconds)) }
        } else if isMeasured {
            result.refused += 1
        }
        if now >= to {
            isDone = true
            tally.succeed(result)
            context.close(promise: nil)
        } else if isAccepted {
            send(context)
        } else {
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.refusedPause) { self.send(context) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDone { tally.fail(HTTPLoad.ConnectionLost()) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension HTTPLoadHandler: Sendable {}
