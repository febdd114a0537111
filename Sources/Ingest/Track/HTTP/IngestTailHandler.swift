import HTTPTypes
import NIOCore
import NIOHTTP1
import Platform

/// The end of the ingest server's pipeline: what is neither `/track` nor an error of the protocol below it.
final class IngestTailHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let openAPI = Array(OpenAPI.merged([TrackOpenAPI.document]).utf8)

    private let metrics: Metrics
    private let isReady: @Sendable () -> Bool
    private var date = HTTPDate()
    private var head: HTTPRequestHead?
    private var isWriting = false
    /// An answer is made after which the connection ends: there are no more.
    private var isLast = false
    /// The answer is made, and will be written when the write under way is over.
    private var isDeferred = false
    /// A half-close that came while an answer was deferred.
    private var holdsInputClosed = false

    init(metrics: Metrics, isReady: @escaping @Sendable () -> Bool) {
        self.metrics = metrics
        self.isReady = isReady
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head, !isLast else { return }
            self.head = nil
            isLast = !head.isKeepAlive
            let answer = answer(to: head)
            if isWriting {
                // As in `TrackHandler`: pipelined requests must not nest.
                isDeferred = true
                context.eventLoop.assumeIsolated().execute {
                    self.isDeferred = false
                    self.write(answer, head, context)
                    if self.holdsInputClosed, !self.isDeferred { context.close(promise: nil) }
                }
            } else {
                write(answer, head, context)
            }
        }
    }

    private func answer(to head: HTTPRequestHead) -> Answer {
        let path = String(head.uri.prefix { $0 != "?" })
        let make: () -> Answer
        switch path {
        case "/health": make = { Answer(.ok, contentType: "text/plain; charset=utf-8", body: Array("ok\n".utf8)) }
        case "/ready":
            make = {
                self.isReady()
                    ? Answer(.ok, contentType: "text/plain; charset=utf-8", body: Array("ready\n".utf8))
                    : Answer(
                        Problem(.serviceUnavailable, "not_ready", title: "Not ready", retryAfterSeconds: 1),
                        instance: path)
            }
        case "/metrics":
            make = { Answer(.ok, contentType: Metrics.contentType, body: Array(self.metrics.exposition().utf8)) }
        case "/openapi.json":
            make = { Answer(.ok, contentType: "application/json", body: Self.openAPI) }
        default: return Answer(Problem(.notFound, "not_found"), instance: path)
        }
        switch head.method {
        case .GET, .HEAD: return make()
        default:
            return Answer(
                Problem(.methodNotAllowed, "method_not_allowed", headers: [.allow: "GET, HEAD"]), instance: path)
        }
    }

    private func write(_ answer: Answer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var promise: EventLoopPromise<Void>?
        if !head.isKeepAlive {
            promise = context.eventLoop.makePromise(of: Void.self)
            promise?.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        isWriting = true
        answer.write(
            to: context, version: head.version, date: date.text(at: TrackEndpoint.wallClock()),
            keepsAlive: head.isKeepAlive, isHead: head.method == .HEAD, promise: promise)
        isWriting = false
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            // `TrackHandler` holds this back while a request of its own is under way.
            if isDeferred { holdsInputClosed = true } else { context.close(promise: nil) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, !isLast {
            isLast = true
            Answer(Problem(.badRequest, "bad_request", title: "Malformed HTTP")).write(
                to: context, version: .http1_1, date: date.text(at: TrackEndpoint.wallClock()), keepsAlive: false)
        }
        // What else comes here is a connection that broke.
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension IngestTailHandler: Sendable {}
