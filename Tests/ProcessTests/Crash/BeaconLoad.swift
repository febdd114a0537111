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
        var attempts = 0
        var refusals = 0
        var unknown = 0
        var resent = 0
        var givenUp = 0
    }

    private struct State {
        var next = 0
        var instants: [Int64]
        var knowledge: [Knowledge]
        /// Whose 202 it was.
        var ports: [Int]
        var totals = Totals()
        var defects: [String] = []
        var port: Int
        var isStopped = false
    }

    static let maxConnections = 16
    /// Between two attempts; doubles from the first to the last.
    private static let pauseMs = 10...160
    /// Of requests whose fate is unknown, given up; of acknowledged ones, sent again.
    private static let givenUpShare = 0.2
    private static let resentShare = 0.03

    let beacons: OfferedBeacons
    private let rate: Int
    private let state: Mutex<State>

    init(_ beacons: OfferedBeacons, requests: Int, rate: Int, port: Int) {
        self.beacons = beacons
        self.rate = rate
        state = Mutex(
            State(
                instants: [Int64](repeating: 0, count: requests),
                knowledge: [Knowledge](repeating: .notOffered, count: requests),
                ports: [Int](repeating: 0, count: requests), port: port))
    }

    /// Where ingest listens from now on.
    func move(toPort port: Int) {
        state.withLock { $0.port = port }
    }

    /// Gives up what is not acknowledged, and offers nothing more.
    func stop() {
        state.withLock { $0.isStopped = true }
    }

    var knowledge: [Knowledge] { state.withLock { $0.knowledge } }
    var totals: Totals { state.withLock { $0.totals } }
    /// Answers that a correct server would not have given.
    var defects: [String] { state.withLock { $0.defects } }
    func instant(ofRequest request: Int) -> Int64 { state.withLock { $0.instants[request] } }

    var acknowledgedBeacons: Int {
        knowledge.count { if case .acknowledged = $0 { true } else { false } } * CrashScale.beaconsPerRequest
    }

    /// The requests to which ingest said 202 on this port.
    func acknowledged(byPort port: Int) -> Set<Int> {
        state.withLock { state in Set(state.ports.indices.filter { state.ports[$0] == port }) }
    }

    /// Returns once every request is acknowledged or given up.
    func run() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.maxConnections
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(configuration: configuration)
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.maxConnections {
                group.addTask { await self.work(client, from: start) }
            }
        }
        try await client.shutdown()
    }

    private func work(_ client: HTTPClient, from start: ContinuousClock.Instant) async {
        let interval = Duration.seconds(1) * CrashScale.beaconsPerRequest / rate
        while let request = take() {
            // Where it was held up, it catches up: what is offered in total does not depend on the trouble.
            try? await Task.sleep(until: start + interval * request)
            let instant = Self.now() - beacons.lateness(request)
            state.withLock { $0.instants[request] = instant }
            await offer(request, beacons.body(request, at: instant), client)
        }
    }

    private func take() -> Int? {
        state.withLock { state in
            guard !state.isStopped, state.next < state.instants.count else { return nil }
            defer { state.next += 1 }
            return state.next
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
                    state.knowledge[request] = .acknowledged(now)
                    state.ports[request] = port
                }
                if beacons.chance(request, 1) < Self.resentShare {
                    state.withLock { $0.totals.resent += 1 }
                    _ = await attempt(request, body, port, client)
                }
                return
            case .refused: state.withLock { $0.totals.refusals += 1 }
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

    private enum Fate {
        case acknowledged, refused, unknown
    }

    private func attempt(_ request: Int, _ body: [UInt8], _ port: Int, _ client: HTTPClient) async -> Fate {
        state.withLock { state in
            state.totals.attempts += 1
            if state.knowledge[request] == .notOffered { state.knowledge[request] = .unknown }
        }
        var message = HTTPClientRequest(url: "http://127.0.0.1:\(port)/track")
        message.method = .POST
        message.body = .bytes(ByteBuffer(bytes: body))
        do {
            let answer = try await client.execute(message, timeout: .seconds(10))
            let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
            switch answer.status {
            case .accepted:
                if text == #"{"accepted":\#(CrashScale.beaconsPerRequest)}"# { return .acknowledged }
                note("202 \(text)")
                return .unknown
            case .serviceUnavailable: return .refused
            default:
                note("\(answer.status) \(text)")
                return .unknown
            }
        } catch {
            return .unknown
        }
    }

    private func note(_ defect: String) {
        state.withLock { $0.defects.append(defect) }
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
