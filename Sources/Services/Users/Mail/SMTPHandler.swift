import NIOCore
import NIOSSL

/// Leads one dialogue over a connection.
final class SMTPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Failure: Error {
        case closed
        /// Something came in plain text after STARTTLS was agreed on: somebody in between speaks for the server.
        case injected
        case timedOut
    }

    /// For a whole letter.
    static let maxTime = TimeAmount.seconds(30)

    private var dialogue: SMTPDialogue
    private var replies = SMTPReplyReader()
    private let tls: NIOSSLContext
    private let delivered: EventLoopPromise<Void>
    private var isOver = false
    private var deadline: Scheduled<Void>?

    init(_ dialogue: SMTPDialogue, tls: NIOSSLContext, delivered: EventLoopPromise<Void>) {
        self.dialogue = dialogue
        self.tls = tls
        self.delivered = delivered
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: Self.maxTime) {
            let (handler, context) = bound.value
            handler.fail(Failure.timedOut, context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        do {
            while !isOver, let byte = buffer.readInteger(as: UInt8.self) {
                guard let reply = try replies.take(byte) else { continue }
                let step = try dialogue.take(reply)
                if step == .startTLS, buffer.readableBytes > 0 { throw Failure.injected }
                try follow(step, context)
            }
        } catch {
            fail(error, context)
        }
    }

    private func follow(_ step: SMTPDialogue.Step, _ context: ChannelHandlerContext) throws {
        switch step {
        case .send(let text): send(text, context)
        case .startTLS:
            try context.pipeline.syncOperations.addHandler(
                NIOSSLClientHandler(context: tls, serverHostname: dialogue.settings.serverName), position: .first)
            // Written when the handshake is done.
            try follow(dialogue.becameSecure(), context)
        case .delivered(let goodbye):
            isOver = true
            deadline?.cancel()
            delivered.succeed()
            send(goodbye, context)
            context.close(promise: nil)
        }
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(context.channel.allocator.buffer(string: text)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(Failure.closed, context)
        context.fireChannelInactive()
    }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        deadline?.cancel()
        delivered.fail(error)
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension SMTPHandler: Sendable {}

extension SMTPSettings {
    /// For the certificate: nil for an address, which TLS takes for no name.
    var serverName: String? {
        (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
    }
}
