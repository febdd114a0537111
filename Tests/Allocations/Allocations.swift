import CAllocations
import Core
import Glibc
import Ingest
import Logging
import NIOCore
import NIOPosix
import Platform
import Storage

/// Memory that is asked for costs more than a beacon's decoding: in the steady state none is for each of them. Counts in
/// a release build, as a debug build's closures and enums ask for some (`make allocations`); fails beyond a bound.
@main enum Allocations {
    /// By the event loop, from a request's bytes to its answer's, requests of 100 beacons.
    static let maxPerThousandAnswered = 100.0
    /// A request's beacons to records.
    static let maxPerThousandDecoded = 1.0
    /// Records to a stored block.
    static let maxPerThousandStored = 60.0

    private static let beacons = 100
    private static let requests = 200
    private static let warmUp = 50
    /// 2026-03-01T00:00:00Z
    private static let receivedAt: Int64 = 1_772_323_200_000
    private static let receipt = Receipt(
        receivedAt: receivedAt, clientAddress: "203.0.113.7", userAgent: "Mozilla/5.0", isPrivate: false,
        salt: [UInt8](repeating: 7, count: 32))

    static func main() async throws {
        let counts = [
            ("answered", try await answered(), maxPerThousandAnswered),
            ("decoded", try decoded(), maxPerThousandDecoded),
            ("stored", try stored(), maxPerThousandStored),
        ]
        print("allocations per 1,000 beacons")
        for (name, count, most) in counts {
            print("  \(name): \((count * 10).rounded() / 10), at most \(most)\(count > most ? "  TOO MANY" : "")")
        }
        exit(counts.allSatisfy { $1 <= $2 } ? 0 : 1)
    }

    private static func body(_ request: Int) -> [UInt8] {
        let beacons = (0..<beacons).map { index in
            #"{"eventType":"page_view","artistId":"artist-\#(index % 7)","eventId":"event-\#(index % 5)","sessionId":"#
                + #""session-\#(request)","messageId":"00000000-0000-4000-8000-\#(100_000_000_000 + request * 1000 + index)","#
                + #""path":"/artists/artist-\#(index % 7)","referrer":"https://example.com/","timestamp":1772323199000}"#
        }
        return Array("[\(beacons.joined(separator: ","))]".utf8)
    }

    private static func perThousand(_ count: Int64, requests: Int) -> Double {
        Double(count) / Double(requests * beacons) * 1000
    }

    private static func decoded() throws -> Double {
        var decoder = TrackDecoder()
        func decode(_ bodies: [[UInt8]]) throws {
            for body in bodies {
                let outcome = try body.withUnsafeBytes { try decoder.decode($0, receipt) }
                precondition(outcome.acceptedCount == beacons)
                decoder.undo()
            }
        }
        try decode([body(0)])
        let bodies = (1...requests).map(body)
        let before = tiketi_thread_allocations()
        try decode(bodies)
        return perThousand(tiketi_thread_allocations() - before, requests: requests)
    }

    private static func stored() throws -> Double {
        var decoder = TrackDecoder()
        for request in 0..<requests { _ = try body(request).withUnsafeBytes { try decoder.decode($0, receipt) } }
        let records = decoder.takeRecords()
        func store() throws -> EncodedBlock {
            var builder = BeaconBatchBuilder()
            try records.bytes.withUnsafeBytes { try builder.append(records: $0) }
            return BatchBlock.encode(builder.finish())
        }
        _ = try store()
        let before = tiketi_thread_allocations()
        _ = try store()
        return perThousand(tiketi_thread_allocations() - before, requests: requests)
    }

    /// A real server on a socket, whose spool is told at once that all is on disk.
    private static func answered() async throws -> Double {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let endpoint = TrackEndpoint(
            settings: TrackSettings(),
            salts: SaltSource(calendar: .seoul, days: [:], fallback: receipt.salt), metrics: Metrics(),
            threadPool: .singleton, now: { receivedAt },
            append: { _, _, _, completion in completion(.success(.onDisk)) })
        var settings = IngestServer.Settings()
        settings.port = 0
        let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
        let server = IngestServer(
            settings: settings, endpoint: endpoint, metrics: Metrics(), isReady: { true }, group: group,
            logger: Logger(label: "allocations", factory: { _ in SwiftLogNoOpLogHandler() }),
            onListening: { listening.yield($0) })
        let count = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let port = await addresses.first(where: { _ in true })!.port!
            let client = try Client(port: port)
            for request in 0..<warmUp { client.post(body(request)) }
            let bodies = (warmUp..<(warmUp + requests)).map(body)
            let before = try await group.any().submit { tiketi_thread_allocations() }.get()
            for body in bodies { client.post(body) }
            let after = try await group.any().submit { tiketi_thread_allocations() }.get()
            client.close()
            tasks.cancelAll()
            return after - before
        }
        try await group.shutdownGracefully()
        return perThousand(count, requests: requests)
    }
}

/// One keep-alive connection, used by one thread.
private struct Client {
    private let socket: CInt

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let failed = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(failed == 0, "no connection")
    }

    /// Returns once it is answered 202.
    func post(_ body: [UInt8]) {
        let request = Array("POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes { send(socket, $0.baseAddress! + sent, request.count - sent, 0) }
            precondition(count > 0, "the server hung up")
            sent += count
        }
        let end = Array(#"{"accepted":\#(100)}"#.utf8)
        var answer: [UInt8] = []
        while answer.suffix(end.count) != end[...] {
            var part = [UInt8](repeating: 0, count: 4096)
            let count = recv(socket, &part, part.count, 0)
            precondition(count > 0, "the server hung up")
            answer += part[..<count]
        }
    }

    func close() { _ = Glibc.close(socket) }
}
