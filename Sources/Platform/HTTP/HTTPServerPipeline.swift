package import NIOCore
import NIOHTTP1

/// What every HTTP/1 connection of ours begins with.
package enum HTTPServerPipeline {
    /// What a request's head may take: a URL or one field 32 KiB, all fields 64 KiB, 128 of them. NIO's own bounds are
    /// 80 KiB, 2 MiB and 256. Beyond them the answer is 400 and the connection is closed.
    static var headBounds: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 32 * 1024
        limits.maxHeaderListSize = 64 * 1024
        limits.maxHeaderFieldCount = 128
        return limits
    }

    /// Adds the codec, one request at a time, and the bounds on time. On the channel's event loop.
    ///
    /// - Parameters:
    ///   - idleMax: how long a client may take for the next part of a request, or for the next request.
    ///   - requestMax: how long for a whole request, nil for as long as its parts keep coming.
    package static func configure(_ channel: any Channel, idleMax: TimeAmount, requestMax: TimeAmount?) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: headBounds)
        try pipeline.addHandlers(
            ReadAheadHandler(), HTTPServerPipelineHandler(),
            IdleConnectionHandler(idleMax: idleMax, requestMax: requestMax))
    }
}
