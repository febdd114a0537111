import AsyncHTTPClient
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Platform

/// Asks Events for one event.
struct CatalogueSource: Sendable {
    static let maxBytes = 16 << 20
    /// Of an answer that says why there is none.
    static let maxProblemBytes = 64 * 1024
    static let maxWait = TimeAmount.seconds(5)

    /// Where Events is; nil until it is known.
    let url: @Sendable () -> URL?
    let logger: Logger

    /// Nil where there is no such event: Events says so by a code of its own. Any other 404 is a wrong way's, and says
    /// nothing of an event that is being sold.
    ///
    /// - Throws: a `Problem` where Events can't be asked or says what can't be understood.
    func event(_ id: String) async throws -> CatalogueEvent? {
        guard let url = url() else { throw Self.unavailable }
        let address = url.appending(path: "internal/events/\(id)").absoluteString
        do {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: address), timeout: Self.maxWait)
            if response.status == .notFound {
                let body = try await response.body.collect(upTo: Self.maxProblemBytes)
                if Self.code(Data(body.readableBytesView)) == "event_not_found" { return nil }
            }
            guard response.status == .ok else { throw Unexpected(status: Int(response.status.code)) }
            let body = try await response.body.collect(upTo: Self.maxBytes)
            let event = try CatalogueEvent(body.readableBytesView)
            guard event.id == id else { throw CatalogueEvent.Malformed(description: "it is another event") }
            return event
        } catch let error as CancellationError {
            throw error
        } catch {
            logger.warning("an event could not be copied", metadata: ["event": "\(id)", "error": "\(error)"])
            throw Self.unavailable
        }
    }

    private static func code(_ body: Data) -> String? {
        struct ProblemObject: Decodable {
            var code: String
        }
        return (try? JSONDecoder().decode(ProblemObject.self, from: body))?.code
    }

    private struct Unexpected: Error {
        let status: Int
    }

    static let unavailable = Problem(
        .serviceUnavailable, "catalogue_unavailable", detail: "The event's seats can't be asked for. Try again later.",
        retryAfterSeconds: 2)
}
