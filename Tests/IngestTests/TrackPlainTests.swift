import Core
import Foundation
import Ingest
import NIOCore
import NIOPosix
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// Plain requests take a way of their own (`PlainTrackHandler`). Nobody may be able to tell.
@Suite(.timeLimit(.minutes(3))) struct TrackPlainTests {
    /// A field name that the plain way leaves to the HTTP parser: from then on its connection goes the other way.
    private static let unusual = ("X.Unusual", "1")

    /// Random streams of requests, whole and broken, in random pieces: both ways answer the same bytes and take the same
    /// beacons.
    @Test func bothWaysAnswerAlike() async throws {
        var generator = SeededGenerator()
        print(generator)
        let seed = generator.seed
        var streams = RequestStreams(generator: generator)
        var settings = TrackSettings()
        settings.maxBodyBytes = 4096
        settings.trustedProxies = try TrustedProxies("127.0.0.0/8")
        try await TrackServer.run(settings) { plain in
            try await TrackServer.run(settings) { parsed in
                var taken = 0
                var same = 0
                let count = ProcessInfo.processInfo.environment["TIKETI_STREAMS"].flatMap { Int($0) } ?? 150
                for number in 0..<count {
                    let (stream, isWhole) = streams.next()
                    let pieces = Self.pieces(of: stream, using: &generator)
                    let before = (plain.sink.beacons.count, parsed.sink.beacons.count)
                    async let some = Self.answers(to: pieces, isWhole, from: plain, first: [])
                    async let others = Self.answers(to: pieces, isWhole, from: parsed, first: [Self.unusual])
                    let (one, other) = try await (some, others)
                    // Of a broken stream the end may be answered or not: it was cut short by the client.
                    #expect(
                        one == other || (!isWhole && (one.hasPrefix(other) || other.hasPrefix(one))),
                        "seed \(seed), stream \(number): \(String(decoding: stream, as: UTF8.self))")
                    guard one == other else { continue }
                    let left = plain.sink.beacons[before.0...]
                    #expect(left == parsed.sink.beacons[before.1...], "seed \(seed), stream \(number)")
                    taken += left.count
                    if isWhole { same += 1 }
                }
                // Or else refusals are compared with refusals.
                #expect(taken > 150 && same > 50)
            }
        }
    }

    /// All answers until the server closes, without those to the first request, which sets the way.
    private static func answers(
        to pieces: [[UInt8]], _ isWhole: Bool, from server: TrackServer, first headers: [(String, String)]
    ) async throws -> String {
        let connection = try await server.connect()
        try await connection.send(HTTPText.request("GET", "/health", headers: headers))
        #expect(try await connection.response().status == 200)
        do {
            for piece in pieces { try await connection.send(piece) }
            if !isWhole {
                try await Task.sleep(for: .milliseconds(50))
                try await connection.closeOutput()
            }
        } catch {
            // The server has hung up on what came before.
        }
        let text = String(decoding: try await connection.rest(), as: UTF8.self)
        // Some are made by the clock on the wall.
        return text.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }
            .joined(separator: "\n")
    }

    private static func pieces(of stream: [UInt8], using generator: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start < stream.count {
            let length = Bool.random(using: &generator) ? stream.count : Int.random(in: 1...200, using: &generator)
            let end = min(stream.count, start + length)
            pieces.append(Array(stream[start..<end]))
            start = end
        }
        return pieces
    }

    /// What is answered at once to a request that comes byte by byte, between others, is what it would be whole.
    @Test func piecesMakeNoDifference() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            let request = HTTPText.request(
                "POST", "/track", headers: [("User-Agent", "UA"), ("Origin", "https://a.example")],
                Array(#"{"eventType":"a"}"#.utf8))
            for end in [1, 20, 60, request.count - 1] {
                try await connection.send(request + request[..<end])
                #expect(try await connection.response().status == 202)
                try await connection.send(Array(request[end...]))
                let response = try await connection.response()
                #expect(response.status == 202)
                #expect(response["Access-Control-Allow-Origin"] == "https://a.example")
                #expect(response.text == #"{"accepted":1}"#)
            }
            #expect(server.sink.beacons.count == 8)
            #expect(server.sink.beacons.allSatisfy { $0[.userAgent] == "UA" })
        }
    }

    /// Whatever one turn of the event loop brings goes to the spool in one piece.
    @Test func manyConnectionsShareOneAppend() async throws {
        try await TrackServer.run { server in
            server.sink.hold()
            var connections: [HTTPConnection] = []
            for _ in 0..<40 {
                let connection = try await server.connect()
                try await connection.send(HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8)))
                connections.append(connection)
            }
            try await until { server.sink.beacons.count == 40 }
            server.sink.release()
            for connection in connections {
                #expect(try await connection.response().status == 202)
                connection.close()
            }
            #expect(server.responses(202) == 40)
            #expect(server.metrics.exposition().contains("tiketi_track_beacons_accepted_total 40\n"))
        }
    }

    @Test(arguments: [SpoolRefusal.full(retryAfterSeconds: 5), .draining, .failed("x")])
    func refusalsOfTheSpoolAre503(_ refusal: SpoolRefusal) async throws {
        try await TrackServer.run { server in
            server.sink.refuse(refusal)
            var answers: [String] = []
            for headers in [[], [Self.unusual]] {
                let connection = try await server.connect()
                try await connection.send(
                    HTTPText.request(
                        "POST", "/api/analytics/track", headers: headers, Array(#"{"eventType":"a"}"#.utf8)))
                let response = try await connection.response()
                #expect(response.status == 503)
                #expect(response["Retry-After"] != nil)
                answers.append("\(response.headers) \(response.text)")
                connection.close()
            }
            #expect(answers[0] == answers[1])
            #expect(answers[0].contains("/api/analytics/track"))
        }
    }

    /// A client that always has half a request more to send makes no connection hold more and more.
    @Test func whatIsTakenIsLetGo() async throws {
        try await withTemporaryFolder { folder in
            let endpoint = try TrackServer.endpoint(
                TrackSettings(), in: folder, sink: TrackServer.Sink(), metrics: Metrics())
            let accepted = Mutex<(any Channel)?>(nil)
            let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        accepted.withLock { $0 = channel }
                        try HTTPServerPipeline.configure(channel, idleMax: .seconds(60), requestMax: nil)
                        try endpoint.addHandlers(to: channel)
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let connection = try await HTTPConnection.connect(to: server.localAddress!)
            let space = Array(repeating: UInt8(ascii: " "), count: 20_000)
            let request = HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8) + space)
            let half = request.count / 2
            try await connection.send(Array(request[..<half]))
            for _ in 0..<100 {
                try await connection.send(Array(request[half...] + request[..<half]))
                #expect(try await connection.response().status == 202)
            }
            let channel = accepted.withLock { $0 }!
            try await channel.eventLoop.submit {
                let pipeline = channel.pipeline.syncOperations
                let plain = Mirror(reflecting: try pipeline.handler(type: PlainTrackHandler.self))
                let inbox = try #require(plain.descendant("inbox") as? ByteBuffer)
                #expect(inbox.storageCapacity < 10 * request.count)
                // A decoder keeps as much space as the largest beacon took: it is its event loop's.
                let parsed = Mirror(reflecting: try pipeline.handler(type: TrackHandler.self))
                #expect(!parsed.children.contains { $0.value is TrackDecoder })
            }.get()
            connection.close()
            try await channel.closeFuture.get()
            try await server.close()
        }
    }

    /// A client that closes its side after its requests gets all answers.
    @Test func whatCameBeforeTheEndIsAnswered() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            let request = HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8))
            try await connection.send(request + request + request)
            try await connection.closeOutput()
            let text = String(decoding: try await connection.rest(), as: UTF8.self)
            #expect(text.components(separatedBy: "202 Accepted").count == 4)
            #expect(server.sink.beacons.count == 3)
        }
    }
}

