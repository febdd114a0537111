import Core
import Foundation
import Hummingbird
import Ingest
import NIOCore
import NIOPosix
import Platform
import ServiceLifecycle
import TestSupport
import Testing

/// The track endpoint in front of Hummingbird's codec, on a real application and real sockets.
@Suite(.timeLimit(.minutes(2))) struct TrackSharedPortTests {
    private static func run(
        _ settings: TrackSettings = TrackSettings(),
        _ body: (SocketAddress, TrackServer.Sink) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { try await run(settings, in: $0, body) }
    }

    private static func run(
        _ settings: TrackSettings, in folder: URL, _ body: (SocketAddress, TrackServer.Sink) async throws -> Void
    ) async throws {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.get("hello/:name") { _, context in "hello \(context.parameters.get("name") ?? "")" }
        router.post("echo") { request, _ in
            let buffer = try await request.body.collect(upTo: 4 << 20)
            return "\(buffer.readableBytes)"
        }
        let sink = TrackServer.Sink()
        let endpoint = try TrackServer.endpoint(settings, in: folder, sink: sink, metrics: Metrics())
        let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
        let application = Application(
            router: router, server: .sharedPort { try endpoint.addHandlers(to: $0) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in listening.yield(channel.localAddress!) },
            logger: silentLogger)
        let group = ServiceGroup(
            services: [application], logger: silentLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { listening.finish() }
                try await group.run()
            }
            if let address = await addresses.first(where: { _ in true }) { try await body(address, sink) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private static let beacon = Array(#"{"eventType":"a"}"#.utf8)

    @Test func bothAreServedInTurnOnOneConnection() async throws {
        try await Self.run { address, sink in
            let connection = try await HTTPConnection.connect(to: address)
            defer { connection.close() }
            for index in 0..<20 {
                try await connection.send(HTTPText.request("POST", "/track", Self.beacon))
                #expect(try await connection.response().text == #"{"accepted":1}"#)
                try await connection.send(HTTPText.request("GET", "/hello/\(index)"))
                #expect(try await connection.response().text == "hello \(index)")
                try await connection.send(HTTPText.request("POST", "/echo", Array(repeating: 0x20, count: 300_000)))
                #expect(try await connection.response().text == "300000")
                try await connection.send(HTTPText.request("GET", "/api/analytics/track?eventType=b"))
                #expect(try await connection.response().body.count == 43)
                try await connection.send(HTTPText.request("PUT", "/track"))
                #expect(try await connection.response().status == 405)
                try await connection.send(HTTPText.request("GET", "/tracker"))
                let missing = try await connection.response()
                #expect(missing.status == 404)
                #expect(missing["Content-Type"] == "application/problem+json")
            }
            #expect(sink.beacons.count == 40)
        }
    }

    @Test func pipelinedRequestsOfBothAreAnsweredInOrder() async throws {
        try await Self.run { address, sink in
            let connection = try await HTTPConnection.connect(to: address)
            defer { connection.close() }
            var bytes: [UInt8] = []
            for index in 0..<100 {
                bytes += HTTPText.request("POST", "/track", Self.beacon)
                bytes += HTTPText.request("POST", "/track", Self.beacon)
                bytes += HTTPText.request("GET", "/hello/\(index)")
                bytes += HTTPText.request("OPTIONS", "/track")
            }
            try await connection.send(bytes)
            for index in 0..<100 {
                #expect(try await connection.response().status == 202)
                #expect(try await connection.response().status == 202)
                #expect(try await connection.response().text == "hello \(index)")
                #expect(try await connection.response().status == 204)
            }
            #expect(sink.beacons.count == 200)
        }
    }

    @Test func bodiesThatComeInPiecesAreReadToTheirEnd() async throws {
        try await Self.run { address, _ in
            let connection = try await HTTPConnection.connect(to: address)
            defer { connection.close() }
            for _ in 0..<3 {
                let request = HTTPText.request(
                    "POST", "/track", Array(repeating: 0x20, count: 1_000_000) + Self.beacon)
                for start in stride(from: 0, to: request.count, by: 100_000) {
                    try await connection.send(Array(request[start..<min(request.count, start + 100_000)]))
                }
                #expect(try await connection.response().status == 202)
                try await connection.send(HTTPText.request("GET", "/hello/x"))
                #expect(try await connection.response().text == "hello x")
            }
            // The connection's first request is ours and comes byte by byte: nobody else asks for more.
            let slow = try await HTTPConnection.connect(to: address)
            defer { slow.close() }
            for byte in HTTPText.request("POST", "/track", Self.beacon) { try await slow.send([byte]) }
            #expect(try await slow.response().status == 202)
        }
    }

    @Test func refusalsLeaveTheConnectionAsTheyShould() async throws {
        var settings = TrackSettings()
        settings.maxDrainTime = .milliseconds(100)
        try await Self.run(settings) { address, _ in
            let connection = try await HTTPConnection.connect(to: address)
            try await connection.send(
                HTTPText.request("POST", "/track", headers: [("Content-Encoding", "br")], Self.beacon))
            #expect(try await connection.response().status == 415)
            try await connection.send(HTTPText.request("GET", "/hello/x"))
            #expect(try await connection.response().text == "hello x")
            try await connection.send("POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999\r\n\r\n")
            #expect(try await connection.response().status == 413)
            #expect(try await connection.rest() == [])
            let malformed = try await HTTPConnection.connect(to: address)
            try await malformed.send("POST /track HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            #expect(try await malformed.response().status == 400)
            #expect(try await malformed.rest() == [])
            let closing = try await HTTPConnection.connect(to: address)
            try await closing.send(HTTPText.request("POST", "/track", headers: [("Connection", "close")], Self.beacon))
            #expect(try await closing.response().status == 202)
            #expect(try await closing.rest() == [])
            let halfClosed = try await HTTPConnection.connect(to: address)
            try await halfClosed.send(HTTPText.request("POST", "/track", Self.beacon))
            try await halfClosed.closeOutput()
            #expect(try await halfClosed.response().status == 202)
            #expect(try await halfClosed.rest() == [])
        }
    }

    @Test func shutdownFinishesABeaconUnderWay() async throws {
        var waiting: HTTPConnection?
        var kept: TrackServer.Sink?
        try await Self.run { address, sink in
            kept = sink
            sink.hold()
            let idle = try await HTTPConnection.connect(to: address)
            try await idle.send(HTTPText.request("GET", "/hello/x"))
            _ = try await idle.response()
            waiting = try await HTTPConnection.connect(to: address)
            try await waiting!.send(HTTPText.request("POST", "/track", Self.beacon))
            try await until { sink.heldCount != 0 }
            Task {
                _ = try await idle.rest()
                sink.release()
            }
        }
        #expect(kept?.beacons.count == 1)
        #expect(try await waiting!.response().status == 202)
    }
}
