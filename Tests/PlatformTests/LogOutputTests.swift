import Foundation
import Logging
import Platform
import Synchronization
import Testing

@Suite struct LogOutputTests {
    private func record(_ format: LogFormat, _ body: (Logger) -> Void) -> [String] {
        final class Lines: Sendable {
            let written = Mutex<[String]>([])
        }
        let lines = Lines()
        body(
            Logger(label: "ingest") { label in
                LogOutput(label: label, format: format, level: .info) { line in
                    lines.written.withLock { $0.append(line) }
                }
            })
        return lines.written.withLock { $0 }
    }

    @Test func jsonRecordsAreOneObjectALine() throws {
        let lines = record(.json) { logger in
            var logger = logger
            logger[metadataKey: "node"] = "n-1"
            logger.debug("not this one")
            logger.warning(
                "a \"quoted\"\nmessage\u{1}",
                metadata: [
                    "error": "bad\\", "count": "\(3)", "level": "mine", "list": ["a", "b"], "map": ["k": "v"],
                ])
        }
        #expect(lines.count == 1)
        #expect(lines[0].last == "\n")
        #expect(lines[0].dropLast().contains("\n") == false)
        let object = try #require(JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(object["message"] as? String == "a \"quoted\"\nmessage\u{1}")
        #expect(object["level"] as? String == "warning")
        #expect(object["level_"] as? String == "mine")
        #expect(object["logger"] as? String == "ingest")
        #expect(object["node"] as? String == "n-1")
        #expect(object["error"] as? String == "bad\\")
        #expect(object["list"] as? [String] == ["a", "b"])
        #expect(object["map"] as? [String: String] == ["k": "v"])
        #expect((object["time"] as? String)?.count == 24)
    }

    @Test func textRecordsStayOnOneLine() {
        let lines = record(.text) {
            $0.info("stored\r\nforged: line", metadata: ["node": "n\u{1b}[0m", "beacons": "7"])
        }
        #expect(lines.count == 1)
        #expect(lines[0].hasSuffix(" info ingest: stored  forged: line beacons=7 node=n [0m\n"))
    }
}