/// Random requests after one another, most of them whole, ending in one that asks to close.
struct RequestStreams {
    var generator: SeededGenerator
    private var bodies: MutatedBodies

    init(generator: SeededGenerator) {
        self.generator = generator
        bodies = MutatedBodies(generator: generator)
    }

    /// A stream that is not whole may never come to the request that closes.
    mutating func next() -> (stream: [UInt8], isWhole: Bool) {
        var stream: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &generator) { stream += request() }
        let isWhole = Int.random(in: 0..<3, using: &generator) > 0
        if !isWhole {
            for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&stream) }
        }
        return (stream + HTTPText.request("GET", "/health", headers: [("Connection", "close")]), isWhole)
    }

    private mutating func request() -> [UInt8] {
        let valid = Array(MutatedBodies.valid.randomElement(using: &generator)!.utf8)
        let body = Int.random(in: 0..<3, using: &generator) == 0 ? bodies.next() : valid
        switch Int.random(in: 0..<14, using: &generator) {
        case 0: return HTTPText.request("GET", "/health")
        case 1: return HTTPText.request("OPTIONS", "/track", headers: [("Origin", "https://a.example")])
        case 2: return HTTPText.request("GET", "/track?eventType=a&artistId=iu")
        case 3: return HTTPText.request("POST", "/track?wait=stored", body)
        case 4: return HTTPText.request("POST", "/elsewhere", body)
        case 5: return HTTPText.request("POST", "/track", headers: [("Content-Encoding", "gzip")], body)
        case 6:
            return Array(
                "POST /track HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n\(String(valid.count, radix: 16))\r\n"
                    .utf8) + valid + Array("\r\n0\r\n\r\n".utf8)
        case 7: return HTTPText.request("POST", "/track", Array(repeating: 0x20, count: 5000))
        default:
            let path = Bool.random(using: &generator) ? "/track" : "/api/analytics/track"
            return HTTPText.request("POST", path, headers: headers(), body)
        }
    }

    private mutating func headers() -> [(String, String)] {
        let choices: [(String, String)] = [
            ("Origin", "https://a.example"), ("User-Agent", "Mozilla/5.0 한글"), ("DNT", "1"), ("sec-gpc", " 1 "),
            ("X-Forwarded-For", "6.6.6.6, 192.0.2.7"), ("x-forwarded-for", "2001:db8::1"), ("Connection", "keep-alive"),
            ("connection", "Keep-Alive"), ("Content-Type", "text/plain;charset=UTF-8"), ("Cookie", "a=b"),
            ("User-Agent", "second"), ("Expect", "something"), ("Content-Encoding", "identity"), ("A_b", ""),
            ("Accept", "*/*"),
        ]
        return (0..<Int.random(in: 0...5, using: &generator)).map { _ in choices.randomElement(using: &generator)! }
    }

    private mutating func mutate(_ stream: inout [UInt8]) {
        guard !stream.isEmpty else { return }
        let place = Int.random(in: 0..<stream.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: stream[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: stream.remove(at: place)
        case 2: stream.insert([0x20, 0x0a, 0x0d, 0x3a, 0x31].randomElement(using: &generator)!, at: place)
        default: stream.insert(contentsOf: Array("Content-Length: 3\r\n".utf8), at: place)
        }
    }
}
