import TestSupport
import Testing

@testable import tiketi

@Suite struct AccessLogLineTests {
    /// The parts of a line as text, for comparison.
    struct Parts: Equatable {
        var address, method, target: String
        var timestamp: Int64
        var status: Int
        var referrer, userAgent: String?
    }

    static func parse(_ text: String) throws -> Parts {
        try Array(text.utf8).withUnsafeBytes { bytes in
            let line = try AccessLogLine(bytes)
            func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
            return Parts(
                address: text(line.address), method: text(line.method), target: text(line.target),
                timestamp: line.timestamp, status: line.status, referrer: line.referrer.map(text),
                userAgent: line.userAgent.map(text))
        }
    }

    @Test func combinedLineIsTakenApart() throws {
        let line =
            #"198.18.0.1 - - [17/May/2015:10:05:03 +0000] "GET /blog/x?a=b HTTP/1.1" 200 203023 "#
            + #""http://a.example/" "Mozilla/5.0 (X11; Linux)""#
        #expect(
            try Self.parse(line)
                == Parts(
                    address: "198.18.0.1", method: "GET", target: "/blog/x?a=b", timestamp: 1_431_857_103_000,
                    status: 200, referrer: "http://a.example/", userAgent: "Mozilla/5.0 (X11; Linux)"))
    }

    @Test(
        arguments: [
            // A dash stands for what the client did not send.
            (#"::1 - - [17/May/2015:10:05:03 +0000] "HEAD / HTTP/1.0" 304 - "-" "-""#, "/", nil),
            // The common format ends after the size.
            (#"h.example - - [17/May/2015:10:05:03 +0000] "HEAD / HTTP/1.0" 304 0"#, "/", nil),
            (#"h.example - - [17/May/2015:10:05:03 +0000] "HEAD / HTTP/1.0" 304 0 "" """#, "/", nil),
            // Some servers write more behind the agent.
            (#"h.example - - [17/May/2015:10:05:03 +0000] "HEAD /a HTTP/1.0" 304 0 "-" "A b" 0.003 "-""#, "/a", "A b"),
            // A user with spaces and brackets.
            (#"h.example - J [x] D [17/May/2015:10:05:03 +0000] "HEAD /a HTTP/1.0" 304 0 "-" "A""#, "/a", "A"),
            // A space that the client failed to encode; and HTTP/0.9.
            (#"h.example - - [17/May/2015:10:05:03 +0000] "HEAD /a b HTTP/1.0" 304 0 "-" "A""#, "/a b", "A"),
            (#"h.example - - [17/May/2015:10:05:03 +0000] "HEAD /a" 304 0 "-" "A""#, "/a", "A"),
            // Quotes, escaped and not.
            (
                #"h.example - - [17/May/2015:10:05:03 +0000] "HEAD /a\"b HTTP/1.0" 304 0 "-" "A \"b\" \\""#, #"/a\"b"#,
                #"A \"b\" \\"#
            ),
            (#"h.example - - [17/May/2015:10:05:03 +0000] "HEAD /a"b HTTP/1.0" 304 0 "-" "A"B""#, #"/a"b"#, #"A"B"#),
        ] as [(String, String, String?)])
    func oddLineIsTakenApart(line: String, target: String, userAgent: String?) throws {
        let parts = try Self.parse(line)
        #expect(parts.method == "HEAD")
        #expect(parts.target == target)
        #expect(parts.userAgent == userAgent)
        #expect(parts.referrer == nil)
        #expect(parts.status == 304)
        #expect(parts.timestamp == 1_431_857_103_000)
    }

    @Test(arguments: ["-", "", #"\x16\x03\x01\x02"#, "GET"])
    func requestThatIsNoneHasNoTarget(request: String) throws {
        let parts = try Self.parse(#"a - - [17/May/2015:10:05:03 +0000] "\#(request)" 400 0 "-" "-""#)
        #expect(parts.target.isEmpty)
        #expect(parts.method.isEmpty)
    }

    @Test(
        arguments: [
            ("", .noAddress),
            (" - - [17/May/2015:10:05:03 +0000]", .noAddress),
            ("a", .noAddress),
            ("a - - 17/May/2015:10:05:03", .noTime),
            (#"a - - [31/Feb/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#, .noTime),
            (#"a - - [17/May/2015:24:05:03 +0000] "GET / HTTP/1.1" 200 1"#, .noTime),
            (#"a - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#, .noTime),
            (#"a - - [17/May/2015:10:05:03 +0000] GET / HTTP/1.1 200 1"#, .noRequest),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"#, .noRequest),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" "#, .noStatus),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 20x 1"#, .noStatus),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200"#, .noSize),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 2000 1"#, .noSize),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1x"#, .noSize),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 x"#, .noReferrer),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-""#, .noUserAgent),
            // As line 8,899 of the public sample: the agent's end is missing.
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "Mozilla/5.0 (c"#, .noUserAgent),
            (#"a - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "A\""#, .noUserAgent),
            ("a - - [17/May/2015:10:05:03 +0000] \"GET /\u{0} HTTP/1.1\" 200 1", .controlCharacter),
        ] as [(String, AccessLogLine.Malformed)])
    func malformedLineIsNamed(line: String, expected: AccessLogLine.Malformed) {
        #expect(throws: expected) { try Self.parse(line) }
    }

    /// Whatever the bytes, parsing ends in parts within the line or in an error, never in a crash.
    @Test func mutatedLinesNeverCrash() {
        var random = SeededGenerator()
        print(random)
        let whole = Array(
            #"198.18.0.1 - u [17/May/2015:10:05:03 +0000] "GET /b\"log HTTP/1.1" 200 23 "http://a/" "M (X; \x41)""#.utf8
        )
        for _ in 0..<20_000 {
            var line = whole
            for _ in 0..<Int(random.next() % 4 + 1) {
                guard !line.isEmpty else { break }
                let index = Int(random.next() % UInt64(line.count))
                switch random.next() % 4 {
                case 0: line[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: line.remove(at: index)
                case 2: line.insert([0x22, 0x5c, 0x20, 0x5b][Int(random.next() % 4)], at: index)
                default: line.removeSubrange(index...)
                }
            }
            line.withUnsafeBytes { bytes in
                guard let parsed = try? AccessLogLine(bytes) else { return }
                let places = [parsed.address, parsed.method, parsed.target, parsed.referrer, parsed.userAgent]
                for place in places.compactMap({ $0 }) {
                    #expect(place.upperBound <= bytes.count)
                    _ = LogText.decode(UnsafeRawBufferPointer(rebasing: bytes[place]))
                }
            }
        }
    }
}
