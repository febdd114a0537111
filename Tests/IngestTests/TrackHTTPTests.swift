import Core
import Dispatch
import Foundation
import NIOCore
import NIOPosix
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// The endpoint over real sockets: what is answered, and what reaches the spool.
@Suite(.timeLimit(.minutes(2))) struct TrackHTTPTests {
    // MARK: Accepted

    @Test(arguments: [
        (#"{"eventType":"a"}"#, 1), (#"[{"eventType":"a"},{"eventType":"b"}]"#, 2),
        (#"{"batch":[{"eventType":"a"}],"sentAt":1}"#, 1), ("{\"eventType\":\"a\"}\n{\"eventType\":\"b\"}\n", 2),
        ("[]", 0),
    ])
    func acceptedOnBothPaths(_ body: String, _ count: Int) async throws {
        try await TrackServer.run { server in
            for path in ["/track", "/api/analytics/track", "/track?x=1"] {
                let response = try await server.request("POST", path, Array(body.utf8))
                #expect(response.status == 202)
                #expect(response.text == #"{"accepted":\#(count)}"#)
                #expect(response["Content-Type"] == "application/json")
                #expect(response["Access-Control-Allow-Origin"] == "*")
                #expect(response["Date"]?.hasSuffix("GMT") == true)
            }
            #expect(server.sink.beacons.count == 3 * count)
        }
    }

    @Test func partialRejectionNamesEachBadBeacon() async throws {
        try await TrackServer.run { server in
            let response = try await server.post(#"[{"eventType":"a"},{"artistId":"x"},5,{"eventType":"b"}]"#)
            #expect(response.status == 202)
            #expect(
                response.text
                    == #"{"accepted":2,"rejected":[{"index":1,"field":"eventType","reason":"is required"},"#
                    + #"{"index":2,"field":"","reason":"is not an object"}]}"#)
            #expect(server.sink.beacons.map { $0[.eventType] } == ["a", "b"])
            let none = try await server.post("{}")
            #expect(none.status == 202)
            #expect(
                none.text == #"{"accepted":0,"rejected":[{"index":0,"field":"eventType","reason":"is required"}]}"#)
        }
    }

    @Test func moreRejectionsThanAreListedAreCounted() async throws {
        try await TrackServer.run { server in
            let body = "[" + Array(repeating: "1", count: 1001).joined(separator: ",") + "]"
            let response = try await server.post(body)
            #expect(response.text.hasPrefix(#"{"accepted":0,"rejected":[{"index":0,"#))
            #expect(
                response.text.hasSuffix(#"{"index":999,"field":"","reason":"is not an object"}],"rejectedCount":1001}"#)
            )
        }
    }

    @Test func anyContentTypeWillDo() async throws {
        try await TrackServer.run { server in
            for type in ["text/plain;charset=UTF-8", "application/json", "application/x-www-form-urlencoded", "x"] {
                let response = try await server.post(#"{"eventType":"a"}"#, headers: [("Content-Type", type)])
                #expect(response.status == 202)
            }
        }
    }

    @Test func waitStoredAnswers200AndWaitsForTheDatabase() async throws {
        try await TrackServer.run { server in
            let stored = try await server.request("POST", "/track?wait=stored", Array(#"{"eventType":"a"}"#.utf8))
            #expect(stored.status == 200)
            #expect(stored.text == #"{"accepted":1}"#)
            _ = try await server.post(#"{"eventType":"a"}"#)
            #expect(server.sink.durabilities == [.stored, .onDisk])
        }
    }

    @Test func theAnswerWaitsForTheSpool() async throws {
        try await TrackServer.run { server in
            server.sink.hold()
            let connection = try await server.connect()
            // Pipelined behind it, a request that needs no spool.
            try await connection.send(HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8)))
            try await connection.send(HTTPText.request("GET", "/health"))
            try await until { server.sink.heldCount != 0 }
            #expect(try await server.request("GET", "/health").status == 200)
            #expect(server.metrics.exposition().contains("tiketi_track_beacons_accepted_total 0\n"))
            server.sink.release()
            #expect(try await connection.response().status == 202)
            #expect(try await connection.response().text == "ok\n")
        }
    }

    // MARK: Refused

    @Test(arguments: [
        ("", #""detail":"The body is empty.""#),
        (" \n", #""detail":"The body is empty.""#),
        ("x", #""detail":"The body is not JSON: unexpected character at byte 0.""#),
        (#"{"eventType":"a""#, #""detail":"The body is not JSON: unexpected end at byte 16.""#),
        (#"[{"eventType":"a"},]"#, #""detail":"The body is not JSON: unexpected character at byte 19.""#),
        (#"{"a":"\q"}"#, #""detail":"The body is not JSON: malformed escape at byte 6.""#),
        (
            "42",
            #""detail":"The body must be an object, an array, {\"batch\":[…]} or newline-delimited objects.""#
        ),
    ])
    func notJSONIs400(_ body: String, _ detail: String) async throws {
        try await TrackServer.run { server in
            let response = try await server.post(body)
            #expect(response.status == 400)
            #expect(response["Content-Type"] == "application/problem+json")
            #expect(
                response.text
                    == #"{"type":"urn:tiketi:problem:not_json","title":"Not JSON","status":400,\#(detail),"#
                    + #""instance":"/track","code":"not_json"}"#)
            #expect(response["Access-Control-Allow-Origin"] == "*")
        }
    }

    @Test func badUTF8Is400() async throws {
        try await TrackServer.run { server in
            let response = try await server.request("POST", "/track", Array(#"{"eventType":""#.utf8) + [0xc0, 0xaf])
            #expect(response.status == 400)
            #expect(response.text.contains("not UTF-8 at byte 14"))
        }
    }

    @Test func bodiesAreBoundedToTheByte() async throws {
        // Padding that is not counted against the metadata.
        func body(_ count: Int) -> [UInt8] {
            let beacon = Array(#"{"eventType":"a"}"#.utf8)
            return Array(repeating: 0x20, count: count - beacon.count) + beacon
        }
        try await TrackServer.run { server in
            let most = try await server.request("POST", "/track", body(1 << 20))
            #expect(most.status == 202)
            let tooLarge = try await server.request("POST", "/track", body(1 << 20 + 1))
            #expect(tooLarge.status == 413)
            #expect(
                tooLarge.text
                    == #"{"type":"urn:tiketi:problem:body_too_large","title":"Body too large","status":413,"#
                    + #""detail":"A body may be 1048576 bytes long.","instance":"/track","code":"body_too_large"}"#)
            #expect(tooLarge["Connection"] == "close")
        }
    }

    @Test func anOversizedBodyIsRefusedBeforeItIsSent() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            try await connection.send("POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: 1048577\r\n\r\n")
            #expect(try await connection.response().status == 413)
            #expect(try await connection.rest() == [])
        }
    }

    @Test func anOversizedChunkedBodyIsRefusedWhileItStreams() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            try await connection.send("POST /track HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = Array("10000\r\n".utf8) + Array(repeating: 0x20, count: 0x10000) + Array("\r\n".utf8)
            for _ in 0..<16 { try await connection.send(chunk) }
            try await connection.send("1\r\n \r\n")
            #expect(try await connection.response().status == 413)
            #expect(try await connection.rest() == [])
        }
    }

    /// Closed with bytes unread, the connection would be reset, and the answers lost with it.
    @Test func whatFollowsARefusedBodyCostsNobodyTheAnswer() async throws {
        var settings = TrackSettings()
        settings.maxBodyBytes = 4096
        try await TrackServer.run(settings) { server in
            let health = HTTPText.request("GET", "/health")
            // The odd header has NIO's parser read all that comes.
            let odd = HTTPText.request("POST", "/track", headers: [("X.Odd", "1")], Array(#"{"eventType":"a"}"#.utf8))
            let before = odd + health + health
            for length in stride(from: 4097, to: 20_000, by: 331) {
                let refused = HTTPText.request("POST", "/track", Array(repeating: 0x20, count: length))
                let connection = try await server.connect()
                try await connection.send(before + refused + health)
                let answers = String(decoding: try await connection.rest(), as: UTF8.self)
                #expect(answers.components(separatedBy: "HTTP/1.1 200 ").count == 3, "\(length)")
                #expect(answers.components(separatedBy: "HTTP/1.1 413 ").count == 2, "\(length)")
                connection.close()
            }
        }
    }

    @Test func whatIsDrainedOfARefusedBodyIsBounded() async throws {
        var settings = TrackSettings()
        settings.maxDrainBytes = 100_000
        try await TrackServer.run(settings) { server in
            let connection = try await server.connect()
            try await connection.send("POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: 900000000\r\n\r\n")
            #expect(try await connection.response().status == 413)
            // The server hangs up long before all of it.
            await #expect(throws: (any Error).self) {
                for _ in 0..<13_000 { try await connection.send(Array(repeating: 0x20, count: 65_536)) }
            }
        }
    }

    @Test func aRefusedClientThatKeepsSilentIsHungUpOn() async throws {
        var settings = TrackSettings()
        settings.maxDrainTime = .milliseconds(50)
        try await TrackServer.run(settings) { server in
            let connection = try await server.connect()
            try await connection.send("POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: 1048577\r\n\r\n")
            #expect(try await connection.response().status == 413)
            try await until { server.metrics.exposition().contains(Self.nobody) }
        }
    }

    @Test func tooManyBeaconsAre413() async throws {
        try await TrackServer.run { server in
            let body = "[" + Array(repeating: #"{"eventType":"a"}"#, count: 10_001).joined(separator: ",") + "]"
            let response = try await server.post(body)
            #expect(response.status == 413)
            #expect(
                response.text
                    == #"{"type":"urn:tiketi:problem:too_many_beacons","title":"Too many beacons","status":413,"#
                    + #""detail":"A request may hold 10000 beacons.","instance":"/track","code":"too_many_beacons"}"#)
            #expect(server.sink.beacons == [])
        }
    }

    @Test(arguments: ["br", "deflate", "gzip, gzip", "zstd", "gzip;q=1"])
    func unknownEncodingsAre415(_ encoding: String) async throws {
        try await TrackServer.run { server in
            let response = try await server.post("x", headers: [("Content-Encoding", encoding)])
            #expect(response.status == 415)
            #expect(
                response.text
                    == #"{"type":"urn:tiketi:problem:unsupported_encoding","title":"Unsupported encoding","status":415,"#
                    + #""detail":"Content-Encoding may be gzip or identity.","instance":"/track","#
                    + #""code":"unsupported_encoding"}"#)
            #expect(response["Accept-Encoding"] == "gzip, identity")
        }
    }

    @Test func otherMethodsAre405() async throws {
        try await TrackServer.run { server in
            for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
                let response = try await server.request(method, "/api/analytics/track")
                #expect(response.status == 405)
                #expect(response["Allow"] == "GET, POST, OPTIONS")
                if method == "HEAD" { continue }
                #expect(
                    response.text
                        == #"{"type":"urn:tiketi:problem:method_not_allowed","title":"Method not allowed","#
                        + #""status":405,"instance":"/api/analytics/track","code":"method_not_allowed"}"#)
            }
        }
    }

    /// What follows a head that answers HEAD would be read as the next answer.
    @Test func toHEADOnlyAHeadIsAnswered() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            try await connection.send(
                HTTPText.request("HEAD", "/track")
                    + HTTPText.request("GET", "/health", headers: [("Connection", "close")]))
            let text = String(decoding: try await connection.rest(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 405 "))
            #expect(text.split(separator: "\r\n\r\n").dropFirst().first?.hasPrefix("HTTP/1.1 200 ") == true, "\(text)")
        }
    }

    @Test(arguments: ["wait=", "wait=disk", "wait=STORED", "wait=stored&wait=x"])
    func otherWaitsAre400(_ query: String) async throws {
        try await TrackServer.run { server in
            let response = try await server.request("POST", "/track?\(query)", Array(#"{"eventType":"a"}"#.utf8))
            #expect(response.status == 400)
            #expect(
                response.text
                    == #"{"type":"urn:tiketi:problem:invalid_wait","title":"Invalid wait","status":400,"#
                    + #""detail":"wait may be 'stored', or left out.","instance":"/track","code":"invalid_wait","#
                    + #""field":"wait","allowed":["stored"]}"#)
            #expect(server.sink.beacons == [])
        }
    }

    @Test(arguments: [
        (SpoolRefusal.full(retryAfterSeconds: 7), "spool_full", "7"), (.draining, "draining", "1"),
        (.failed("disk /dev/secret"), "spool_failed", "5"),
    ])
    func aRefusingSpoolIs503(_ refusal: SpoolRefusal, _ code: String, _ retryAfter: String) async throws {
        try await TrackServer.run { server in
            server.sink.refuse(refusal)
            for (method, target) in [("POST", "/track"), ("GET", "/track?eventType=a")] {
                let body = method == "POST" ? Array(#"{"eventType":"a"}"#.utf8) : []
                let response = try await server.request(method, target, body)
                #expect(response.status == 503)
                #expect(response["Retry-After"] == retryAfter)
                #expect(response["Content-Type"] == "application/problem+json")
                #expect(response.text.contains(#""status":503,"#))
                #expect(response.text.hasSuffix(#""instance":"/track","code":"\#(code)"}"#))
                #expect(!response.text.contains("secret"))
            }
            // The connection lives on, and so does the endpoint.
            server.sink.refuse(nil)
            #expect(try await server.post(#"{"eventType":"a"}"#).status == 202)
        }
    }

    @Test func tooMuchInFlightIs503() async throws {
        var settings = TrackSettings()
        settings.maxInFlightBytes = 12_000
        try await TrackServer.run(settings) { server in
            let large = try await server.request("POST", "/track", Array(repeating: 0x20, count: 20_000))
            #expect(large.status == 503)
            #expect(large["Retry-After"] == "1")
            #expect(large.text.hasSuffix(#""code":"overloaded"}"#))
            server.sink.hold()
            let metadata = String(repeating: "x", count: 3000)
            let body = Array(#"{"eventType":"a","metadata":{"k":"\#(metadata)"}}"#.utf8)
            // Four of their records are more than the bound.
            var held: [HTTPConnection] = []
            for count in 1...3 {
                held.append(try await server.connect())
                try await held[count - 1].send(HTTPText.request("POST", "/track", body))
                try await until { server.sink.heldCount == count }
            }
            #expect(try await server.request("POST", "/track", body).status == 503)
            // What is held until it is whole counts, too.
            let half = try await server.connect()
            try await half.send(Array(HTTPText.request("POST", "/track", body).dropLast()))
            #expect(try await half.response().status == 503)
            half.close()
            server.sink.release()
            for connection in held { #expect(try await connection.response().status == 202) }
            #expect(try await server.request("POST", "/track", body).status == 202)
            try await until { server.metrics.exposition().contains("tiketi_track_inflight_bytes 0\n") }
        }
    }

    @Test func clientsAreLimitedToTheirRate() async throws {
        var settings = TrackSettings()
        settings.ratePerClient = 2
        settings.trustedProxies = try TrustedProxies("127.0.0.0/8")
        try await TrackServer.run(settings) { server in
            func post(_ client: String) async throws -> HTTPConnection.Response {
                try await server.post(#"{"eventType":"a"}"#, headers: [("X-Forwarded-For", "6.6.6.6, \(client)")])
            }
            // A bucket of two fills up by one each half second: of many at once some are refused.
            var statuses: [Int] = []
            var refused: HTTPConnection.Response?
            for _ in 0..<20 {
                let response = try await post("192.0.2.1")
                statuses.append(response.status)
                if response.status == 429 { refused = response }
            }
            #expect(statuses.prefix(2) == [202, 202])
            let refusal = try #require(refused)
            #expect(refusal["Retry-After"] == "1")
            #expect(
                refusal.text
                    == #"{"type":"urn:tiketi:problem:rate_limited","title":"Too many requests","status":429,"#
                    + #""instance":"/track","code":"rate_limited"}"#)
            #expect(try await post("192.0.2.2").status == 202)
        }
    }

    // MARK: gzip

    @Test func gzipIsToldByHeaderOrByItsBytes() async throws {
        try await TrackServer.run { server in
            let small = Self.gzip(#"{"eventType":"a"}"#)
            for headers in [[("Content-Encoding", "gzip")], [("Content-Encoding", " GZIP ")], []] {
                let response = try await server.request("POST", "/track", headers: headers, small)
                #expect(response.status == 202)
                #expect(response.text == #"{"accepted":1}"#)
            }
            // Larger ones are inflated on another thread.
            let beacons = (0..<9000).map { #"{"eventType":"a","artistId":"\#(UInt64($0) &* 0x9e37_79b9_7f4a_7c15)"}"# }
            let large = Self.gzip("[" + beacons.joined(separator: ",") + "]")
            #expect(large.count > 64 * 1024)
            let response = try await server.request("POST", "/track", large)
            #expect(response.text == #"{"accepted":9000}"#)
            let identity = try await server.post(#"{"eventType":"a"}"#, headers: [("Content-Encoding", "identity")])
            #expect(identity.status == 202)
        }
    }

    @Test func damagedGzipIs400() async throws {
        try await TrackServer.run { server in
            let whole = Self.gzip(#"{"eventType":"a"}"#)
            var damaged = whole
            damaged[damaged.count - 5] ^= 1
            let declared = [("Content-Encoding", "gzip")]
            for (headers, body) in [
                (declared, Array(#"{"eventType":"a"}"#.utf8)), ([], Array(whole.dropLast(3))), (declared, damaged),
                (declared, []), ([], whole + [1]),
            ] {
                let response = try await server.request("POST", "/track", headers: headers, body)
                #expect(response.status == 400)
                #expect(
                    response.text
                        == #"{"type":"urn:tiketi:problem:not_gzip","title":"Not gzip","status":400,"detail":"#
                        + #""The body is not gzip, or it is cut short or damaged.","instance":"/track","#
                        + #""code":"not_gzip"}"#)
            }
            #expect(server.sink.beacons == [])
        }
    }

    @Test func aGzipBombIs413() async throws {
        try await TrackServer.run { server in
            let beacon = Array(#"{"eventType":"a"}"#.utf8)
            let most = Array(repeating: UInt8(0x20), count: 16 << 20 - beacon.count) + beacon
            #expect(try await server.request("POST", "/track", Self.gzip(most)).status == 202)
            let bomb = try await server.request("POST", "/track", Self.gzip([0x20] + most))
            #expect(bomb.status == 413)
            #expect(
                bomb.text
                    == #"{"type":"urn:tiketi:problem:inflated_too_large","title":"Inflated body too large","#
                    + #""status":413,"detail":"A body may inflate to 16777216 bytes.","instance":"/track","#
                    + #""code":"inflated_too_large"}"#)
        }
    }

    /// What waits to be inflated is in flight until it is, also where its client doesn't wait for it.
    @Test func whatWaitsToBeInflatedStaysCounted() async throws {
        var settings = TrackSettings()
        settings.maxInFlightBytes = 48 << 10
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let gate = DispatchSemaphore(value: 0)
        let busy = pool.runIfActive(eventLoop: MultiThreadedEventLoopGroup.singleton.next()) { gate.wait() }
        var random = SeededGenerator()
        let noise = (0..<30_000).map { _ in "0123456789abcdef".randomElement(using: &random)! }
        let body = Self.gzip(#"{"eventType":"a","metadata":{"x":1}}"# + "\n" + #"{"x":"\#(String(noise))"}"#)
        #expect(body.count > TrackEndpoint.maxInlineGzipBytes && body.count < settings.maxInFlightBytes / 2)
        try await TrackServer.run(settings, threadPool: pool) { server in
            func inFlight() -> Int {
                let name = "tiketi_track_inflight_bytes "
                let line = server.metrics.exposition().split(separator: "\n").first { $0.hasPrefix(name) }
                return line.flatMap { Int($0.dropFirst(name.count)) } ?? 0
            }
            for number in 1...2 {
                let connection = try await server.connect()
                try await connection.send(HTTPText.request("POST", "/track", body))
                try await until { inFlight() >= number * body.count }
                try await connection.reset()
                try await until { server.metrics.exposition().contains(Self.nobody) }
                #expect(inFlight() == number * body.count)
            }
            #expect(try await server.request("POST", "/track", body).status == 503)
            gate.signal()
            try await busy.get()
            try await until { inFlight() == 0 }
            #expect(try await server.request("POST", "/track", body).status == 202)
        }
        try await pool.shutdownGracefully()
    }

    private static func gzip(_ text: String) -> [UInt8] { gzip(Array(text.utf8)) }

    private static func gzip(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { Gzip.deflate($0) } }

    // MARK: Pixel

    @Test func thePixelIsAsGoodAsAPost() async throws {
        try await TrackServer.run { server in
            let query =
                "eventType=page_view&artistId=%EC%95%84%EC%9D%B4%EC%9C%A0&eventId=a+b&timestamp=1772323199000"
                + "&visitorId=v&sessionId=&messageId=m%26&path=%2Fp%3Fq&referrer=https://r/&country=kr&plan=gold"
            let response = try await server.request(
                "GET", "/api/analytics/track?\(query)", headers: [("User-Agent", "UA/1")])
            #expect(response.status == 200)
            #expect(response["Content-Type"] == "image/gif")
            #expect(response["Cache-Control"] == "no-store")
            #expect(response.body.count == 43)
            #expect(response.body.starts(with: Array("GIF89a".utf8)))
            let beacon = try #require(server.sink.beacons.first)
            #expect(
                beacon.texts == [
                    "page_view", "아이유", "a b", "v", nil, "m&", nil, "/p?q", "https://r/", "UA/1", "KR",
                    #"{"plan":"gold"}"#,
                ])
            #expect(beacon.timestamp == Decoded.receivedAt - 1000)
            #expect(server.sink.durabilities == [.onDisk])
            let iso = try await server.request("GET", "/track?eventType=a&timestamp=2026-03-01T00:00:00%2B00:00")
            #expect(iso.status == 200)
            let json = try await server.request(
                "GET", "/track?eventType=a&visitorId=v&metadata=%7B%22k%22:%5B1%5D%7D&path=/x&wait=stored")
            #expect(json.status == 200)
            #expect(server.sink.beacons.last?[.metadata] == #"{"k":[1]}"#)
            #expect(server.sink.beacons.last?[.path] == "/x")
            #expect(server.sink.durabilities.last == .stored)
        }
    }

    @Test(arguments: [
        (
            "", "invalid_beacon",
            #""eventType is required.","instance":"/track","code":"invalid_beacon","field":"eventType""#
        ),
        (
            "?eventType=a%20b", "invalid_beacon",
            #""eventType may only hold letters, digits and _ . - :.","instance":"/track","code":"invalid_beacon","#
                + #""field":"eventType""#
        ),
        (
            "?eventType=a&timestamp=5", "invalid_beacon",
            #""timestamp is more than 400 days old.","instance":"/track","code":"invalid_beacon","field":"timestamp""#
        ),
        (
            "?eventType=%zz", "bad_query",
            #""A % must be followed by two hex digits.","instance":"/track","code":"bad_query""#
        ),
        (
            "?eventType=a&artistId=%ff", "not_json",
            #""The body is not JSON: not UTF-8 at byte 0.","instance":"/track","code":"not_json""#
        ),
        (
            "?eventType=a&metadata=%7B", "not_json",
            #""The body is not JSON: unexpected end at byte 1.","instance":"/track","code":"not_json""#
        ),
    ])
    func aBadPixelIs400(_ query: String, _ code: String, _ rest: String) async throws {
        try await TrackServer.run { server in
            let response = try await server.request("GET", "/track\(query)")
            #expect(response.status == 400)
            #expect(response.text.hasPrefix(#"{"type":"urn:tiketi:problem:\#(code)","title":""#))
            #expect(response.text.hasSuffix(#","status":400,"detail":\#(rest)}"#))
            #expect(server.sink.beacons == [])
        }
    }

    // MARK: CORS and privacy

    @Test func preflightIsAnsweredForADay() async throws {
        try await TrackServer.run { server in
            let response = try await server.request(
                "OPTIONS", "/api/analytics/track",
                headers: [
                    ("Origin", "https://fans.example"), ("Access-Control-Request-Method", "POST"),
                    ("Access-Control-Request-Headers", "content-type, x-own"),
                ])
            #expect(response.status == 204)
            #expect(response.body == [])
            #expect(response["Content-Length"] == nil)
            // By its name: a browser takes no `*` for `sendBeacon` of JSON, which goes with credentials.
            #expect(response["Access-Control-Allow-Origin"] == "https://fans.example")
            #expect(response["Access-Control-Allow-Credentials"] == "true")
            #expect(response["Vary"] == "Origin")
            #expect(response["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS")
            #expect(response["Access-Control-Allow-Headers"] == "content-type, x-own")
            #expect(response["Access-Control-Max-Age"] == "86400")
            let odd = try await server.request(
                "OPTIONS", headers: [("Access-Control-Request-Headers", String(repeating: "x", count: 1025))])
            #expect(odd["Access-Control-Allow-Headers"] == "Content-Type, Content-Encoding")
        }
    }

    @Test func listedOriginsAreMirrored() async throws {
        var settings = TrackSettings()
        settings.cors = CORSPolicy(origins: ["https://a.example", "https://b.example"])
        try await TrackServer.run(settings) { server in
            let listed = try await server.post(#"{"eventType":"a"}"#, headers: [("Origin", "https://b.example")])
            #expect(listed.status == 202)
            #expect(listed["Access-Control-Allow-Origin"] == "https://b.example")
            #expect(listed["Vary"] == "Origin")
            let other = try await server.post(#"{"eventType":"a"}"#, headers: [("Origin", "https://c.example")])
            #expect(other["Access-Control-Allow-Origin"] == nil)
            #expect(other["Vary"] == "Origin")
            let preflight = try await server.request("OPTIONS", headers: [("Origin", "https://c.example")])
            #expect(preflight.status == 204)
            #expect(preflight["Access-Control-Allow-Origin"] == nil)
        }
    }

    @Test(arguments: [("Sec-GPC", "1", true), ("dnt", "1", true), ("DNT", "0", false), ("Sec-GPC", "true", false)])
    func privacyHeadersAreHonoured(_ name: String, _ value: String, _ isPrivate: Bool) async throws {
        try await TrackServer.run { server in
            _ = try await server.post(
                #"{"eventType":"a","visitorId":"v","metadata":{"path":"/"}}"#,
                headers: [(name, value), ("User-Agent", "UA")])
            _ = try await server.request("GET", "/track?eventType=a", headers: [(name, value)])
            for beacon in server.sink.beacons {
                #expect(beacon.flags.contains(.anonymous) == isPrivate)
                #expect((beacon.texts.compactMap { $0 } == ["a"]) == isPrivate)
            }
            #expect(server.sink.beacons.count == 2)
        }
    }

    @Test func aVisitorIsTheSocketsAddressUnlessATrustedProxySaysOtherwise() async throws {
        func hash(_ proxies: String, _ forwardedFor: String?) async throws -> String? {
            var settings = TrackSettings()
            settings.trustedProxies = try TrustedProxies(proxies)
            var hash: String?
            try await TrackServer.run(settings) { server in
                _ = try await server.post(
                    #"{"eventType":"a"}"#,
                    headers: [("User-Agent", "UA")] + (forwardedFor.map { [("X-Forwarded-For", $0)] } ?? []))
                hash = server.sink.beacons.first?[.clientHash]
            }
            return hash
        }
        let direct = try #require(try await hash("", nil))
        #expect(try await hash("", "203.0.113.7") == direct)
        // As in TrackDecoderTests: the same address, agent and salt.
        let forwarded = "2e966f244532df4e481aef31c1162625"
        #expect(try await hash("127.0.0.1", "203.0.113.7") == forwarded)
        #expect(try await hash("127.0.0.1, 10.0.0.0/8", "6.6.6.6, 203.0.113.7, 10.1.2.3") == forwarded)
        #expect(try await hash("127.0.0.1", "not an address") == direct)
    }

    // MARK: HTTP

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            var bytes: [UInt8] = []
            for index in 0..<50 {
                bytes += HTTPText.request("POST", "/track", Array(#"{"eventType":"e\#(index)"}"#.utf8))
                bytes += HTTPText.request("GET", "/health")
                bytes += HTTPText.request("PUT", "/track")
            }
            try await connection.send(bytes)
            for _ in 0..<50 {
                #expect(try await connection.response().status == 202)
                #expect(try await connection.response().text == "ok\n")
                #expect(try await connection.response().status == 405)
            }
            #expect(server.sink.beacons.map { $0[.eventType] } == (0..<50).map { "e\($0)" })
        }
    }

    @Test func thousandsOfPipelinedRequestsDoNotNest() async throws {
        try await TrackServer.run { server in
            for target in ["/track", "/nothing"] {
                // Those behind the first wait within the pipeline, and all fall due at once when it is answered.
                server.sink.hold()
                let held = server.sink.heldCount
                let connection = try await server.connect()
                try await connection.send(HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8)))
                try await until { server.sink.heldCount != held }
                let request = HTTPText.request("PUT", target)
                try await connection.send(Array((0..<10_000).map { _ in request }.joined()))
                server.sink.release()
                for _ in 0..<10_001 { _ = try await connection.response() }
            }
        }
    }

    @Test func http10AndConnectionCloseAreHonoured() async throws {
        try await TrackServer.run { server in
            let body = Array(#"{"eventType":"a"}"#.utf8)
            let old = try await server.connect()
            try await old.send(HTTPText.request("POST", "/track", body, version: "1.0"))
            #expect(try await old.response().status == 202)
            #expect(try await old.rest() == [])
            let oldKept = try await server.connect()
            for _ in 0..<2 {
                try await oldKept.send(
                    HTTPText.request("POST", "/track", headers: [("Connection", "keep-alive")], body, version: "1.0"))
                let response = try await oldKept.response()
                #expect(response.status == 202)
                #expect(response["Connection"] == "keep-alive")
            }
            let closing = try await server.connect()
            try await closing.send(HTTPText.request("POST", "/track", headers: [("Connection", "close")], body))
            let response = try await closing.response()
            #expect(response["Connection"] == "close")
            #expect(try await closing.rest() == [])
        }
    }

    @Test func aClientMayCloseItsSideAndStillGetsTheAnswer() async throws {
        try await TrackServer.run { server in
            server.sink.hold()
            let connection = try await server.connect()
            try await connection.send(HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8)))
            try await connection.closeOutput()
            try await until { server.sink.heldCount != 0 }
            server.sink.release()
            #expect(try await connection.response().status == 202)
            #expect(try await connection.rest() == [])
        }
    }

    /// Also where others than the track endpoint answer, and not at once.
    @Test func aClientMayCloseItsSideBehindManyRequests() async throws {
        try await TrackServer.run { server in
            server.sink.hold()
            let connection = try await server.connect()
            // From an unusual head on, requests wait behind the HTTP parser.
            let first = HTTPText.request(
                "POST", "/track", headers: [("X.Unusual", "1")], Array(#"{"eventType":"a"}"#.utf8))
            try await connection.send(first)
            try await until { server.sink.heldCount != 0 }
            try await connection.send(Array((0..<3).map { _ in HTTPText.request("GET", "/health") }.joined()))
            try await connection.closeOutput()
            // So that it has all come.
            try await Task.sleep(for: .milliseconds(200))
            server.sink.release()
            #expect(try await connection.response().status == 202)
            for _ in 0..<3 { #expect(try await connection.response().text == "ok\n") }
            #expect(try await connection.rest() == [])
        }
    }

    @Test func aClientThatLeavesEarlyDoesNoHarm() async throws {
        try await TrackServer.run { server in
            server.sink.hold()
            let connection = try await server.connect()
            try await connection.send(HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8)))
            try await until { server.sink.heldCount != 0 }
            connection.close()
            let half = try await server.connect()
            try await half.send("POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n{")
            half.close()
            server.sink.release()
            try await until { server.metrics.exposition().contains("tiketi_track_inflight_bytes 0\n") }
            #expect(try await server.post(#"{"eventType":"a"}"#).status == 202)
            #expect(server.metrics.exposition().contains("tiketi_track_beacons_accepted_total 2\n"))
        }
    }

    @Test func chunkedBodiesAreJoined() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            try await connection.send("POST /track HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            for byte in #"{"eventType":"chunked"}"# { try await connection.send("1\r\n\(byte)\r\n") }
            try await connection.send("0\r\n\r\n")
            #expect(try await connection.response().status == 202)
            #expect(server.sink.beacons.first?[.eventType] == "chunked")
        }
    }

    @Test func expectContinueIsAnswered() async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            let body = #"{"eventType":"a"}"#
            try await connection.send(
                "POST /track HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            #expect(try await connection.response().status == 100)
            try await connection.send(body)
            #expect(try await connection.response().status == 202)
            try await connection.send(
                "POST /track HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
            #expect(try await connection.response().status == 413)
            #expect(try await connection.rest() == [])
        }
    }

    @Test(arguments: [
        "NONSENSE\r\n\r\n", "POST /track HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n",
        "POST /track HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /\u{1} HTTP/1.1\r\n\r\n", "GET /track HTTP/3.7\r\n\r\n",
    ])
    func malformedHTTPIs400AndClosed(_ text: String) async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            try await connection.send(text)
            let response = try await connection.response()
            #expect(response.status == 400)
            #expect(response["Content-Type"] == "application/problem+json")
            #expect(response.text.contains(#""code":"bad_request""#))
            _ = try await connection.rest()
        }
    }

    @Test func headsAreBounded() async throws {
        try await TrackServer.run { server in
            let body = Array(#"{"eventType":"a"}"#.utf8)
            let fits = try await server.request(
                "POST", "/track", headers: [("X", String(repeating: "x", count: 32_000))], body)
            #expect(fits.status == 202)
            let large = try await server.request(
                "POST", "/track", headers: [("X", String(repeating: "x", count: 33_000))], body)
            #expect(large.status == 400)
            let many = try await server.request(
                "POST", "/track", headers: (0..<200).map { ("X-\($0)", "1") }, body)
            #expect(many.status == 400)
        }
    }

    // MARK: Beside the endpoint

    @Test func theOtherPathsOfTheIngestServer() async throws {
        try await TrackServer.run { server in
            #expect(try await server.request("GET", "/health").status == 200)
            #expect(try await server.request("GET", "/ready").status == 200)
            #expect(try await server.request("HEAD", "/ready").body == [])
            let document = try await server.request("GET", "/openapi.json")
            #expect(document["Content-Type"] == "application/json")
            let parsed = try JSONSerialization.jsonObject(with: Data(document.body)) as? [String: Any]
            #expect(parsed?["openapi"] as? String == "3.1.0")
            let missing = try await server.request("GET", "/tracks")
            #expect(missing.status == 404)
            #expect(
                missing.text
                    == #"{"type":"urn:tiketi:problem:not_found","title":"Not Found","status":404,"instance":"/tracks","#
                    + #""code":"not_found"}"#)
            #expect(try await server.request("POST", "/health").status == 405)
            #expect(try await server.request("POST", "/track/").status == 404)
            _ = try await server.post("[1]")
            let metrics = try await server.request("GET", "/metrics")
            #expect(metrics["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains("tiketi_track_beacons_rejected_total{field=\"beacon\"} 1\n"))
            #expect(metrics.text.contains("tiketi_track_responses_total{status=\"202\"} 1\n"))
            #expect(metrics.text.contains("tiketi_track_received_bytes_total 3\n"))
        }
        try await TrackServer.run(isReady: { false }) { server in
            let response = try await server.request("GET", "/ready")
            #expect(response.status == 503)
            #expect(response["Retry-After"] == "1")
        }
    }

    @Test func connectionsAreBounded() async throws {
        var settings = IngestServer.Settings()
        settings.maxConnections = 2
        try await TrackServer.run(server: settings) { server in
            let first = try await server.connect()
            let second = try await server.connect()
            for connection in [first, second] {
                try await connection.send(HTTPText.request("GET", "/health"))
                #expect(try await connection.response().status == 200)
            }
            let third = try await server.connect()
            let refusal = try await third.response()
            #expect(refusal.status == 503)
            #expect(refusal["Retry-After"] == "1")
            #expect(refusal["Content-Type"] == "application/problem+json")
            #expect(refusal.text.contains(#""code":"too_many_connections""#))
            #expect(try await third.rest() == [])
            first.close()
            try await until { !server.metrics.exposition().contains("tiketi_ingest_open_connections 2\n") }
            #expect(try await server.request("GET", "/health").status == 200)
        }
    }

    /// Sends many requests at once and reads none of the answers: they wait in the socket, and the requests before it.
    @Test func whoReadsNothingIsAnsweredNoMore() async throws {
        // Each answer is 20 times as long as its request: all of them are more than sockets hold.
        let requests = 1500
        let body = Array(("[" + repeatElement("1", count: 200).joined(separator: ",") + "]").utf8)
        let bytes = Array(repeatElement(HTTPText.request("POST", "/track", body), count: requests).joined())
        var settings = IngestServer.Settings()
        try await TrackServer.run(server: settings) { server in
            let connection = try await HTTPConnection.connect(to: server.address, sending: bytes)
            var answered = -1
            while true {
                let now = server.responses(202)
                if now > 0, now == answered { break }
                answered = now
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(answered < requests / 2)
            // Once it reads, it gets them all.
            try await connection.setReading(true)
            try await until { server.responses(202) == requests }
            connection.close()
        }
        settings.idleMax = .seconds(2)
        try await TrackServer.run(server: settings) { server in
            var connection = try await HTTPConnection.connect(to: server.address, sending: bytes)
            try await until {
                if server.responses(202) > 0 { return true }
                // On a busy machine not even the event loop that connects may have sent within `idleMax`.
                if server.metrics.exposition().contains(Self.nobody) {
                    connection.close()
                    connection = try await HTTPConnection.connect(to: server.address, sending: bytes)
                }
                return false
            }
            try await until { server.metrics.exposition().contains(Self.nobody) }
            #expect(server.responses(202) < requests / 2)
            connection.close()
        }
    }

    private static let nobody = "tiketi_ingest_open_connections 0\n"

    /// Postgres is away: who waits for it holds up nobody, and is told in the end that the beacons are on disk.
    @Test func whoWaitsForPostgresIsToldInTheEndWhatIsSo() async throws {
        var settings = TrackSettings()
        settings.maxStoredWait = .seconds(5)
        settings.maxInFlightBytes = 16 << 10
        try await TrackServer.run(settings) { server in
            server.sink.hold()
            let body = Array(#"{"eventType":"a","metadata":{"x":"\#(String(repeating: "x", count: 1000))"}}"#.utf8)
            var waiting: [HTTPConnection] = []
            for _ in 0..<10 {
                let connection = try await server.connect()
                try await connection.send(HTTPText.request("POST", "/track?wait=stored", body))
                try await until { server.sink.heldCount != waiting.count }
                waiting.append(connection)
            }
            for connection in waiting { #expect(try await connection.response().status == 202) }
            #expect(server.metrics.exposition().contains("tiketi_track_beacons_accepted_total 10\n"))
            // Late word of the first request is no answer to the second.
            try await waiting[0].send(HTTPText.request("POST", "/track?wait=stored", body))
            try await until { server.sink.heldCount != 10 }
            server.sink.release()
            #expect(try await waiting[0].response().status == 200)
            try await waiting[0].send(HTTPText.request("GET", "/health"))
            #expect(try await waiting[0].response().status == 200)
            #expect(server.responses(202) == 10)
            #expect(server.responses(200) == 1)
        }
    }

    @Test func aClientThatTricklesIsHungUpOn() async throws {
        var settings = IngestServer.Settings()
        settings.idleMax = .milliseconds(2000)
        settings.requestMax = .milliseconds(4000)
        try await TrackServer.run(server: settings) { server in
            let silent = try await server.connect()
            #expect(try await silent.rest() == [])
            let trickling = try await server.connect()
            // Parts come often enough, but the whole never does.
            await #expect(throws: (any Error).self) {
                try await trickling.send("POST /track HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
                while true {
                    try await trickling.send("1\r\n \r\n")
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            let head = try await server.connect()
            await #expect(throws: (any Error).self) {
                while true {
                    try await head.send("P")
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            // One that waits for its answer is not.
            server.sink.hold()
            let request = HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8))
            var waiting: HTTPConnection?
            // On a busy machine the server may hang up before it reads anything: then this takes another.
            try await until {
                waiting = try await HTTPConnection.connect(to: server.address, sending: request)
                for _ in 0..<500 where server.sink.heldCount == 0 { try await Task.sleep(for: .milliseconds(10)) }
                return server.sink.heldCount != 0
            }
            try await waiting!.setReading(true)
            try await Task.sleep(for: .milliseconds(4500))
            server.sink.release()
            #expect(try await waiting!.response().status == 202)
        }
    }

    @Test func shutdownFinishesWhatIsUnderWay() async throws {
        var connection: HTTPConnection?
        var idle: HTTPConnection?
        var sink: TrackServer.Sink?
        try await TrackServer.run { server in
            sink = server.sink
            server.sink.hold()
            idle = try await server.connect()
            try await idle!.send(HTTPText.request("GET", "/health"))
            _ = try await idle!.response()
            connection = try await server.connect()
            try await connection!.send(HTTPText.request("POST", "/track", Array(#"{"eventType":"a"}"#.utf8)))
            try await until { server.sink.heldCount != 0 }
            let releasing = server.sink
            let quiet = idle!
            Task {
                // The idle connection is closed by the shutdown, which has thus begun.
                _ = try await quiet.rest()
                releasing.release()
            }
        }
        #expect(sink?.beacons.count == 1)
        let response = try await connection!.response()
        #expect(response.status == 202)
        #expect(response["Connection"] == "close")
    }

    /// A request whose end is still to come is under way, too, whichever way it takes.
    @Test(arguments: [[], [("X.Unusual", "1")]])
    func shutdownWaitsForTheRestOfARequest(_ headers: [(String, String)]) async throws {
        let request = HTTPText.request("POST", "/track", headers: headers, Array(#"{"eventType":"a"}"#.utf8))
        var connection: HTTPConnection?
        var sink: TrackServer.Sink?
        try await TrackServer.run { server in
            sink = server.sink
            let idle = try await server.connect()
            try await idle.send(HTTPText.request("GET", "/health"))
            _ = try await idle.response()
            let half = try await server.connect()
            connection = half
            try await half.send(Array(request.dropLast(5)))
            try await until { !server.metrics.exposition().contains("tiketi_track_inflight_bytes 0\n") }
            Task {
                // The idle connection is closed by the shutdown, which has thus begun.
                _ = try await idle.rest()
                try await half.send(Array(request.suffix(5)))
            }
        }
        let response = try await connection!.response()
        #expect(response.status == 202)
        #expect(response["Connection"] == "close")
        #expect(sink?.beacons.count == 1)
    }

    // MARK: Random

    @Test func mutatedBodiesNeverFailTheServer() async throws {
        let generator = SeededGenerator()
        print(generator)
        let seed = generator.seed
        try await TrackServer.run { server in
            var bodies = MutatedBodies(generator: generator)
            let connection = try await server.connect()
            var statuses: [Int: Int] = [:]
            for _ in 0..<100 {
                let batch = (0..<100).map { _ in bodies.next() }
                try await connection.send(Array(batch.map { HTTPText.request("POST", "/track", $0) }.joined()))
                for body in batch {
                    let response = try await connection.response()
                    statuses[response.status, default: 0] += 1
                    #expect(
                        [202, 400].contains(response.status),
                        "seed \(seed): \(response.status) for \(String(decoding: body, as: UTF8.self))")
                    #expect((try? JSONSerialization.jsonObject(with: Data(response.body))) != nil)
                }
            }
            #expect(statuses[202, default: 0] > 1000 && statuses[400, default: 0] > 1000)
        }
    }
}
