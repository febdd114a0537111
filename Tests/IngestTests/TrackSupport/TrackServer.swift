import Core
import Foundation
import Ingest
import NIOCore
import NIOPosix
import Platform
import Synchronization
import TestSupport

@testable import Ingest

/// A real ingest server on a socket of its own, for the length of a closure.
final class TrackServer: Sendable {
    let address: SocketAddress
    let metrics: Metrics
    let sink: Sink

    /// What was appended to the spool, which may also be told to refuse or to keep its callers waiting.
    final class Sink: Sendable {
        private struct State {
            var beacons: [Beacon] = []
            var durabilities: [Durability] = []
            var lanes: [Spool.Lane] = []
            var refusal: SpoolRefusal?
            var holds = false
            var held: [@Sendable () -> Void] = []
        }

        private let state = Mutex(State())

        var beacons: [Beacon] { state.withLock { $0.beacons } }
        var durabilities: [Durability] { state.withLock { $0.durabilities } }
        /// Of each beacon.
        var lanes: [Spool.Lane] { state.withLock { $0.lanes } }
        var heldCount: Int { state.withLock { $0.held.count } }

        func refuse(_ refusal: SpoolRefusal?) { state.withLock { $0.refusal = refusal } }
        func hold() { state.withLock { $0.holds = true } }

        func release() {
            let held = state.withLock { state in
                state.holds = false
                defer { state.held = [] }
                return state.held
            }
            for complete in held { complete() }
        }

        func append(
            _ records: BeaconRecords, _ durability: Durability, _ lane: Spool.Lane, to spool: Spool,
            _ completion: @escaping Spool.Completion
        ) {
            let refusal = state.withLock { state in
                if state.refusal == nil {
                    var builder = BeaconBatchBuilder()
                    records.bytes.withUnsafeBytes { try! builder.append(records: $0) }
                    let batch = builder.finish()
                    state.beacons += (0..<batch.count).map { batch.beacon(at: $0) }
                    state.durabilities.append(durability)
                    state.lanes.append(contentsOf: repeatElement(lane, count: batch.count))
                }
                return state.refusal
            }
            if let refusal { return completion(.failure(refusal)) }
            // What waits for Postgres is told so once it is on disk: nobody ships here.
            spool.append(records, until: .onDisk) { onDisk in
                var result = onDisk
                if durability == .stored, case .success = onDisk {
                    completion(onDisk)
                    result = .success(.stored)
                }
                let isHeld = self.state.withLock { state in
                    if state.holds { state.held.append { [result] in completion(result) } }
                    return state.holds
                }
                if !isHeld { completion(result) }
            }
        }
    }

    private init(address: SocketAddress, metrics: Metrics, sink: Sink) {
        self.address = address
        self.metrics = metrics
        self.sink = sink
    }

    static let salts = SaltSource(calendar: .seoul, days: [:], fallback: Decoded.salt)

    static func endpoint(
        _ settings: TrackSettings, in folder: URL, sink: Sink, metrics: Metrics,
        threadPool: NIOThreadPool = .singleton
    ) throws -> TrackEndpoint {
        let spool = try TrackSpool.make(in: folder)
        return TrackEndpoint(
            settings: settings, salts: salts, metrics: metrics, threadPool: threadPool, now: { Decoded.receivedAt },
            append: { sink.append($0, $1, $2, to: spool, $3) })
    }

    static func run(
        _ settings: TrackSettings = TrackSettings(), server serverSettings: IngestServer.Settings = .init(),
        isReady: @escaping @Sendable () -> Bool = { true }, threadPool: NIOThreadPool = .singleton,
        _ body: (TrackServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await run(
                settings, server: serverSettings, isReady: isReady, threadPool: threadPool, in: folder, body)
        }
    }

    private static func run(
        _ settings: TrackSettings, server serverSettings: IngestServer.Settings,
        isReady: @escaping @Sendable () -> Bool, threadPool: NIOThreadPool, in folder: URL,
        _ body: (TrackServer) async throws -> Void
    ) async throws {
        let metrics = Metrics()
        let sink = Sink()
        var serverSettings = serverSettings
        serverSettings.port = 0
        let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
        let endpoint = try endpoint(settings, in: folder, sink: sink, metrics: metrics, threadPool: threadPool)
        let server = IngestServer(
            settings: serverSettings, endpoint: endpoint, metrics: metrics, isReady: isReady,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: silentLogger,
            onListening: { listening.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await server.run()
            }
            if let address = await addresses.first(where: { _ in true }) {
                try await body(TrackServer(address: address, metrics: metrics, sink: sink))
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    func connect() async throws -> HTTPConnection {
        try await HTTPConnection.connect(to: address)
    }

    /// One request on a connection of its own.
    func request(
        _ method: String = "POST", _ target: String = "/track", headers: [(String, String)] = [], _ body: [UInt8] = []
    ) async throws -> HTTPConnection.Response {
        let connection = try await connect()
        defer { connection.close() }
        try await connection.send(HTTPText.request(method, target, headers: headers, body))
        return try await connection.response(toHead: method == "HEAD")
    }

    func post(_ body: String, headers: [(String, String)] = []) async throws -> HTTPConnection.Response {
        try await request(headers: headers, Array(body.utf8))
    }
}

extension TrackServer {
    /// Answers of the track endpoint so far.
    func responses(_ status: Int) -> Int {
        let name = #"tiketi_track_responses_total{status="\#(status)"} "#
        let line = metrics.exposition().split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int($0.dropFirst(name.count)) } ?? 0
    }
}

enum HTTPText {
    static func request(
        _ method: String = "POST", _ target: String = "/track", headers: [(String, String)] = [], _ body: [UInt8] = [],
        version: String = "1.1"
    ) -> [UInt8] {
        var text = "\(method) \(target) HTTP/\(version)\r\nHost: t\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !body.isEmpty || method == "POST" { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + body
    }
}
