import Hummingbird
package import HummingbirdCore
package import Logging
package import NIOCore
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// HTTP/1 for Hummingbird, with handlers of ours between NIO's codec and Hummingbird's: they answer what is theirs and
/// pass on the rest, and both serve the same connection, request by request.
///
/// Such a handler sees one request at a time: NIO's pipeline handler holds the next one back until the answer to the one
/// before is written. It has nothing to do for reading to go on: the `NIOAsyncChannel` at the end of the pipeline only
/// holds reads back while it has more parts of Hummingbird's own requests than it is asked for.
package struct SharedPortChannel: ServerChildChannel, HTTPChannelHandler {
    package typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    package typealias AddHandlers = @Sendable (any Channel) throws -> Void

    package let responder: Responder
    private let idleMax: TimeAmount
    private let requestMax: TimeAmount
    private let addHandlers: AddHandlers

    /// - Parameter addHandlers: called on the channel's event loop; adds handlers of `HTTPServerRequestPart` at the end
    ///   of its pipeline.
    package init(
        responder: @escaping Responder, idleMax: TimeAmount = .seconds(60), requestMax: TimeAmount = .seconds(60),
        addHandlers: @escaping AddHandlers
    ) {
        self.responder = responder
        self.idleMax = idleMax
        self.requestMax = requestMax
        self.addHandlers = addHandlers
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try HTTPServerPipeline.configure(channel, idleMax: idleMax, requestMax: requestMax)
            try addHandlers(channel)
            try channel.pipeline.syncOperations.addHandlers(
                HeadAnswerHandler(), HTTP1ToHTTPServerCodec(secure: false))
            return try Value(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}

extension HTTPServerBuilder {
    /// A server for `Application` whose connections run through `addHandlers` first.
    package static func sharedPort(
        idleMax: TimeAmount = .seconds(60), addHandlers: @escaping SharedPortChannel.AddHandlers
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            SharedPortChannel(responder: responder, idleMax: idleMax, addHandlers: addHandlers)
        }
    }
}
