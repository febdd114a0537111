import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@Suite struct RealtimeStreamTests {
    @Test func thePresentIsStreamedUntilTheProcessEnds() async throws {
        try await QueryServer.with { server in
            let response = try await server.get("/api/analytics/realtime")
            #expect(response.status == .ok)
            #expect(response.headers["content-type"] == ["text/event-stream"])
            #expect(response.headers["cache-control"] == ["no-store"])
            var text = ""
            var hasEndedServer = false
            // Ends in good order, or this throws.
            for try await piece in response.body {
                text += String(buffer: piece)
                if text.components(separatedBy: "data: ").count == 3, !hasEndedServer {
                    hasEndedServer = true
                    server.program.signal(SIGTERM)
                }
            }
            #expect(hasEndedServer)
            #expect(await server.program.end() == .exited(0), "\(server.program.error)")
            let events = text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: ") }
            #expect(events.count >= 2)
            for event in events {
                let json = try JSONSerialization.jsonObject(with: Data(event.dropFirst(6).utf8)) as? [String: Any]
                #expect(json?["visitorsLast5Minutes"] as? Int == 0)
                #expect(json?["viewsPerMinute"] as? Int == 0)
                #expect((json?["latestBookings"] as? [Any])?.isEmpty == true)
            }
        }
    }

    @Test func theStreamNeedsATokenAndTakesNoParameters() async throws {
        try await QueryServer.with { server in
            let wrong = try await server.get("/api/analytics/realtime?every=2")
            #expect(wrong.status == .unprocessableEntity)
            let without = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: server.address + "/api/analytics/realtime"), timeout: .seconds(60))
            #expect(without.status == .unauthorized)
        }
    }
}
