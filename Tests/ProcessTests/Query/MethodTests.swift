import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@Suite struct MethodTests {
    /// What a server sends on one connection until it closes it.
    private func exchange(_ server: QueryServer, _ requests: [String], in folder: URL) async throws -> String {
        let file = folder.appending(path: "requests")
        let text =
            requests.map { request in
                "\(request) HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \(server.token)\r\n"
            }.joined(separator: "\r\n") + "Connection: close\r\n\r\n"
        try text.write(to: file, atomically: true, encoding: .utf8)
        let port = server.address.split(separator: ":").last!
        let run = try await CommandLineRun.run(
            URL(filePath: "/bin/bash"), ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port); cat \(file.path) >&3; cat <&3"])
        return run.output
    }

    @Test func headIsGetWithoutTheBody() async throws {
        try await withTemporaryFolder { folder in
            try await QueryServer.with { server in
                let path = "/api/analytics/traffic?startDate=2025-12-01&endDate=2025-12-05"
                let whole = try await server.get(path)
                let length = try await whole.body.collect(upTo: 1 << 20).readableBytes
                let answers = try await exchange(server, ["HEAD \(path)", "GET /health"], in: folder)
                    .components(separatedBy: "\r\n\r\n")
                #expect(answers.count == 3)
                #expect(answers[0].hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(answers[0].lowercased().contains("content-length: \(length)"))
                #expect(answers[0].lowercased().contains("\r\netag: \(whole.headers["etag"][0].lowercased())"))
                #expect(answers[1].hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answers)")
                #expect(answers[2] == "ok\n")

                // Nobody knows their length: the head is all, and the end of it the end of the connection.
                for path in ["/api/analytics/realtime", "/api/analytics/export?of=dashboard"] {
                    let text = try await exchange(server, ["HEAD \(path)", "GET /health"], in: folder)
                    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
                    #expect(text.lowercased().contains("connection: close"))
                    #expect(text.hasSuffix("\r\n\r\n"))
                    #expect(text.components(separatedBy: "\r\n\r\n").count == 2, "\(text)")
                }
                let none = try await exchange(server, ["HEAD /nothing", "GET /health"], in: folder)
                #expect(none.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
                #expect(none.hasSuffix("\r\n\r\nok\n"))
                #expect(none.components(separatedBy: "\r\n\r\n").count == 3, "\(none)")
            }
        }
    }

    @Test func anotherMethodIs405AndToldWhichThereAre() async throws {
        try await QueryServer.with { server in
            for (method, path) in [
                (HTTPMethod.POST, "/api/analytics/dashboard"), (.DELETE, "/api/analytics/artist/iu/traffic?x=1"),
                (.PUT, "/health"), (.OPTIONS, "/openapi.json"),
            ] {
                var request = HTTPClientRequest(url: server.address + path)
                request.method = method
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers["allow"] == ["GET, HEAD"])
                let body = String(buffer: try await response.body.collect(upTo: 1 << 16))
                #expect(body.contains(#""code":"method_not_allowed""#), "\(body)")
                #expect(response.headers["content-type"] == ["application/problem+json"])
            }
            var nothing = HTTPClientRequest(url: server.address + "/api/analytics/nothing")
            nothing.method = .POST
            #expect(try await HTTPClient.shared.execute(nothing, timeout: .seconds(60)).status == .notFound)
        }
    }
}
