import Core
import Foundation
import NIOCore
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Requests that are made to be read in two ways, or to take more than they give.
@Suite(.timeLimit(.minutes(2))) struct TrackHostileTests {
    /// In each of them hides a second request, for a server that takes the first one's end to be elsewhere.
    static let smuggling: [(String, String)] = [
        ("two lengths", "Content-Length: 0\r\nContent-Length: 17\r\n"),
        ("two lengths alike", "Content-Length: 17\r\nContent-Length: 17\r\n"),
        ("a list of lengths", "Content-Length: 17, 17\r\n"),
        ("a length and chunks", "Content-Length: 17\r\nTransfer-Encoding: chunked\r\n"),
        ("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 17\r\n"),
        ("chunks that aren't last", "Transfer-Encoding: chunked, identity\r\n"),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n"),
        ("chunks in capitals with a tab", "Transfer-Encoding:\tCHUNKED\r\nContent-Length: 17\r\n"),
        ("a space before the colon", "Content-Length : 17\r\n"),
        ("a folded line", "X-A: b\r\n Content-Length: 17\r\nContent-Length: 0\r\n"),
        ("a sign", "Content-Length: +17\r\n"),
        ("a negative length", "Content-Length: -17\r\n"),
        ("a length in hex", "Content-Length: 0x11\r\n"),
        ("a length beyond 64 bits", "Content-Length: 18446744073709551633\r\n"),
        ("a bare line feed", "X-A: b\nContent-Length: 17\r\n"),
        ("a bare carriage return", "X-A: b\rContent-Length: 17\r\n"),
        ("a NUL", "X-A: b\u{0}\r\nContent-Length: 17\r\n"),
        ("a name that is empty", ": b\r\nContent-Length: 17\r\n"),
    ]

    @Test(arguments: smuggling)
    func anUnclearEndIsRefused(_ name: String, _ fields: String) async throws {
        try await TrackServer.run { server in
            let connection = try await server.connect()
            let hidden = HTTPText.request("POST", "/track", Array(#"{"eventType":"hidden"}"#.utf8))
            try await connection.send(
                Array("POST /track HTTP/1.1\r\nHost: t\r\n\(fields)\r\n".utf8) + Array(#"{"eventType":"a"}"#.utf8)
                    + hidden
            )
            try? await connection.closeOutput()
            let text = String(decoding: try await connection.rest(), as: UTF8.self)
            #expect(server.sink.beacons.allSatisfy { $0[.eventType] != "hidden" }, "\(text)")
            #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(text)")
            #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "\(text)")
            #expect(text.contains("Connection: close\r\n"))
        }
    }

    /// Whatever one of them does, the next client is served.
    @Test func bombsAreRefusedAndHarmNobody() async throws {
        try await TrackServer.run { server in
            func head(_ fields: String) -> [UInt8] {
                Array("POST /track HTTP/1.1\r\nHost: t\r\n\(fields)\r\n".utf8)
            }
            let bombs: [(what: String, bytes: [UInt8], status: Int)] = [
                ("fields", head((0..<200).map { "X-\($0): 1\r\n" }.joined()), 400),
                ("one field", head("X: \(String(repeating: "a", count: 40_000))\r\n"), 400),
                ("a name", head("\(String(repeating: "a", count: 40_000)): 1\r\n"), 400),
                ("a target", Array("POST /track?\(String(repeating: "a", count: 40_000)) HTTP/1.1\r\n\r\n".utf8), 400),
                ("a body", head("Content-Length: 999999999999\r\n"), 413),
                ("a chunk", head("Transfer-Encoding: chunked\r\n") + Array("fffffffffffffffff\r\n".utf8), 400),
                ("gzip", HTTPText.request("POST", "/track", Self.gzip(Array(repeating: 0x20, count: 64 << 20))), 413),
                (
                    "depth", HTTPText.request("POST", "/track", Array(repeating: UInt8(ascii: "["), count: 1_000_000)),
                    400
                ),
            ]
            for bomb in bombs {
                let connection = try await server.connect()
                connection.startSending(bomb.bytes)
                #expect(try await connection.response().status == bomb.status, "\(bomb.what)")
                connection.close()
                #expect(try await server.post(#"{"eventType":"a"}"#).status == 202, "after \(bomb.what)")
            }
            try await until { server.metrics.exposition().contains("tiketi_track_inflight_bytes 0\n") }
        }
    }

    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { Gzip.deflate($0) }
    }
}
