package import NIOCore
package import NIOHTTP1

/// Closes a connection on which a client keeps the server waiting, be it for a request or for its answers to be read.
///
/// An answer ends only once what was written before has gone out: `HTTPServerPipelineHandler` lets in the next request
/// at the end of an answer, and who sends requests and reads nothing would fill the memory with answers.
///
/// Stands above NIO's HTTP decoder, so it sees requests and not bytes: a head that trickles in byte by byte does not
/// keep a connection alive, as it would with NIO's `IdleStateHandler`. While an answer is being made it waits.
package final class IdleConnectionHandler: ChannelDuplexHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    /// How long the next part of a request may take.
    private let idleMax: TimeAmount
    /// How long a whole request may take, nil for as long as its parts keep coming.
    private let requestMax: TimeAmount?
    private var lastPart = NIODeadline.now()
    private var headCame = NIODeadline.now()
    private var isReading = false
    private var isAnswering = false
    /// The end of an answer, held back until the client reads.
    private var heldEnd: (part: NIOAny, promise: EventLoopPromise<Void>?)?
    /// Since when nothing more can be written.
    private var unwritableSince: NIODeadline?
    private var check: Scheduled<Void>?
    private var keepsAlive = true

    /// Called when an answer's end is written, with whether another request may follow.
    package var onAnswered: ((_ keepsAlive: Bool) -> Void)?

    package init(idleMax: TimeAmount, requestMax: TimeAmount? = nil) {
        self.idleMax = idleMax
        self.requestMax = requestMax
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        lastPart = .now()
        if context.channel.isActive { schedule(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        check?.cancel()
        check = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        lastPart = .now()
        schedule(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        check?.cancel()
        check = nil
        heldEnd?.promise?.fail(ChannelError.ioOnClosedChannel)
        heldEnd = nil
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head: requestBegan()
        case .body: partCame()
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch Self.unwrapOutboundIn(data) {
        case .head(let head):
            keepsAlive = !head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            guard context.channel.isWritable else { return heldEnd = (data, promise) }
            answered()
            context.write(data, promise: promise)
            onAnswered?(keepsAlive)
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            unwritableSince = nil
            if let (part, promise) = heldEnd {
                heldEnd = nil
                answered()
                context.writeAndFlush(part, promise: promise)
                onAnswered?(keepsAlive)
            }
        } else {
            unwritableSince = .now()
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: For a handler that answers requests before they come here

    /// A request's head has come, and not all of it.
    package func requestBegan() {
        lastPart = .now()
        headCame = lastPart
        isReading = true
        isAnswering = true
    }

    package func partCame() { lastPart = .now() }

    /// A whole request has come.
    package func requestEnded() {
        isReading = false
        isAnswering = true
    }

    package func answered() {
        isAnswering = false
        lastPart = .now()
    }

    /// One timer a connection, set anew only when it fires: nothing is scheduled for each request.
    private func schedule(_ context: ChannelHandlerContext) {
        guard check == nil else { return }
        let bound = context.loopBound
        check = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.check = nil
            let context = bound.value
            if NIODeadline.now() < self.deadline {
                self.schedule(context)
            } else {
                context.close(promise: nil)
            }
        }
    }

    private var deadline: NIODeadline {
        if let unwritableSince { return unwritableSince + idleMax }
        if isAnswering, !isReading { return .now() + idleMax }
        let idle = lastPart + idleMax
        guard isReading, let requestMax else { return idle }
        return min(idle, headCame + requestMax)
    }
}

@available(*, unavailable)
extension IdleConnectionHandler: Sendable {}
