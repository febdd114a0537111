import Hummingbird
import NIOCore
import Platform

extension QueryAPI {
    static let eventStream = "text/event-stream"

    func addRealtime<Context: RequestContext>(to group: some RouterMethods<Context>) {
        group.get("realtime") { request, _ in
            _ = try await Self.withProblems { try QueryParameters(query: request.uri.query, known: []) }
            let stream: AsyncStream<RealtimeFeed.Piece>
            do {
                stream = try feed.subscribe()
            } catch {
                throw Problem(
                    .serviceUnavailable, "too_many_streams",
                    detail: "as many as may already look at the present; the dashboard answers everybody",
                    retryAfterSeconds: 10)
            }
            return Response(
                status: .ok,
                headers: [
                    .contentType: Self.eventStream, .cacheControl: "no-store",
                    // Such as nginx, which else holds back what it reads.
                    .init("X-Accel-Buffering")!: "no",
                ],
                body: ResponseBody { writer in
                    var sent = 0
                    for await piece in stream {
                        // Throws once the client has gone.
                        try await writer.write(ByteBuffer(bytes: piece))
                        sent += 1
                        if sent == RealtimeFeed.maxPieces { break }
                    }
                    try await writer.finish(nil)
                })
        }
    }

    static func event(_ answer: RealtimeAnswer) -> RealtimeFeed.Piece {
        var json = JSONWriter()
        answer.write(to: &json)
        return Array("data: ".utf8) + json.bytes + Array("\n\n".utf8)
    }
}
