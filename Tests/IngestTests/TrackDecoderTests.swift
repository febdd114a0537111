import Core
import Foundation
import Ingest
import Testing

/// The body forms and field rules of docs/reference.md, on the decoder alone.
@Suite struct TrackDecoderTests {
    @Test func everyFieldReachesItsColumn() throws {
        let decoded = try Decoded(
            """
            {"eventType":"page_view","artistId":"a-1","eventId":"e-1","timestamp":"2026-02-28T23:59:59.250Z",
             "visitorId":"v","sessionId":"s","messageId":"m",
             "metadata":{"path":"/x","referrer":"https://r/","userAgent":"UA","country":"kr","device":"tv"}}
            """)
        #expect(decoded.rejected == [])
        let beacon = try #require(decoded.beacons.first)
        #expect(beacon.receivedAt == Decoded.receivedAt)
        #expect(beacon.timestamp == Decoded.receivedAt - 750)
        #expect(beacon.claimed == Decoded.receivedAt - 750)
        #expect(beacon.flags == [])
        #expect(
            beacon.texts == [
                "page_view", "a-1", "e-1", "v", "s", "m", nil, "/x", "https://r/", "UA", "KR", #"{"device":"tv"}"#,
            ])
    }

    @Test(arguments: [
        (#"{"eventType":"a"}"#, ["a"]),
        (#"[{"eventType":"a"},{"eventType":"b"}]"#, ["a", "b"]),
        (#"[]"#, []),
        (" [ ] ", []),
        (#"{"batch":[{"eventType":"a"},{"eventType":"b"}]}"#, ["a", "b"]),
        (#"{"sentAt":"x","batch":[{"eventType":"a"}],"writeKey":{"a":[1]}}"#, ["a"]),
        (#"{"b\u0061tch":[{"eventType":"a"}]}"#, ["a"]),
        (#"{"batch":[]}"#, []),
        (#"{"batch":[{"eventType":"a"}],"batch":[{"eventType":"b"}]}"#, ["b"]),
        ("{\"eventType\":\"a\"}\n{\"eventType\":\"b\"}\n", ["a", "b"]),
        ("{\"eventType\":\"a\"}\r\n\r\n{\"eventType\":\"b\"}", ["a", "b"]),
        (#"{"eventType":"a"}{"eventType":"b"} {"eventType":"c"}"#, ["a", "b", "c"]),
        ("{\n \"eventType\" : \"a\"\n}\n{\n\"eventType\":\"b\"}", ["a", "b"]),
        ("\u{feff}{\"eventType\":\"a\"}", ["a"]),
        ("\n\t {\"eventType\":\"a\"} \n", ["a"]),
    ])
    func bodyForms(_ body: String, _ types: [String]) throws {
        let decoded = try Decoded(body)
        #expect(decoded.beacons.map { $0[.eventType] } == types)
        #expect(decoded.rejected == [])
    }

    @Test(arguments: [
        "x", "{", "[", "[{}", #"{"eventType":"a""#, #"{"eventType":"a",}"#, #"{"eventType":"a"}}"#,
        #"{"eventType":"a"} x"#, #"[{"eventType":"a"},]"#, #"[{"eventType":"a"}{"eventType":"a"}]"#,
        #"[{"eventType":"a"}] [{"eventType":"a"}]"#, #"{'eventType':'a'}"#, #"{"eventType":01}"#,
        #"{"eventType":"\x"}"#, "{\"eventType\":\"a\tb\"}", #"{"eventType":+1}"#, #"{"eventType":1.}"#,
        #"{"eventType":.5}"#, #"{"eventType":1e}"#, #"{"eventType":tru}"#, #"{"eventType":NaN}"#,
        #"{"eventType":"\u12g4"}"#, #"{eventType:"a"}"#,
        "{\"batch\":[\n{\"eventType\":\"a\"}\n{\"eventType\":\"b\"}\n]}",
        "{\n\"batch\": [\n{\"eventType\":\"a\"}\n{\"eventType\":\"b\"}\n]\n}",
        "[\n{\"eventType\":\"a\"}\n{\"eventType\":\"b\"}\n]", "eventType=a&artistId=b", "oops\nnot json\n",
    ])
    func syntaxErrorsRefuseTheWhole(_ body: String) throws {
        #expect { try Decoded(body) } throws: { error in
            if case .notJSON? = error as? TrackRefusal { true } else { false }
        }
    }

    @Test func otherRefusals() throws {
        #expect(throws: TrackRefusal.empty) { try Decoded("") }
        #expect(throws: TrackRefusal.empty) { try Decoded(" \r\n\t") }
        for scalar in ["1", "null", "true", #""eventType""#, "1 2\n3"] {
            #expect(throws: TrackRefusal.notBeacons) { try Decoded(scalar) }
        }
        #expect { try Decoded(Array(#"{"eventType":"a"#.utf8) + [0xff] + Array(#""}"#.utf8)) } throws: { error in
            error as? TrackRefusal == .notJSON(JSONSyntaxError(offset: 15, reason: .badUTF8))
        }
    }

    @Test(arguments: [
        "{\"eventType\":\"x\"", "nonsense", "{\"eventType\":", "{\"eventType\":\"x\\", "{}}", "{\"a\":1,",
    ])
    func aMalformedLineIsRejectedAndTheOthersKept(_ line: String) throws {
        let good = #"{"eventType":"a"}"#
        for (lines, index) in [([line, good, good], 0), ([good, line, good], 1), ([good, good, line], 2)] {
            let decoded = try Decoded(lines.joined(separator: "\n"))
            #expect(decoded.beacons.count == 2)
            #expect(decoded.rejected == [rejection(index, .beacon, .malformedLine)])
        }
    }

    @Test func aLineOfBadUTF8IsRejectedAlone() throws {
        let line = Array("{\"eventType\":\"a\"}\n".utf8)
        let decoded = try Decoded(line + [0x22, 0xff, 0x22, 0x0a] + line)
        #expect(decoded.beacons.count == 2)
        #expect(decoded.rejected == [rejection(1, .beacon, .malformedLine)])
    }

    @Test func oneBadBeaconNeverSpoilsItsNeighbours() throws {
        let decoded = try Decoded(
            #"[{"eventType":"a"},7,{"artistId":"x"},null,{"eventType":"b"},[],{"eventType":"c","artistId":""},"#
                + #"{"eventType":"d"}]"#)
        #expect(decoded.beacons.map { $0[.eventType] } == ["a", "b", "d"])
        #expect(
            decoded.rejected == [
                rejection(1, .beacon, .notObject), rejection(2, .eventType, .missing),
                rejection(3, .beacon, .notObject), rejection(5, .beacon, .notObject),
                rejection(6, .artistId, .identifierLength),
            ])
        #expect(decoded.outcome.rejectedByField[TrackField.beacon.rawValue] == 3)
        #expect(decoded.outcome.offeredCount == 8)
    }

    @Test(arguments: [
        (#"{}"#, TrackField.eventType, Rejection.Reason.missing),
        (#"{"eventType":null}"#, .eventType, .missing),
        (#"{"eventType":5}"#, .eventType, .notString),
        (#"{"eventType":{}}"#, .eventType, .notString),
        (#"{"eventType":""}"#, .eventType, .eventTypeLength),
        (#"{"eventType":"a b"}"#, .eventType, .eventTypeCharacters),
        (#"{"eventType":"é"}"#, .eventType, .eventTypeCharacters),
        (#"{"eventType":"a/b"}"#, .eventType, .eventTypeCharacters),
        (#"{"eventType":"a;b"}"#, .eventType, .eventTypeCharacters),
        (#"{"eventType":"a","artistId":5}"#, .artistId, .notString),
        (#"{"eventType":"a","artistId":""}"#, .artistId, .identifierLength),
        (#"{"eventType":"a","eventId":true}"#, .eventId, .notString),
        (#"{"eventType":"a","eventId":"a\u0000b"}"#, .eventId, .controlCharacter),
        (#"{"eventType":"a","visitorId":"\n"}"#, .visitorId, .controlCharacter),
        ("{\"eventType\":\"a\",\"visitorId\":\"\u{7f}\"}", .visitorId, .controlCharacter),
        ("{\"eventType\":\"a\",\"sessionId\":\"x\u{85}\"}", .sessionId, .controlCharacter),
        (#"{"eventType":"a","sessionId":["s"]}"#, .sessionId, .notString),
        (#"{"eventType":"a","messageId":1.5}"#, .messageId, .notString),
        (#"{"eventType":"a","timestamp":"yesterday"}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":"1772323200000"}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":"2026-03-01T00:00:00"}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":"2026-02-30T00:00:00Z"}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":"2026-03-01T24:00:00Z"}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":"2026-03-01"}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":1.7723232e12}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":1772323200000.0}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":false}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":{}}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":""}"#, .timestamp, .timestampKind),
        (#"{"eventType":"a","timestamp":99999999999999999999999}"#, .timestamp, .tooFarAhead),
        (#"{"eventType":"a","timestamp":-99999999999999999999999}"#, .timestamp, .tooOld),
        (#"{"eventType":"a","timestamp":0}"#, .timestamp, .tooOld),
        (#"{"eventType":"a","timestamp":1772323200}"#, .timestamp, .tooOld),
        (#"{"eventType":"a","metadata":"x"}"#, .metadata, .metadataKind),
        (#"{"eventType":"a","metadata":[]}"#, .metadata, .metadataKind),
        (#"{"eventType":"a","metadata":1}"#, .metadata, .metadataKind),
    ])
    func fieldRules(_ body: String, _ field: TrackField, _ reason: Rejection.Reason) throws {
        let decoded = try Decoded(body)
        #expect(decoded.beacons == [])
        #expect(decoded.rejected == [rejection(0, field, reason)])
    }

    @Test func lengthsToTheByte() throws {
        func identifier(_ text: String) throws -> [Rejection] {
            try Decoded(#"{"eventType":"a","artistId":"\#(text)"}"#).rejected
        }
        #expect(try identifier(String(repeating: "x", count: 128)) == [])
        #expect(
            try identifier(String(repeating: "x", count: 129)) == [rejection(0, .artistId, .identifierLength)])
        // 42 × 3 bytes of UTF-8 and 2 more, whichever way they are spelled.
        #expect(try identifier(String(repeating: "가", count: 42) + "xy") == [])
        #expect(try identifier(String(repeating: "\\uac00", count: 42) + "xy") == [])
        #expect(
            try identifier(String(repeating: "\\uac00", count: 43)) == [rejection(0, .artistId, .identifierLength)])
        let longest = String(repeating: "e", count: 64)
        #expect(try Decoded(#"{"eventType":"\#(longest)"}"#).rejected == [])
        #expect(
            try Decoded(#"{"eventType":"\#(longest)e"}"#).rejected == [rejection(0, .eventType, .eventTypeLength)])
        #expect(try Decoded(#"{"eventType":"azAZ09_.-:"}"#).rejected == [])
    }

    @Test func optionalFieldsMayBeNull() throws {
        let decoded = try Decoded(
            #"{"eventType":"a","artistId":null,"eventId":null,"timestamp":null,"visitorId":"v","sessionId":null,"#
                + #""messageId":null,"metadata":null}"#)
        #expect(decoded.rejected == [])
        #expect(decoded.beacons.first?.texts.compactMap { $0 } == ["a", "v"])
        #expect(decoded.beacons.first?.flags == .stamped)
    }

    // MARK: Time

    @Test(arguments: [
        ("1772323200000", 0), ("1772323199999", -1), (#""2026-03-01T09:00:00+09:00""#, 0),
        (#""2026-02-28T19:00:00.5-0500""#, 500), (#""2026-03-01T00:00Z""#, 0), (#""2026-03-01 00:00:00z""#, 0),
        (#""2026-03-01T00\u003a00:00Z""#, 0),
    ])
    func timestampForms(_ text: String, _ offset: Int64) throws {
        let decoded = try Decoded(#"{"eventType":"a","timestamp":\#(text)}"#)
        #expect(decoded.beacons.first?.claimed == Decoded.receivedAt + offset)
        #expect(decoded.beacons.first?.flags == [])
    }

    @Test func aheadIsClampedUpToTenMinutes() throws {
        func decode(_ ahead: Int64) throws -> Decoded {
            try Decoded(#"{"eventType":"a","timestamp":\#(Decoded.receivedAt + ahead)}"#)
        }
        for ahead: Int64 in [1, 599_999, 600_000] {
            let beacon = try #require(try decode(ahead).beacons.first)
            #expect(beacon.timestamp == Decoded.receivedAt)
            #expect(beacon.claimed == Decoded.receivedAt + ahead)
        }
        #expect(try decode(600_001).rejected == [rejection(0, .timestamp, .tooFarAhead)])
    }

    @Test func ageIsBoundedAt400Days() throws {
        let limit = Decoded.receivedAt - 400 * 86_400_000
        func body(_ time: Int64) -> String { #"{"eventType":"a","timestamp":\#(time)}"# }
        #expect(try Decoded(body(limit)).beacons.first?.timestamp == limit)
        #expect(try Decoded(body(limit - 1)).rejected == [rejection(0, .timestamp, .tooOld)])
        let imported = Decoded.receipt(limitsAge: false)
        #expect(try Decoded(body(0), imported).beacons.first?.timestamp == 0)
        #expect(try Decoded(body(-1), imported).rejected == [rejection(0, .timestamp, .before1970)])
    }

    @Test func withoutATimestampTheServerStamps() throws {
        let beacon = try #require(try Decoded(#"{"eventType":"a"}"#).beacons.first)
        #expect(beacon.timestamp == Decoded.receivedAt)
        #expect(beacon.claimed == Decoded.receivedAt)
        #expect(beacon.flags == .stamped)
    }

    // MARK: Text

    @Test(arguments: [
        (#"\u00e9\u20ac"#, "é€"), (#"\ud83c\udfab"#, "🎫"), (#"\"\\\/"#, #""\/"#), ("한국어 🎫", "한국어 🎫"),
        (#"\ud83c"#, "\u{fffd}"), (#"\udfab"#, "\u{fffd}"), (#"\ud83cx"#, "\u{fffd}x"),
        (#"\ud83c\ud83c\udfab"#, "\u{fffd}🎫"),
        (#"\udfab\ud83c"#, "\u{fffd}\u{fffd}"), (#"a\u0061\uAbCd"#, "aa\u{abcd}"),
        (#"\ud83c\n"#, "bad"),
    ])
    func escapes(_ spelled: String, _ text: String) throws {
        let decoded = try Decoded(#"{"eventType":"a","artistId":"\#(spelled)"}"#)
        if text == "bad" {
            #expect(decoded.rejected == [rejection(0, .artistId, .controlCharacter)])
        } else {
            #expect(decoded.beacons.first?[.artistId] == text)
        }
    }

    @Test func theLastOfDuplicateKeysWins() throws {
        let decoded = try Decoded(
            #"{"eventType":5,"eventType":"a","artistId":"x","\u0061rtistId":"y","visitorId":"v","visitorId":null,"#
                + #""metadata":7,"metadata":{"path":"/1","k":1,"path":"/2","k":2,"path":"/3","\u006b":3},"k":4,"j":5}"#)
        #expect(decoded.rejected == [])
        let beacon = try #require(decoded.beacons.first)
        #expect(beacon[.artistId] == "y")
        #expect(beacon[.visitorId] == nil)
        #expect(beacon[.path] == "/3")
        #expect(beacon[.metadata] == #"{"\u006b":3,"j":5}"#)
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            let (open, close) = (String(repeating: "[", count: depth), String(repeating: "]", count: depth))
            return #"{"eventType":"a","deep":\#(open)\#(close)}"#
        }
        #expect(try Decoded(nested(64)).beacons.count == 1)
        #expect { try Decoded(nested(65)) } throws: { error in
            if case .notJSON(let error)? = error as? TrackRefusal { error.reason == .tooDeep } else { false }
        }
        #expect(throws: TrackRefusal.self) { try Decoded(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: TrackRefusal.self) { try Decoded(String(repeating: #"{"a":"#, count: 1_000_000)) }
    }

    // MARK: Metadata

    @Test func theRestOfTheMetadataIsKeptAsItCame() throws {
        let beacon = try Decoded.beacon(
            metadata: """
                { "z" : [ 1 , {"b": "x y" , "a":null} ] , "path" : "/p" , "n":1.50e+2, "t": true,
                  "s":"\\u00e9\\ud800 \\" ,", "e":{ }, "k\\"ey": -0 }
                """)
        #expect(
            beacon?[.metadata]
                == #"{"z":[1,{"b":"x y","a":null}],"n":1.50e+2,"t":true,"s":"\u00e9\ufffd \" ,","e":{},"k\"ey":-0}"#)
        #expect(beacon?[.path] == "/p")
    }

    @Test func unknownFieldsJoinTheMetadata() throws {
        let decoded = try Decoded(
            #"{"eventType":"a","visitorId":"v","plan":"gold","tags":[1, 2],"metadata":{"plan":"silver","x":1}}"#)
        #expect(decoded.beacons.first?[.metadata] == #"{"plan":"silver","x":1,"tags":[1,2]}"#)
        let without = try Decoded(#"{"eventType":"a","visitorId":"v","plan":"gold","path":"/top","ip":"192.0.2.1"}"#)
        #expect(without.beacons.first?[.metadata] == #"{"plan":"gold"}"#)
        #expect(without.beacons.first?[.path] == "/top")
    }

    @Test func metadataColumnsThatAreNotTextStay() throws {
        let beacon = try Decoded.beacon(
            metadata: #"{"path":5,"referrer":null,"userAgent":["x"],"country":"Korea","ip":9}"#)
        #expect(beacon?[.metadata] == #"{"path":5,"referrer":null,"userAgent":["x"],"country":"Korea"}"#)
        #expect(beacon?[.path] == nil)
        #expect(try Decoded.beacon(metadata: #"{"path":"a\u0000b"}"#)?[.metadata] == #"{"path":"a\u0000b"}"#)
        let empty = #"{"path":"","referrer":"","country":"","userAgent":""}"#
        #expect(try Decoded.beacon(metadata: empty)?.texts.compactMap { $0 } == ["e", "v"])
        #expect(try Decoded.beacon(metadata: #"{"country":"k1"}"#)?[.metadata] == #"{"country":"k1"}"#)
        #expect(try Decoded.beacon(metadata: #"{"country":"\u006br"}"#)?[.country] == "KR")
    }

    @Test(arguments: [
        ("path", TrackField.path), ("referrer", .referrer), ("userAgent", .userAgent),
    ])
    func columnsAreBounded(_ name: String, _ field: TrackField) throws {
        func decode(_ count: Int) throws -> Decoded {
            try Decoded(#"{"eventType":"a","metadata":{"\#(name)":"\#(String(repeating: "x", count: count))"}}"#)
        }
        #expect(try decode(2048).rejected == [])
        #expect(try decode(2049).rejected == [rejection(0, field, .columnLength)])
    }

    @Test func metadataIsBoundedToTheByte() throws {
        func metadata(_ count: Int) -> String { #"{"k":"\#(String(repeating: "x", count: count - 8))"}"# }
        #expect(metadata(8192).utf8.count == 8192)
        #expect(try Decoded.beacon(metadata: metadata(8192))?[.metadata]?.utf8.count == 8192)
        #expect(
            try Decoded(#"{"eventType":"a","metadata":\#(metadata(8193))}"#).rejected
                == [rejection(0, .metadata, .metadataSize)])
        // Together with what the beacon carries beside it.
        #expect(
            try Decoded(#"{"eventType":"a","metadata":\#(metadata(8192)),"x":1}"#).rejected
                == [rejection(0, .metadata, .metadataSize)])
        let big = String(repeating: "x", count: 9000)
        #expect(
            try Decoded(#"{"eventType":"a","x":"\#(big)"}"#).rejected == [rejection(0, .metadata, .metadataSize)])
    }

    @Test func manyMembersAreKeptOnce() throws {
        let members = (0..<600).map { "\"k\($0 % 300)\":\($0)" }.joined(separator: ",")
        let kept = (300..<600).map { "\"k\($0 % 300)\":\($0)" }.joined(separator: ",")
        #expect(members.utf8.count < 8000)
        #expect(try Decoded.beacon(metadata: "{\(members)}")?[.metadata] == "{\(kept)}")
    }

    // MARK: Visitors

    @Test func aVisitorWithoutIdIsASaltedHash() throws {
        func hash(_ body: String, _ receipt: Receipt = Decoded.receipt(userAgent: "UA")) throws -> String? {
            try Decoded(body, receipt).beacons.first?[.clientHash]
        }
        let hashed = try #require(try hash(#"{"eventType":"a"}"#))
        // printf '203.0.113.7\nUA' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        #expect(hashed == "2e966f244532df4e481aef31c1162625")
        #expect(try hash(#"{"eventType":"a","visitorId":"v"}"#) == nil)
        #expect(try hash(#"{"eventType":"a","sessionId":"s"}"#) == nil)
        #expect(try hash(#"{"eventType":"a","metadata":{"ip":"203.0.113.7"}}"#) == hashed)
        #expect(try hash(#"{"eventType":"a","metadata":{"ip":"203.0.113.8"}}"#) != hashed)
        #expect(try hash(#"{"eventType":"a","metadata":{"userAgent":"UA"}}"#) == hashed)
        #expect(try hash(#"{"eventType":"a","metadata":{"userAgent":"other"}}"#) != hashed)
        var tomorrow = Decoded.receipt(userAgent: "UA")
        tomorrow.salt = Array("another salt".utf8)
        #expect(try hash(#"{"eventType":"a"}"#, tomorrow) != hashed)
        let mixed = try Decoded(
            #"[{"eventType":"a"},{"eventType":"a","metadata":{"ip":"::1"}},{"eventType":"a"}]"#,
            Decoded.receipt(userAgent: "UA"))
        #expect(mixed.beacons[0][.clientHash] == hashed)
        #expect(mixed.beacons[1][.clientHash] != hashed)
        #expect(mixed.beacons[2][.clientHash] == hashed)
    }

    @Test func noAddressIsEverKept() throws {
        let decoded = try Decoded(
            #"{"eventType":"a","ip":"198.51.100.9","metadata":{"ip":"198.51.100.8","\u0069p":"198.51.100.7","x":1}}"#)
        let texts = try #require(decoded.beacons.first).texts.compactMap { $0 }.joined(separator: " ")
        #expect(!texts.contains("198.51"))
        #expect(!texts.contains("203.0.113"))
    }

    @Test func theHeaderStandsInForAMissingUserAgent() throws {
        let receipt = Decoded.receipt(userAgent: "Header/1")
        #expect(try Decoded.beacon(metadata: "{}", receipt)?[.userAgent] == "Header/1")
        #expect(try Decoded.beacon(metadata: #"{"userAgent":"Own/1"}"#, receipt)?[.userAgent] == "Own/1")
        #expect(try Decoded.beacon(metadata: #"{"userAgent":""}"#, receipt)?[.userAgent] == "Header/1")
        let long = Decoded.receipt(userAgent: String(repeating: "가", count: 1000))
        #expect(try Decoded.beacon(metadata: "{}", long)?[.userAgent] == String(repeating: "가", count: 170))
    }

    @Test func privacyKeepsWhatCountsAndNothingElse() throws {
        let decoded = try Decoded(
            #"{"eventType":"a","artistId":"x","eventId":"y","timestamp":1772323199000,"visitorId":"v","#
                + #""sessionId":"s","messageId":"m","metadata":{"path":"/p","ip":"1.2.3.4","k":1},"z":1}"#,
            Decoded.receipt(userAgent: "UA", isPrivate: true))
        let beacon = try #require(decoded.beacons.first)
        #expect(beacon.flags == .anonymous)
        #expect(beacon.timestamp == Decoded.receivedAt - 1000)
        #expect(beacon.texts == ["a", "x", "y", nil, nil, "m", nil, nil, nil, nil, nil, nil])
    }

    // MARK: Bounds

    @Test func beaconsAreBounded() throws {
        func array(_ count: Int) -> String {
            "[" + Array(repeating: #"{"eventType":"a"}"#, count: count).joined(separator: ",") + "]"
        }
        #expect(try Decoded(array(10_000)).beacons.count == 10_000)
        #expect(throws: TrackRefusal.tooManyBeacons) { try Decoded(array(10_001)) }
        #expect(throws: TrackRefusal.tooManyBeacons) {
            try Decoded(String(repeating: "{\"eventType\":\"a\"}\n", count: 10_001))
        }
        #expect(throws: TrackRefusal.tooManyBeacons) {
            try Decoded("x\n" + String(repeating: "{\"eventType\":\"a\"}\n", count: 10_000))
        }
        // A syntax error behind the bound is still a syntax error.
        #expect { try Decoded(array(10_001) + "]") } throws: { error in
            if case .notJSON? = error as? TrackRefusal { true } else { false }
        }
    }

    @Test func reportedRejectionsAreBoundedAndTheCountExact() throws {
        let decoded = try Decoded("[" + Array(repeating: "1", count: 5000).joined(separator: ",") + "]")
        #expect(decoded.rejected.count == TrackOutcome.maxRejectionsReported)
        #expect(decoded.outcome.rejectedCount == 5000)
        #expect(decoded.outcome.rejectedByField[0] == 5000)
    }
}
