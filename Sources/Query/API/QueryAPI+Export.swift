import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Platform
import Storage

extension QueryAPI {
    func addExport<Context: RequestContext>(to group: some RouterMethods<Context>) {
        group.get("export") { request, context in
            let (question, format) = try await Self.withProblems {
                try ExportQuestion.parse(query: request.uri.query)
            }
            let slot: ExportSlots.Slot
            do {
                slot = try exports.take()
            } catch {
                throw Problem(
                    .serviceUnavailable, "too_many_exports", detail: "as many exports as may be are under way",
                    retryAfterSeconds: 10)
            }
            // What fails at once is said with a status; what fails later can only break off.
            let (begun, first) = try await Self.withProblems {
                var pieces = try engine.export(question, format)
                let first = try await pieces.next()
                return (pieces, first)
            }
            let logger = context.logger
            let isZipped = JSONResponse.acceptsGzip(request.headers[.acceptEncoding] ?? "")
            var headers = Self.headers(question.subject, format)
            if isZipped { headers[.contentEncoding] = "gzip" }
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody { writer in
                    var pieces = begun
                    var piece = first
                    let gzip = isZipped ? GzipPieces() : nil
                    while let bytes = piece {
                        // Waits for a reader who is slower than this.
                        if !bytes.isEmpty {
                            try await writer.write(ByteBuffer(bytes: gzip.map { $0.add(bytes) } ?? bytes))
                        }
                        do {
                            piece = try await pieces.next()
                        } catch {
                            // Without its last chunk an answer is not whole, and every client says so.
                            logger.warning("An export broke off", metadata: ["error": "\(error)"])
                            throw error
                        }
                    }
                    if let gzip { try await writer.write(ByteBuffer(bytes: gzip.finish())) }
                    try await writer.finish(nil)
                    withExtendedLifetime(slot) {}
                })
        }
    }

    private static func headers(_ subject: ExportQuestion.Subject, _ format: ExportQuestion.Format) -> HTTPFields {
        [
            .contentType: format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
            .cacheControl: "no-store", .vary: "Accept-Encoding",
            .contentDisposition: "attachment; filename=\"\(subject.rawValue).\(format.rawValue)\"",
        ]
    }
}
