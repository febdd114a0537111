import AsyncHTTPClient
import Core
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Offers beacons to an ingest node at a steady rate over keep-alive connections, through whatever happens to it.
///
/// A request that is refused, or whose fate is unknown, is sent again as it was until it is acknowledged, but for some
/// that are given up. Some that were acknowledged are sent once more, as by a client that lost the answer.
final class BeaconLoad: Sendable {
    /// What the client knows about a request.
    enum Knowledge: Equatable {
        case notOffered
        /// Sent, and never acknowledged: it may count or not.
        case unknown
        /// At this instant it had its 202, and must count once.
        case acknowledged(Int64)
    }

    struct Totals {
        var acknowledged = 0
        var attempts = 0
        var refusals = 0
        var unreached = 0
        var unknown = 0
        var resent = 0
        var givenUp = 0
    }

    private struct Request {
        var instant: Int64 = 0
        var knowledge = Knowledge.notOffered
        /// How often it was acknowledged, and how often it may have been taken.
        var copies = 0...0
        /// Whose 202 it was.
        var port = 0
    }

    private struct State {
        /// Those that were taken from the row, in their order.
        var requests: [Request] = []
        var totals = Totals()
        var defects: [String] = []
        var port: Int
        var isFinishing = false
        var isStopped = false
    }

    static let maxConnections = 16
    /// Between two attempts; doubles from the first to the last.
    private static let pauseMs = 10...160
    /// Of requests whose fate is unknown, given up; of acknowledged ones, sent again.
    private static let givenUpShare = 0.2
    private static let resentShare = 0.03
    /// Of acknowledged ones, followed by any request before them, sent again.
    private static let recalledShare = 0.03

    let beacons: OfferedBeacons
    private let rate: Int
    private let maxRequests: Int
    private let state: Mutex<State>

    /// - Parameter rate: beacons a second.
    init(_ beacons: OfferedBeacons, requests: Int = .max, rate: Int, port: Int) {
        self.beacons = beacons
        self.rate = rate
        maxRequests = requests
        state = Mutex(State(port: port))
    }

    /// Where ingest listens from now on.
    func move(toPort port: Int) {
        state.withLock { $0.port = port }
    }

    /// Offers nothing new: `run()` returns once every request is acknowledged or given up, and may be called again.
    func finish() {
        state.withLock { $0.isFinishing = true }
    }

    /// Gives up what is not acknowledged, and offers nothing more.
    func stop() {
        state.withLock { $0.isStopped = true }
    }

    /// Of each request so far.
    var knowledge: [Knowledge] { state.withLock { $0.requests.map(\.knowledge) } }
    var requestCount: Int { state.withLock { $0.requests.count } }
    /// How often a request's beacons must be stored at least, and may be at most: repeats are stored, and don't count.
    func copies(ofRequest request: Int) -> ClosedRange<Int> { state.withLock { $0.requests[request].copies } }
    var totals: Totals { state.withLock { $0.totals } }
    /// Answers that a correct server would not have given.
    var defects: [String] { state.withLock { $0.defects } }
    func instant(ofRequest request: Int) -> Int64 { state.withLock { $0.requests[request].instant } }

    var acknowledgedBeacons: Int {
        state.withLock { $0.totals.acknowledged } * beacons.perRequest
    }

    /// The requests to which ingest said 202 on this port.
    func acknowledged(byPort port: Int) -> Set<Int> {
        state.withLock { state in Set(state.requests.indices.filter { state.requests[$0].port == port }) }
    }

