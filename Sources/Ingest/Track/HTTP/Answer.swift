import HTTPTypes
import NIOCore
import NIOHTTP1
import Platform

/// A whole response, written at once.
struct Answer {
    var status: HTTPResponseStatus
    var headers: [(String, String)]
    var body: [UInt8]

    init(_ status: HTTPResponseStatus, contentType: String? = nil, headers: [(String, String)] = [], body: [UInt8] = [])
    {
        self.status = status
        self.headers = (contentType.map { [("Content-Type", $0)] } ?? []) + headers
        self.body = body
    }

    init(_ problem: Problem, instance: String? = nil) {
        var problem = problem
        if problem.instance == nil { problem.instance = instance }
        self.init(
            HTTPResponseStatus(statusCode: problem.status.code), contentType: Problem.contentType,
            headers: problem.headers.map { ($0.name.canonicalName, $0.value) }, body: problem.body())
        if let seconds = problem.retryAfterSeconds { headers.append(("Retry-After", String(seconds))) }
    }

    /// Writes and flushes all of it, to a HEAD request without the body. The promise is for the last of it.
    func write(
        to context: ChannelHandlerContext, version: HTTPVersion, date: String, more: [(String, String)] = [],
        keepsAlive: Bool, isHead: Bool = false, promise: EventLoopPromise<Void>? = nil
    ) {
        let fields = fields(version: version, date: date, more: more, keepsAlive: keepsAlive)
        let head = HTTPResponseHead(version: version, status: status, headers: HTTPHeaders(fields))
        context.write(Self.part(.head(head)), promise: nil)
        if !body.isEmpty, status != .noContent, !isHead {
            var buffer = context.channel.allocator.buffer(capacity: body.count)
            buffer.writeBytes(body)
            context.write(Self.part(.body(.byteBuffer(buffer))), promise: nil)
        }
        context.writeAndFlush(Self.part(.end(nil)), promise: promise)
    }

    /// The bytes that `write` sends to an HTTP/1.1 client, without NIO's encoder.
    func serialized(date: String, more: [(String, String)], keepsAlive: Bool) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(512 + body.count)
        bytes.writeString("HTTP/1.1 ")
        bytes.writeString(String(status.code))
        bytes.writeString(" ")
        bytes.writeString(status.reasonPhrase)
        bytes.writeString("\r\n")
        for (name, value) in fields(version: .http1_1, date: date, more: more, keepsAlive: keepsAlive) {
            bytes.writeString(name)
            bytes.writeString(": ")
            bytes.writeString(value)
            bytes.writeString("\r\n")
        }
        bytes.writeString("\r\n")
        bytes.writeBytes(body)
        return bytes
    }

    private func fields(
        version: HTTPVersion, date: String, more: [(String, String)], keepsAlive: Bool
    ) -> [(String, String)] {
        var fields = headers
        fields.reserveCapacity(headers.count + more.count + 3)
        fields.append(contentsOf: more)
        // 204 has no body, and says nothing of its length (RFC 9110 §8.6).
        if status != .noContent { fields.append(("Content-Length", String(body.count))) }
        fields.append(("Date", date))
        if !keepsAlive {
            fields.append(("Connection", "close"))
        } else if version.major == 1, version.minor == 0 {
            fields.append(("Connection", "keep-alive"))
        }
        return fields
    }

    private static func part(_ part: HTTPServerResponsePart) -> NIOAny { NIOAny(part) }
}
