import Core
import Platform
import TestSupport
import Testing

@testable import Query

@Suite struct EventLinesTests {
    /// Texts with everything that JSON escapes, of all lengths around a word's.
    private func text(_ random: inout SeededGenerator) -> String? {
        if Int.random(in: 0..<6, using: &random) == 0 { return nil }
        let pieces = [
            "a", "bc", "artist-0042", "\"", "\\", "\n", "\r", "\t", "\u{1}", "\u{1f}", " ", "\u{7f}", "é", "서울", "🎟",
        ]
        let plain = Bool.random(using: &random)
        return (0..<Int.random(in: 0...20, using: &random)).map { _ in
            plain ? pieces[Int.random(in: 0..<3, using: &random)] : pieces.randomElement(using: &random)!
        }.joined()
    }

    private func json(_ beacon: Beacon) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("timestamp", Instant.iso8601(beacon.timestamp))
            json.member("receivedAt", Instant.iso8601(beacon.receivedAt))
            for (name, text) in [
                ("eventType", .eventType), ("artistId", .artistId), ("eventId", .eventId), ("visitorId", .visitorId),
                ("sessionId", .sessionId), ("messageId", .messageId), ("clientHash", .clientHash), ("path", .path),
                ("referrer", .referrer), ("userAgent", .userAgent), ("country", .country),
            ] as [(String, BeaconBatch.Text)] {
                json.member(name, beacon[text])
            }
            json.member("anonymous", beacon.flags.contains(.anonymous))
            json.member("metadata", raw: beacon[.metadata] ?? "null")
        }
        return json.text
    }

    @Test func linesAreAsTheWriterMakesThem() {
        var random = SeededGenerator()
        print("\(random)")
        var builder = BeaconBatchBuilder()
        var beacons: [Beacon] = []
        for row in 0..<2000 {
            // Also before 1970, and the last instants of days.
            var beacon = Beacon(
                receivedAt: Int64.random(in: -4_000_000_000_000...4_000_000_000_000, using: &random),
                timestamp: Int64(row % 50) * 86_400_000 - Int64(row % 3))
            if row % 5 == 0 { beacon.flags = .anonymous }
            for column in BeaconBatch.Text.allCases where column != .metadata { beacon[column] = text(&random) }
            if row % 4 == 0 { beacon[.metadata] = "{\"n\":\(row)}" }
            beacons.append(beacon)
            builder.append(beacon)
        }
        let batch = builder.finish()
        for format in [AnswerFormat.ndjson, .json] {
            var lines = EventLines(format)
            for row in beacons.indices { lines.append(batch, row) }
            lines.finish()
            let all = beacons.map(json)
            let expected =
                format == .ndjson ? all.map { $0 + "\n" }.joined() : "[\n" + all.joined(separator: ",\n") + "\n]\n"
            #expect(String(decoding: lines.take(), as: UTF8.self) == expected)
        }
    }

    /// As it was always written: with what can't be decoded replaced.
    @Test func bytesThatAreNoTextAreReplaced() {
        var batch = BeaconBatch()
        batch.receivedAt = [0]
        batch.timestamp = [0]
        batch.claimed = [0]
        batch.flags = [[]]
        for text in BeaconBatch.Text.allCases {
            batch[text] = TextColumn(bytes: [0x61, 0xff, 0x62], ends: [3], codes: [text == .path ? 1 : 0])
        }
        var lines = EventLines(.ndjson)
        lines.append(batch, 0)
        #expect(String(decoding: lines.take(), as: UTF8.self).contains(#""path":"a�b","#))
    }
}
