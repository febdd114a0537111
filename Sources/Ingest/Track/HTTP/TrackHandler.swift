import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import Platform

/// The track endpoint on one connection: answers requests to its own paths and passes on all others, part by part.
///
/// Stands behind NIO's HTTP decoder and `HTTPServerPipelineHandler`, which lets in one request at a time.
final class TrackHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between two requests.
        case idle
        /// Within a request that is someone else's.
        case passing
        /// Within one of ours.
        case reading
        /// One of ours is read and not answered.
        case answering
        /// One of ours was answered before its end; what is left of it is thrown away.
        case discarding
        /// The last answer is written, and more may come: closed with bytes unread, the connection would be reset, and
        /// the client might never see the answer.
        case lingering
        case closed
    }

    private let endpoint: TrackEndpoint
    private let loop: TrackLoop
    private var date = HTTPDate()
    private var peer = ClientAddress.unixSocket
    private var state = State.idle
    private var request = TrackRequest()
    /// Tells requests apart: word of an earlier one may come late.
    private var requestNumber: UInt64 = 0
    private var client = ClientAddress.unixSocket
    private var body: ByteBuffer?
    private var reservedBytes = 0
    private var discardedBytes = 0
    private var answeringSince = NIODeadline.uptimeNanoseconds(0)
    /// A half-close that came while an answer was due.
    private var holdsInputClosed = false
    /// Ends the wait for Postgres.
    private var storedWait: Scheduled<Void>?
    private var isWriting = false
    /// The answer is made, and will be written when the write under way is over.
    private var isDeferred = false

    init(_ endpoint: TrackEndpoint, _ loop: TrackLoop) {
        self.endpoint = endpoint
        self.loop = loop
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { peer = ClientAddress(context.channel.remoteAddress) }
    }

    func channelActive(context: ChannelHandlerContext) {
        peer = ClientAddress(context.channel.remoteAddress)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .closed
        release()
        storedWait?.cancel()
        storedWait = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            if state == .closed || state == .lingering { return }
            guard TrackRequest.isOwn(head.uri) else {
                state = .passing
                return context.fireChannelRead(data)
            }
            begin(head, context)
        case .body(let part):
            switch state {
            case .passing: context.fireChannelRead(data)
            case .reading:
                if !isDeferred { take(part, context) }
            case .discarding, .lingering:
                discardedBytes += part.readableBytes
                if discardedBytes > endpoint.settings.maxDrainBytes { close(context) }
            case .idle, .answering, .closed: break
            }
        case .end:
            switch state {
            case .passing:
                state = .idle
                context.fireChannelRead(data)
            case .reading:
                if isDeferred { state = .answering } else { finish(context) }
            case .discarding: state = .idle
            case .idle, .answering, .lingering, .closed: break
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            switch state {
            case .answering: return holdsInputClosed = true
            case .discarding, .lingering: return close(context)
            case .idle, .passing, .reading, .closed: break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.fireErrorCaught(error) }
        switch state {
        case .reading where isDeferred: close(context)
        case .reading:
            refuse(
                Problem(.badRequest, "bad_request", title: "Malformed HTTP", detail: "The body is malformed."), context,
                closes: true)
        case .discarding: close(context)
        // Of what came after the last request.
        case .lingering, .closed: break
        case .idle, .passing, .answering: context.fireErrorCaught(error)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        state = .closed
        context.close(promise: nil)
    }

    // MARK: Request

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        request = TrackRequest(head)
        requestNumber += 1
        discardedBytes = 0
        state = .reading
        client =
            endpoint.settings.trustedProxies.isEmpty
            ? peer : endpoint.settings.trustedProxies.client(peer: peer, forwardedFor: request.forwardedFor)
        switch head.method {
        case .OPTIONS:
            return answer(
                Answer(
                    .noContent,
                    headers: [
                        ("Allow", "GET, POST, OPTIONS"), ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
                        (
                            "Access-Control-Allow-Headers",
                            CORSPolicy.allowedHeaders(requested: request.requestedHeaders)
                        ),
                        ("Access-Control-Max-Age", "86400"),
                    ]), context)
        case .POST, .GET: break
        default: return refuse(.notAllowed, context)
        }
        if let rateLimit = endpoint.rateLimit {
            let nowNs = Int64(NIODeadline.now().uptimeNanoseconds)
            if let seconds = rateLimit.take(client.rateKey, nowNs: nowNs) {
                return refuse(.rateLimited(seconds), context)
            }
        }
        if head.method == .GET || head.uri.utf8.contains(UInt8(ascii: "?")) {
            do throws(QueryString.Malformed) {
                let query = try QueryString(uri: head.uri)
                switch query["wait"] {
                case nil: break
                case "stored": request.durability = .stored
                default: return refuse(.invalidWait, context)
                }
                if head.method == .GET { request.pixel = query }
            } catch {
                return refuse(.badQuery, context)
            }
        }
        if head.method == .GET { return }
        if request.encoding == .unknown { return refuse(.unsupportedEncoding, context) }
        if let length = request.contentLength, length > endpoint.settings.maxBodyBytes {
            return refuse(.bodyTooLarge(endpoint.settings.maxBodyBytes), context, closes: true)
        }
        if request.expectsContinue, request.version.minor > 0 {
            let head = HTTPResponseHead(version: request.version, status: .continue)
            context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
            request.expectsContinue = false
        }
    }

    private func take(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
        if request.pixel != nil { return }
        guard (body?.readableBytes ?? 0) + part.readableBytes <= endpoint.settings.maxBodyBytes else {
            return refuse(.bodyTooLarge(endpoint.settings.maxBodyBytes), context, closes: true)
        }
        guard reserve(part.readableBytes) else { return refuse(.overloaded, context) }
        if body == nil {
            body = part
        } else {
            body!.writeImmutableBuffer(part)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        state = .answering
        answeringSince = .now()
        let receivedAt = endpoint.now()
        let receipt = Receipt(
            receivedAt: receivedAt, clientAddress: client.text, userAgent: request.userAgent,
            isPrivate: request.isPrivate, salt: endpoint.salt(at: receivedAt))
        do throws(Problem) {
            if let pixel = request.pixel {
                let outcome = try decode(pixel, receipt)
                return deliver(outcome, loop.spareDecoder.takeRecords(), context)
            }
            let body = self.body ?? ByteBuffer()
            self.body = nil
            endpoint.metrics.receivedBytes.increment(by: body.readableBytes)
            let isGzip = TrackBody.isGzip(body, declared: request.encoding)
            if isGzip, body.readableBytes >= TrackEndpoint.maxInlineGzipBytes {
                return decodeOnPool(body, receipt, context)
            }
            let outcome = try TrackBody.decode(
                body, isGzip: isGzip, maxInflatedBytes: endpoint.settings.maxInflatedBytes, receipt, &loop.spareDecoder)
            deliver(outcome, loop.spareDecoder.takeRecords(), context)
        } catch {
            refuse(error, context)
        }
    }

    private func decode(_ pixel: QueryString, _ receipt: Receipt) throws(Problem) -> TrackOutcome {
        let json: [UInt8]
        do throws(TrackRefusal) {
            json = try PixelQuery.json(pixel)
        } catch {
            throw .track(error)
        }
        let outcome = try TrackBody.decode(json, receipt, &loop.spareDecoder)
        if let rejection = outcome.rejected.first {
            loop.spareDecoder.undo()
            endpoint.metrics.count(outcome)
            throw .invalidBeacon(rejection)
        }
        return outcome
    }

    private func decodeOnPool(_ body: ByteBuffer, _ receipt: Receipt, _ context: ChannelHandlerContext) {
        let maxInflatedBytes = endpoint.settings.maxInflatedBytes
        // The pool holds the body from here on, also where the client has gone: that alone bounds its queue.
        let heldBytes = reservedBytes
        reservedBytes = 0
        let decoded = endpoint.threadPool.runIfActive(eventLoop: context.eventLoop) {
            () -> (TrackOutcome, BeaconRecords) in
            var decoder = TrackDecoder()
            let outcome = try TrackBody.decode(
                body, isGzip: true, maxInflatedBytes: maxInflatedBytes, receipt, &decoder)
            return (outcome, decoder.takeRecords())
        }
        decoded.assumeIsolated().whenComplete { result in
            self.endpoint.metrics.inFlightBytes.add(-heldBytes)
            guard self.state == .answering else { return }
            switch result {
            case .success((let outcome, let records)): self.deliver(outcome, records, context)
            // The pool refuses work only once it is shut down.
            case .failure(let error): self.refuse(error as? Problem ?? .draining, context)
            }
        }
    }

    // MARK: Spool

    private func deliver(_ outcome: TrackOutcome, _ records: BeaconRecords, _ context: ChannelHandlerContext) {
        endpoint.metrics.count(outcome)
        let answer = self.answer(for: outcome)
        guard outcome.acceptedCount > 0 else { return self.answer(answer, context) }
        guard reserve(records.bytes.count) else { return refuse(.overloaded, context) }
        let eventLoop = context.eventLoop
        let count = outcome.acceptedCount
        let number = requestNumber
        let bound = NIOLoopBound((handler: self, context: context, answer: answer), eventLoop: eventLoop)
        endpoint.append(records, request.durability, loop.lane(of: outcome)) { result in
            eventLoop.execute {
                let (handler, context, answer) = bound.value
                // Counted also where the client has gone: the beacons are in.
                if case .success(.onDisk) = result { handler.endpoint.metrics.accepted.increment(by: count) }
                if handler.requestNumber == number { handler.complete(result, answer, context) }
            }
        }
    }

    private func complete(
        _ result: Result<Durability, SpoolRefusal>, _ answer: Answer, _ context: ChannelHandlerContext
    ) {
        guard state == .answering else { return }
        switch result {
        case .success(.onDisk) where request.durability == .stored:
            // What waits for Postgres holds no memory that others need.
            release()
            var late = answer
            late.status = .accepted
            let number = requestNumber
            storedWait = context.eventLoop.assumeIsolated().scheduleTask(in: endpoint.settings.maxStoredWait) {
                // What is due in the same tick can't be cancelled any more.
                guard self.requestNumber == number, self.state == .answering else { return }
                self.answer(late, context)
            }
        case .success:
            let elapsed = NIODeadline.now() - answeringSince
            endpoint.metrics.answerSeconds.observe(Double(elapsed.nanoseconds) / 1e9)
            self.answer(answer, context)
        case .failure(let refusal): refuse(.track(refusal), context)
        }
    }

    /// What is answered once the outcome's records are safe.
    private func answer(for outcome: TrackOutcome) -> Answer {
        if request.pixel != nil {
            return Answer(
                .ok, contentType: "image/gif", headers: [("Cache-Control", "no-store")], body: TrackPixel.gif)
        }
        return Answer(
            request.durability == .stored ? .ok : .accepted, contentType: "application/json",
            body: outcome.answerBody())
    }

    // MARK: Answer

    /// - Parameter closes: the rest of the request isn't worth reading.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext, closes: Bool = false) {
        if closes { request.keepsAlive = false }
        answer(Answer(problem, instance: request.path), context)
    }

    private func answer(_ answer: Answer, _ context: ChannelHandlerContext) {
        release()
        storedWait?.cancel()
        storedWait = nil
        if isWriting {
            // The last part of an answer makes NIO deliver the next pipelined request from within the write. Answered
            // right there, a thousand of them would be a thousand frames deep.
            isDeferred = true
            context.eventLoop.assumeIsolated().execute {
                self.isDeferred = false
                self.write(answer, context)
            }
        } else {
            write(answer, context)
        }
    }

    private func write(_ answer: Answer, _ context: ChannelHandlerContext) {
        let isWhole: Bool
        switch state {
        case .reading: isWhole = false
        case .answering: isWhole = true
        // The client has gone in the meantime.
        case .idle, .passing, .discarding, .lingering, .closed: return
        }
        endpoint.metrics.countResponse(Int(answer.status.code))
        // A client that waits for 100 and is refused may send the body all the same, or not: there is no telling where
        // its next request would begin.
        if request.expectsContinue { request.keepsAlive = false }
        let keepsAlive = request.keepsAlive
        state = !keepsAlive ? .lingering : isWhole ? .idle : .discarding
        var closed: EventLoopPromise<Void>?
        if !keepsAlive {
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenComplete { _ in
                context.close(mode: .output, promise: nil)
                context.eventLoop.assumeIsolated().scheduleTask(in: self.endpoint.settings.maxDrainTime) {
                    if self.state == .lingering { self.close(context) }
                }
            }
            closed = promise
        }
        isWriting = true
        answer.write(
            to: context, version: request.version, date: date.text(at: endpoint.now()),
            more: endpoint.settings.cors.headers(origin: request.origin), keepsAlive: keepsAlive,
            isHead: request.isHead, promise: closed)
        isWriting = false
        if holdsInputClosed {
            holdsInputClosed = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    // MARK: In flight

    /// False, and nothing reserved, where too much is in flight already.
    private func reserve(_ bytes: Int) -> Bool {
        guard endpoint.metrics.inFlightBytes.add(bytes) <= endpoint.settings.maxInFlightBytes else {
            endpoint.metrics.inFlightBytes.add(-bytes)
            return false
        }
        reservedBytes += bytes
        return true
    }

    private func release() {
        body = nil
        if reservedBytes > 0 {
            endpoint.metrics.inFlightBytes.add(-reservedBytes)
            reservedBytes = 0
        }
    }
}

@available(*, unavailable)
extension TrackHandler: Sendable {}
