import Foundation
import Platform
import TestSupport
import Testing

@Suite struct JSONValueTests {
    private static func read(_ text: String, maxValues: Int = JSONValue.maxValues) -> JSONValue? {
        JSONValue(Array(text.utf8), maxValues: maxValues)
    }

    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("false\n", .bool(false)), ("0", .integer(0)),
            ("-0", .integer(0)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .otherNumber(9_223_372_036_854_775_808)), ("1.0", .integer(1)),
            ("1e3", .integer(1000)), ("1.5", .otherNumber(1.5)), ("-2E-1", .otherNumber(-0.2)),
            ("9007199254740994.0", .otherNumber(9_007_199_254_740_994)), ("1e400", .otherNumber(.infinity)),
            (#""""#, .string("")),
            (
                #""김 \ud55c \uD834\uDD1E \" \\ \/ \b\f\n\r\t \u0000""#,
                .string("김 한 𝄞 \" \\ / \u{8}\u{c}\n\r\t \u{0}")
            ),
            ("[]", .array([])), ("[1, [2],{} ]", .array([.integer(1), .array([.integer(2)]), .object([:])])),
            (#"{"a" : 1 ,"b":[null]}"#, .object(["a": .integer(1), "b": .array([.null])])),
        ] as [(String, JSONValue)])
    func whatIsWrittenIsRead(text: String, value: JSONValue) {
        #expect(Self.read(text) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "nullx", "tru", "True", "+1", "01", "1.", ".5", "1e", "1e+", "-", "0x1", "NaN", "Infinity",
        "\"", "\"a", #""\x""#, #""\u12"#, #""\u12g4""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#,
        #""\ud800\ud800""#, "\"\u{1}\"", "\"\n\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", #"{"a""#,
        #"{"a":"#, #"{"a":1"#, #"{"a":1,}"#, "{a:1}", "{1:1}", "{'a':1}", "1 1", "{}{}", "\u{feff}{}", "// a\n1",
        // Whoever reads the first, and whoever reads the last, read different things.
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":1}"#,
    ])
    func whatIsNoJSONIsNoValue(_ text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test func bytesThatAreNoUTF8AreNoValue() {
        for bytes: [UInt8] in [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]] {
            #expect(JSONValue(bytes) == nil)
        }
    }

    @Test func deeperTextsThanMayBeAreNoValue() {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            #expect(Self.read(nested(JSONValue.maxDepth, open, close)) != nil)
            #expect(Self.read(nested(JSONValue.maxDepth + 1, open, close)) == nil)
            #expect(Self.read(nested(30_000, open, close)) == nil)
        }
    }

    @Test func moreValuesThanMayBeAreNoValue() {
        func many(_ count: Int) -> String {
            "[" + Array(repeating: "1", count: count - 1).joined(separator: ",") + "]"
        }
        #expect(Self.read(many(JSONValue.maxValues)) != nil)
        #expect(Self.read(many(JSONValue.maxValues + 1)) == nil)
        #expect(Self.read(#"{"a":{},"b":[]}"#, maxValues: 3) != nil)
        #expect(Self.read(#"{"a":{},"b":[]}"#, maxValues: 2) == nil)
    }

    /// Foundation reads the same of random texts, whole and broken.
    @Test func foundationReadsTheSame() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var (read, refused) = (0, 0)
        for _ in 0..<4000 {
            var text = Self.text(depth: 0, &random)
            if Int.random(in: 0..<3, using: &random) == 0, !text.isEmpty {
                let at = Int.random(in: 0..<text.count, using: &random)
                text[at] = Array(#"{}[]",:\0123eE+-.tfn "#.utf8).randomElement(using: &random)!
            }
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            let ours = JSONValue(text)
            guard let ours else {
                refused += 1
                // Names given twice and commas after the last are taken there and not here.
                #expect(
                    theirs == nil || Self.hasNameTwice(text) || Self.hasTrailingComma(text),
                    "\(String(decoding: text, as: UTF8.self))")
                continue
            }
            read += 1
            let known = try #require(theirs, "\(String(decoding: text, as: UTF8.self))")
            #expect(Self.isSame(ours, known), "\(String(decoding: text, as: UTF8.self))")
        }
        #expect(read > 1000 && refused > 100)
    }

    private static func text(depth: Int, _ random: inout SeededGenerator) -> [UInt8] {
        func some(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        switch some(depth > 3 ? 4 : 6) {
        case 0: return Array(["null", "true", "false"].randomElement(using: &random)!.utf8)
        case 1: return Array("\(Int64.random(in: -1000...1000, using: &random))".utf8)
        case 2: return Array(["1.5", "-0.25", "2e3", "1E-2", "0"].randomElement(using: &random)!.utf8)
        case 3: return Array(#""\#(["", "a", "한글", #"\n"#, #"\u0041"#, #"\ud83d\ude00"#][some(6)])""#.utf8)
        case 4:
            let elements = (0..<some(4)).map { _ in text(depth: depth + 1, &random) }
            return Array("[".utf8) + elements.joined(separator: Array(", ".utf8)) + Array("]".utf8)
        default:
            let members = (0..<some(4)).map { number in
                Array(#""m\#(number)": "#.utf8) + text(depth: depth + 1, &random)
            }
            return Array("{".utf8) + members.joined(separator: Array(",".utf8)) + Array("}".utf8)
        }
    }

    /// As far as random texts go: a name was changed into its neighbour's.
    private static func hasNameTwice(_ text: [UInt8]) -> Bool {
        let text = String(decoding: text, as: UTF8.self)
        return (0..<10).contains { text.components(separatedBy: "\"m\($0)\"").count > 2 }
    }

    private static func hasTrailingComma(_ text: [UInt8]) -> Bool {
        String(decoding: text, as: UTF8.self).contains(/,\s*[\]}]/)
    }

    private static func isSame(_ ours: JSONValue, _ theirs: Any) -> Bool {
        switch ours {
        case .null: return theirs is NSNull
        case .bool(let flag): return (theirs as? NSNumber)?.boolValue == flag
        case .integer(let number): return (theirs as? NSNumber)?.doubleValue == Double(number)
        case .otherNumber(let number): return (theirs as? NSNumber)?.doubleValue == number
        case .string(let text): return theirs as? String == text
        case .array(let elements):
            guard let known = theirs as? [Any], known.count == elements.count else { return false }
            return zip(elements, known).allSatisfy { isSame($0, $1) }
        case .object(let members):
            guard let known = theirs as? [String: Any], known.count == members.count else { return false }
            return members.allSatisfy { name, value in known[name].map { isSame(value, $0) } ?? false }
        }
    }
}
