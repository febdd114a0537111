import NIOCore
import NIOHTTP1
import Platform

/// Answers plain track requests (`RequestFrame`) straight from a connection's bytes, which takes a third of the time that
/// a whole HTTP parser and its handlers take. Stands at the head of the pipeline, before NIO's decoder.
///
/// All others it passes on, byte by byte, to the handlers behind it, one request at a time, and so it does with a plain
/// one to which there is more to say than 202: they know every rule. Once it can't tell where a request ends, it passes
/// on all that comes.
final class PlainTrackHandler: ChannelDuplexHandler, RemovableChannelHandler, TrackLoop.Connection {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Between two requests, or within one that isn't whole.
        case reading
        /// A plain request is taken and not answered.
        case answering
        /// Of a request that others answer, so many bytes are still to come.
        case passing(bytes: Int)
        /// It is passed on and not answered.
        case passed
        /// All that comes is for others.
        case surrendered
        case closed
    }

    private let loop: TrackLoop
    private let watch: IdleConnectionHandler
    private var peer = ClientAddress.unixSocket
    private var state = State.reading
    /// What came and isn't taken: less than a request, or what a client sends ahead.
    private var inbox = ByteBuffer()
    /// Of the request in `inbox` whose head is whole and whose body isn't.
    private var frame: RequestFrame?
    private var reservedBytes = 0
    /// Tells requests apart: word of an earlier one may come late.
    private var requestNumber: UInt64 = 0
    /// Of the request under way.
    private var path = ""
    private var origin: String?
    /// A client sends the same one with each request.
    private var userAgent: (bytes: [UInt8], text: String) = ([], "")
    /// Others have answered the request that is passed on to them.
    private var isPassedAnswered = false
    /// Between a read and its completion.
    private var isInRead = false
    private var hasPassedBytes = false
    private var holdsRead = false
    /// What came while an answer was due.
    private var holdsInputClosed = false
    private var holdsQuiesce = false
    private var context: ChannelHandlerContext?

    /// - Parameter watch: further back in the same pipeline.
    init(_ loop: TrackLoop, watch: IdleConnectionHandler) {
        self.loop = loop
        self.watch = watch
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watch.onAnswered = { [unowned self] keepsAlive in othersAnswered(keepsAlive: keepsAlive) }
        if context.channel.isActive { peer = ClientAddress(context.channel.remoteAddress) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        watch.onAnswered = nil
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        peer = ClientAddress(context.channel.remoteAddress)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .closed
        inbox = ByteBuffer()
        _ = reserve(0)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        var bytes = Self.unwrapInboundIn(data)
        if inbox.readableBytes == 0 {
            inbox = bytes
        } else {
            if inbox.readerIndex > 0 {
                // Without what is taken: behind half a request, again and again, it would all be kept.
                var rest = context.channel.allocator.buffer(capacity: inbox.readableBytes + bytes.readableBytes)
                rest.writeBuffer(&inbox)
                inbox = rest
            }
            inbox.writeBuffer(&bytes)
        }
        advance(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        completePassing(context)
    }

    /// Handlers may wait for it with what they were passed.
    private func completePassing(_ context: ChannelHandlerContext) {
        guard hasPassedBytes, !isInRead else { return }
        hasPassedBytes = false
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if mayRead(context) { context.read() } else { holdsRead = true }
    }

    /// What waits to be taken is bounded by one read, and by one request.
    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        switch state {
        case .answering, .passed: inbox.readableBytes == 0
        case .reading: inbox.readableBytes == 0 || context.channel.isWritable
        case .passing, .surrendered, .closed: true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.fireChannelWritabilityChanged()
        advance(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            holdsInputClosed = true
            return settle(context)
        }
        if event is ChannelShouldQuiesceEvent {
            if case .answering = state { return holdsQuiesce = true }
            // Others wait for the rest of a request whose head they know.
            if case .reading = state, frame != nil { surrender(context) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Requests

    private func advance(_ context: ChannelHandlerContext) {
        loop: while inbox.readableBytes > 0 {
            switch state {
            case .reading:
                // Who doesn't read the answers gets no more of them.
                guard context.channel.isWritable, readRequest() else { break loop }
            case .passing(let bytes):
                let part = inbox.readSlice(length: min(bytes, inbox.readableBytes))!
                state = part.readableBytes < bytes ? .passing(bytes: bytes - part.readableBytes) : .passed
                pass(part, context)
                if case .passed = state, isPassedAnswered { state = .reading }
            case .surrendered: pass(inbox.readSlice(length: inbox.readableBytes)!, context)
            case .answering, .passed, .closed: break loop
            }
        }
        settle(context)
    }

    private func pass(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
        hasPassedBytes = true
        // Who takes it counts it.
        _ = reserve(inbox.readableBytes)
        context.fireChannelRead(Self.wrapInboundOut(part))
    }

    /// Takes the request that `inbox` begins with, or has others take it. False where more of it must come first.
    private func readRequest() -> Bool {
        let frame: RequestFrame
        if let known = self.frame {
            frame = known
        } else {
            switch inbox.withUnsafeReadableBytes({ RequestFrame.read($0) }) {
            case .incomplete: return false
            case .unclear:
                state = .surrendered
                return true
            case .other(let bytes):
                leave(bytes)
                return true
            case .plain(let plain): frame = plain
            }
        }
        guard inbox.readableBytes >= frame.bytes else {
            if self.frame == nil { watch.requestBegan() } else { watch.partCame() }
            self.frame = frame
            return false
        }
        self.frame = nil
        if take(frame) {
            inbox.moveReaderIndex(forwardBy: frame.bytes)
            state = .answering
            watch.requestEnded()
        } else {
            leave(frame.bytes)
        }
        return true
    }

    /// Has others answer the next so many bytes.
    private func leave(_ bytes: Int) {
        isPassedAnswered = false
        state = .passing(bytes: bytes)
    }

    private func take(_ frame: RequestFrame) -> Bool {
        requestNumber += 1
        return inbox.withUnsafeReadableBytes { bytes in
            let proxies = loop.endpoint.settings.trustedProxies
            var client = peer
            if !proxies.isEmpty {
                let hops = frame.forwardedFor.map { String(decoding: bytes[$0], as: UTF8.self) }
                client = proxies.client(peer: peer, forwardedFor: hops)
            }
            if let extent = frame.userAgent {
                if !userAgent.bytes.elementsEqual(bytes[extent]) {
                    userAgent = (Array(bytes[extent]), String(decoding: bytes[extent], as: UTF8.self))
                }
            }
            path = frame.path
            origin = frame.origin.map { String(decoding: bytes[$0], as: UTF8.self) }
            return loop.take(
                UnsafeRawBufferPointer(rebasing: bytes[frame.headBytes..<frame.bytes]), from: client,
                userAgent: frame.userAgent == nil ? nil : userAgent.text, isPrivate: frame.isPrivate, for: self,
                request: requestNumber)
        }
    }

    // MARK: Answers

    func complete(_ request: UInt64, beacons: Int, _ result: Result<Durability, SpoolRefusal>) {
        guard request == requestNumber, case .answering = state, let context else { return }
        switch result {
        case .success: write(loop.accepted(beacons, origin: origin, keepsAlive: !holdsQuiesce), context)
        case .failure(let refusal):
            write(loop.refused(refusal, path: path, origin: origin, keepsAlive: !holdsQuiesce), context)
        }
    }

    private func write(_ answer: ByteBuffer, _ context: ChannelHandlerContext) {
        watch.answered()
        guard !holdsQuiesce else {
            state = .closed
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            return context.writeAndFlush(Self.wrapOutboundOut(answer), promise: promise)
        }
        state = .reading
        context.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil)
        advance(context)
    }

    private func othersAnswered(keepsAlive: Bool) {
        switch state {
        case .passing, .passed: break
        case .reading, .answering, .surrendered, .closed: return
        }
        guard keepsAlive else { return state = .surrendered }
        isPassedAnswered = true
        // They are in the midst of it: what comes next must not nest.
        context?.eventLoop.assumeIsolated().execute {
            guard case .passed = self.state, self.isPassedAnswered, let context = self.context else { return }
            self.state = .reading
            self.advance(context)
        }
    }

    // MARK: Between

    /// Puts right what depends on how much waits.
    private func settle(_ context: ChannelHandlerContext) {
        if inbox.readableBytes == 0 { inbox = ByteBuffer() }
        if !reserve(inbox.readableBytes), case .reading = state { surrender(context) }
        if holdsInputClosed, !mayComeMore(context) {
            holdsInputClosed = false
            // Half a request: others know what to say of it.
            if case .reading = state, inbox.readableBytes > 0 { surrender(context) }
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        completePassing(context)
        if holdsRead, mayRead(context) {
            holdsRead = false
            context.read()
        }
    }

    /// Whether there is something to answer yet of what came before the client closed its side.
    private func mayComeMore(_ context: ChannelHandlerContext) -> Bool {
        switch state {
        case .answering: true
        case .passed: inbox.readableBytes > 0
        case .reading: inbox.readableBytes > 0 && !context.channel.isWritable
        case .passing, .surrendered, .closed: false
        }
    }

    private func surrender(_ context: ChannelHandlerContext) {
        state = .surrendered
        let rest = inbox
        inbox = ByteBuffer()
        if rest.readableBytes > 0 { pass(rest, context) }
    }

    /// False where more is in flight then than may be.
    private func reserve(_ bytes: Int) -> Bool {
        guard bytes != reservedBytes else { return true }
        let inFlight = loop.endpoint.metrics.inFlightBytes.add(bytes - reservedBytes)
        let isMore = bytes > reservedBytes
        reservedBytes = bytes
        return !isMore || inFlight <= loop.endpoint.settings.maxInFlightBytes
    }
}

@available(*, unavailable)
extension PlainTrackHandler: Sendable {}
