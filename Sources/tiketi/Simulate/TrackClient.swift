import AsyncHTTPClient
import Core
import Foundation
import NIOCore
import NIOHTTP1

/// Sends beacons to `/track`, repeating what a passing trouble stopped: a `messageId` counts once.
struct TrackClient: Sendable {
    struct Outcome: Sendable, Equatable {
        var accepted = 0
        var rejected = 0
        var failed = 0
        var retries = 0
        /// Why the last beacons that failed did.
        var failure: String?

        static func + (left: Outcome, right: Outcome) -> Outcome {
            Outcome(
                accepted: left.accepted + right.accepted, rejected: left.rejected + right.rejected,
                failed: left.failed + right.failed, retries: left.retries + right.retries,
                failure: right.failure ?? left.failure)
        }
    }

    static let maxAttempts = 8
    static let maxAnswerBytes = 1 << 20
    static let maxWait: Duration = .seconds(2)
    static let timeout: TimeAmount = .seconds(10)

    let client: HTTPClient
    /// Without a slash at the end.
    let url: String

    private struct Answer: Decodable {
        struct Rejected: Decodable {}
        var accepted: Int
        var rejected: [Rejected]?
    }

    /// Throws where nothing answers at all.
    func checkAlive() async throws {
        let response = try await client.execute(HTTPClientRequest(url: url + "/health"), timeout: .seconds(5))
        _ = try? await response.body.collect(upTo: Self.maxAnswerBytes)
    }

    func send(_ beacons: [Beacon]) async -> Outcome {
        var request = HTTPClientRequest(url: url + "/api/analytics/track")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        let body = ByteBuffer(bytes: TrackBody.json(beacons))
        var outcome = Outcome()
        var wait: Duration = .milliseconds(50)
        for attempt in 1...Self.maxAttempts {
            do {
                request.body = .bytes(body)
                let response = try await client.execute(request, timeout: Self.timeout)
                let answer = try await response.body.collect(upTo: Self.maxAnswerBytes)
                switch response.status.code {
                case 200, 202:
                    let decoded = try JSONDecoder().decode(Answer.self, from: Data(answer.readableBytesView))
                    outcome.accepted += decoded.accepted
                    outcome.rejected += decoded.rejected?.count ?? 0
                    return outcome
                case 429, 500...:
                    outcome.failure = "\(response.status)"
                    if let seconds = response.headers.first(name: "retry-after").flatMap(Int.init) {
                        wait = max(wait, .seconds(seconds))
                    }
                default:
                    // Repeating this would fail again.
                    outcome.failure = "\(response.status)"
                    outcome.failed += beacons.count
                    return outcome
                }
            } catch {
                if Task.isCancelled { break }
                outcome.failure = "\(error)"
            }
            if attempt == Self.maxAttempts { break }
            outcome.retries += 1
            wait = min(wait, Self.maxWait)
            try? await Task.sleep(for: wait)
            wait *= 2
        }
        outcome.failed += beacons.count
        return outcome
    }
}