    /// Returns once every request is acknowledged or given up.
    func run() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.maxConnections
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(configuration: configuration)
        let start = ContinuousClock.now
        let first = state.withLock { state in
            state.isFinishing = false
            return state.requests.count
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.maxConnections {
                group.addTask { await self.work(client, since: start, from: first) }
            }
        }
        try await client.shutdown()
    }

    private func work(_ client: HTTPClient, since start: ContinuousClock.Instant, from first: Int) async {
        let interval = Duration.seconds(1) * beacons.perRequest / rate
        while let request = take() {
            // Where it was held up, it catches up: what is offered in total does not depend on the trouble.
            try? await Task.sleep(until: start + interval * (request - first))
            let instant = Self.now() - beacons.lateness(request)
            state.withLock { $0.requests[request].instant = instant }
            await offer(request, beacons.body(request, at: instant), client)
        }
    }

    private func take() -> Int? {
        state.withLock { state in
            guard !state.isStopped, !state.isFinishing, state.requests.count < maxRequests else { return nil }
            state.requests.append(Request())
            return state.requests.count - 1
        }
    }

    private func offer(_ request: Int, _ body: [UInt8], _ client: HTTPClient) async {
        var pauseMs = Self.pauseMs.lowerBound
        while true {
            let (port, isStopped) = state.withLock { ($0.port, $0.isStopped) }
            if isStopped { return }
            switch await attempt(request, body, port, client) {
            case .acknowledged:
                let now = Self.now()
                state.withLock { state in
                    state.totals.acknowledged += 1
                    state.requests[request].knowledge = .acknowledged(now)
                    state.requests[request].port = port
                }
                if beacons.chance(request, 1) < Self.resentShare { await resend(request, port, client) }
                if beacons.chance(request, 3) < Self.recalledShare {
                    await resend(Int(beacons.chance(request, 4) * Double(request)), port, client)
                }
                return
            case .refused: state.withLock { $0.totals.refusals += 1 }
            case .unreached: state.withLock { $0.totals.unreached += 1 }
            case .unknown:
                let isGivenUp = beacons.chance(request, 2) < Self.givenUpShare
                state.withLock { state in
                    state.totals.unknown += 1
                    if isGivenUp { state.totals.givenUp += 1 }
                }
                if isGivenUp { return }
            }
            try? await Task.sleep(for: .milliseconds(pauseMs))
            pauseMs = min(pauseMs * 2, Self.pauseMs.upperBound)
        }
    }

    /// Sends an acknowledged one again, which must add nothing.
    private func resend(_ request: Int, _ port: Int, _ client: HTTPClient) async {
        let instant = state.withLock { state -> Int64? in
            guard case .acknowledged = state.requests[request].knowledge else { return nil }
            state.totals.resent += 1
            return state.requests[request].instant
        }
        guard let instant else { return }
        _ = await attempt(request, beacons.body(request, at: instant), port, client)
    }

    private enum Fate {
        case acknowledged, refused, unknown
        /// Nobody listened.
        case unreached
    }

    private func attempt(_ request: Int, _ body: [UInt8], _ port: Int, _ client: HTTPClient) async -> Fate {
        state.withLock { state in
            state.totals.attempts += 1
            if state.requests[request].knowledge == .notOffered { state.requests[request].knowledge = .unknown }
        }
        var message = HTTPClientRequest(url: "http://127.0.0.1:\(port)/track")
        message.method = .POST
        message.body = .bytes(ByteBuffer(bytes: body))
        do {
            let answer = try await client.execute(message, timeout: .seconds(10))
            let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
            switch answer.status {
            case .accepted:
                if text == #"{"accepted":\#(beacons.perRequest)}"# {
                    count(request, least: 1, most: 1)
                    return .acknowledged
                }
                note("202 \(text)")
                return .unknown
            case .serviceUnavailable: return .refused
            default:
                note("\(answer.status) \(text)")
                return .unknown
            }
        } catch let error as IOError where error.errnoCode == ECONNREFUSED {
            return .unreached
        } catch {
            count(request, least: 0, most: 1)
            return .unknown
        }
    }

    private func count(_ request: Int, least: Int, most: Int) {
        state.withLock { state in
            let copies = state.requests[request].copies
            state.requests[request].copies = copies.lowerBound + least...copies.upperBound + most
        }
    }

    private func note(_ defect: String) {
        state.withLock { $0.defects.append(defect) }
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
