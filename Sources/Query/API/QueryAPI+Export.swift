import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Platform

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
            return Response(
                status: .ok, headers: Self.headers(question.subject, format),
                body: ResponseBody { writer in
                    var pieces = begun
                    var piece = first
                    while let bytes = piece {
                        // Waits for a reader who is slower than this.
                        if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
                        do {
                            piece = try await pieces.next()
                        } catch {
                            // Without its last chunk an answer is not whole, and every client says so.
                            logger.warning("An export broke off", metadata: ["error": "\(error)"])
                            throw error
                        }
                    }
                    try await writer.finish(nil)
                    withExtendedLifetime(slot) {}
                })
        }
    }

    private static func headers(_ subject: ExportQuestion.Subject, _ format: ExportQuestion.Format) -> HTTPFields {
        [
            .contentType: format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
            .cacheControl: "no-store",
            .contentDisposition: "attachment; filename=\"\(subject.rawValue).\(format.rawValue)\"",
        ]
    }
}
