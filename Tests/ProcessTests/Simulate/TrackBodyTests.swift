import Core
import Foundation
import Testing

@testable import tiketi

@Suite struct TrackBodyTests {
    @Test func bodyIsJSONWithEveryField() throws {
        var beacon = Beacon(receivedAt: 1, timestamp: 1_765_000_000_123)
        for (text, value) in [
            (.eventType, "page_view"), (.artistId, #"a"b\c"#), (.eventId, "e"), (.visitorId, "v"), (.sessionId, "s"),
            (.messageId, "m"), (.path, "/한\n\u{1}"), (.referrer, "r"), (.userAgent, "u"), (.country, "KR"),
        ] as [(BeaconBatch.Text, String)] {
            beacon[text] = value
        }
        let body = TrackBody.json([beacon, Beacon(receivedAt: 1, timestamp: 2)])
        let objects = try #require(JSONSerialization.jsonObject(with: Data(body)) as? [[String: Any]])
        #expect(objects.count == 2)
        #expect(objects[0]["timestamp"] as? Int == 1_765_000_000_123)
        #expect(objects[0]["artistId"] as? String == #"a"b\c"#)
        #expect(objects[0]["messageId"] as? String == "m")
        let metadata = try #require(objects[0]["metadata"] as? [String: Any])
        #expect(metadata["path"] as? String == "/한\n\u{1}")
        #expect(metadata["country"] as? String == "KR")
        #expect(Set(objects[1].keys) == ["timestamp", "metadata"])
        #expect(TrackBody.json([]) == Array("[]".utf8))
    }
}
