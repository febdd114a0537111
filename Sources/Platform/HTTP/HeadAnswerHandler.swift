import NIOCore
import NIOHTTP1

/// Answers to HEAD have no body, also where nobody can tell how long it would be: NIO's encoder would mark its end, which a
/// client takes for the beginning of the next answer. So such an answer ends with the connection.
final class HeadAnswerHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var isHeadAsked = false
    private var isEndless = false

    /// So long as a request is not answered there is no other.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) {
            isHeadAsked = head.method == .HEAD
            isEndless = false
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isHeadAsked else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            let mayHaveBody = head.status.code >= 200 && head.status.mayHaveResponseBody
            isEndless = mayHaveBody && !head.headers.contains(name: "content-length")
            if isEndless { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where isEndless:
            context.flush()
            context.close(promise: promise)
        default: context.write(data, promise: promise)
        }
    }
}
