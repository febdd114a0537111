import Foundation
import HTTPTypes
package import Platform

/// The queue's word that somebody may buy now: a JWT by the queue's own key, good for one buyer, one event and once.
package struct AdmissionToken: Decodable, Equatable, Sendable {
    package static let issuer = "tiketi-queue"
    package static let maxIdBytes = 128

    package var iss: String
    private var aud: String
    package var sub: String
    package var event: String
    package var jti: String
    /// Seconds since 1970.
    package var exp: Int64

    /// Whether it lets this buyer in.
    ///
    /// - Parameter nowMs: milliseconds since 1970.
    package static func verified(
        _ text: String, _ keys: KeySource, buyer: String, eventId: String, nowMs: Int64
    ) async throws -> AdmissionToken {
        let payload: Data
        do {
            payload = try await SignedToken.payload(of: text, keys)
        } catch is InvalidToken {
            throw refused("it is not one of the queue's")
        } catch is FetchedKeys.Unavailable {
            throw Problem(
                .serviceUnavailable, "keys_unavailable", detail: "the queue's keys can't be fetched",
                retryAfterSeconds: 5)
        }
        guard let token = try? JSONDecoder().decode(AdmissionToken.self, from: payload),
            (1...maxIdBytes).contains(token.jti.utf8.count), !token.jti.utf8.contains(0)
        else { throw refused("it lacks claims") }
        guard token.iss == issuer, token.aud == Audience.reservations.rawValue else {
            throw refused("it is meant for something else")
        }
        guard token.sub == buyer else { throw refused("it is another buyer's") }
        guard token.event == eventId else { throw refused("it is for another event") }
        guard nowMs / 1000 < token.exp else { throw refused("it has expired: queue again") }
        return token
    }

    private static func refused(_ why: String) -> Problem {
        Problem(.forbidden, "admission_invalid", detail: "the admission token is of no use here: \(why)")
    }
}
