import Core
import Testing

@testable import tiketi

@Suite struct AccessLogReaderTests {
    static let salt = [UInt8](repeating: 7, count: 32)

    static func reader(event: String? = nil) throws -> AccessLogReader {
        AccessLogReader(
            artistPattern: try IdPattern(IdPatternTests.sample), eventPattern: try event.map { try IdPattern($0) },
            salt: salt, receivedAt: 1_700_000_000_000)
    }

    static func line(
        _ request: String, status: Int = 200, address: String = "198.18.0.1", referrer: String = "-",
        agent: String = "A"
    ) -> String {
        #"\#(address) - - [17/May/2015:10:05:03 +0000] "\#(request) HTTP/1.1" \#(status) 1 "\#(referrer)" "\#(agent)""#
    }

    static func read(_ reader: inout AccessLogReader, _ text: String) -> Beacon? {
        Array(text.utf8).withUnsafeBytes { reader.read(.line($0)) }
    }

    @Test func matchingLineIsABeacon() throws {
        var reader = try Self.reader(event: "/e([0-9]+)")
        let beacon = try #require(
            Self.read(&reader, Self.line("GET /blog/x/e42?q", referrer: "http://a/", agent: #"M \"q\""#)))
        #expect(beacon.timestamp == 1_431_857_103_000)
        #expect(beacon.claimed == beacon.timestamp)
        #expect(beacon.receivedAt == 1_700_000_000_000)
        #expect(beacon.flags == [])
        #expect(beacon[.eventType] == "page_view")
        #expect(beacon[.artistId] == "x")
        #expect(beacon[.eventId] == "42")
        #expect(beacon[.path] == "/blog/x/e42?q")
        #expect(beacon[.referrer] == "http://a/")
        #expect(beacon[.userAgent] == #"M "q""#)
        #expect(beacon[.visitorId]?.count == 32)
        #expect(beacon[.messageId]?.hasPrefix("log-") == true)
        #expect(beacon[.messageId]?.count == 36)
        #expect(beacon[.sessionId] == nil)
    }

    @Test(arguments: [
        ("GET", 200, "page_view"), ("GET", 304, "page_view"), ("GET", 206, nil), ("GET", 404, nil),
        ("HEAD", 200, nil), ("POST", 200, nil), ("get", 200, nil),
    ])
    func onlyAnsweredGetsAreViews(method: String, status: Int, expected: String?) throws {
        var reader = try Self.reader()
        #expect(Self.read(&reader, Self.line("\(method) /blog/x", status: status))?[.eventType] == expected)
    }

    @Test func visitorIsAddressAndAgentUnderTheSalt() throws {
        var reader = try Self.reader()
        func visitor(_ reader: inout AccessLogReader, _ address: String, _ agent: String) -> String? {
            Self.read(&reader, Self.line("GET /blog/x", address: address, agent: agent))?[.visitorId]
        }
        let first = visitor(&reader, "198.18.0.1", "A")
        #expect(visitor(&reader, "198.18.0.1", "A") == first)
        #expect(visitor(&reader, "198.18.0.2", "A") != first)
        #expect(visitor(&reader, "198.18.0.1", "B") != first)
        // HMAC-SHA256 of "198.18.0.1\nA" under 32 bytes of 7, by another implementation.
        #expect(first == "3ae5fc4f144b1d772d10067097a6d9dc")
    }

    @Test func sameLineTwiceIsTwoRequestsAndTheSameTwoNextTime() throws {
        let lines = [Self.line("GET /blog/x"), Self.line("GET /blog/y"), Self.line("GET /blog/x")]
        var first = try Self.reader()
        let ids = lines.map { Self.read(&first, $0)?[.messageId] }
        #expect(Set(ids).count == 3)
        // HMAC-SHA256 of the line and "\n1" under the same key, by another implementation.
        #expect(ids[0] == "log-d21c93eeebd8e99e2e4a02f58902f2bd")
        var second = try Self.reader()
        #expect((lines + [Self.line("GET /blog/z")]).map { Self.read(&second, $0)?[.messageId] }.prefix(3) == ids[...])
    }

    @Test func whatDoesNotMatchIsNeitherBeaconNorBad() throws {
        var reader = try Self.reader()
        for line in [Self.line("GET /about"), Self.line("-"), Self.line(#"\x16\x03"#), ""] {
            #expect(Self.read(&reader, line) == nil)
        }
        #expect(reader.lines == 4)
        #expect(reader.badLines == 0)
        #expect(reader.beacons == 0)
    }

    @Test func linesOfTheFutureAreBad() throws {
        var reader = AccessLogReader(
            artistPattern: try IdPattern(IdPatternTests.sample), eventPattern: nil, salt: Self.salt,
            receivedAt: Instant.parse("2015-05-17T10:05:03Z")!)
        for (clock, isTaken) in [("10:05:03", true), ("10:15:03", true), ("10:15:04", false)] {
            let line = Self.line("GET /blog/x").replacing(#/\d\d:\d\d:\d\d /#, with: clock + " ")
            #expect((Self.read(&reader, line) != nil) == isTaken, "\(line)")
        }
        #expect(reader.firstBadLines.map(\.reason) == ["a time in the future"])
    }

    @Test func badLinesAreCountedAndTheFirstOnesKept() throws {
        var reader = try Self.reader()
        #expect(Self.read(&reader, Self.line("GET /blog/x")) != nil)
        #expect(reader.read(.tooLong) == nil)
        #expect(Self.read(&reader, "a\u{1b}[2J b") == nil)
        #expect(Self.read(&reader, Self.line("GET /blog/" + String(repeating: "x", count: 129))) == nil)
        for _ in 0..<10 { #expect(Self.read(&reader, String(repeating: "x", count: 500)) == nil) }
        #expect(reader.lines == 14)
        #expect(reader.beacons == 1)
        #expect(reader.badLines == 13)
        #expect(reader.firstBadLines.map(\.number) == [2, 3, 4, 5, 6])
        #expect(
            reader.firstBadLines.map(\.reason) == [
                "longer than 65536 bytes", "a control character", "an id longer than 128 bytes", "no client address",
                "no client address",
            ])
        #expect(reader.firstBadLines[1].text == "a [2J b")
        #expect(reader.firstBadLines[3].text.count == AccessLogReader.maxBadLineCharacters)
    }
}
