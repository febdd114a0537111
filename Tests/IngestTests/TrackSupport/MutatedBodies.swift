import TestSupport

/// Valid bodies of every form with a few random changes to their bytes.
struct MutatedBodies {
    static let valid: [String] = [
        #"{"eventType":"page_view","artistId":"iu","timestamp":1772323199000,"visitorId":"v-1","metadata":{"path":"/"}}"#,
        #"[{"eventType":"seat_view","eventId":"e1","sessionId":"s"},{"eventType":"x","messageId":"m\u00e9\ud83c\udfab"}]"#,
        #"{"batch":[{"eventType":"a","timestamp":"2026-02-28T12:00:00+09:00"},{"eventType":"b"}],"sentAt":"now"}"#,
        "{\"eventType\":\"a\",\"n\":-1.5e+10}\n{\"eventType\":\"b\",\"t\":[true,false,null]}\n{\"eventType\":\"c\"}\n",
        "{ \"eventType\" : \"공연_보기\" , \"metadata\" : { \"한글\" : \"아티스트 🎫\", \"deep\" : [[[{\"a\":[]}]]] } }",
        #"[{"eventType":"e","metadata":{"userAgent":"M\"oz\\illa","country":"KR","ip":"192.0.2.1","n":0.10}}, {}, 1, "x"]"#,
    ]
    private static let fragments = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\u0000", "null", "true", "-", "0", "1e9", ".",
        "\n", " ", "\t", "\u{0}", "\u{7f}", "é", "🎫", #""batch":["#, #""eventType":"#, #""metadata":{"#, "1e400",
        "99999999999999999999",
    ].map { Array($0.utf8) }

    var generator: SeededGenerator

    mutating func next() -> [UInt8] {
        var body = Array(Self.valid.randomElement(using: &generator)!.utf8)
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            let place = Int.random(in: 0...body.count, using: &generator)
            let end = min(body.count, place + Int.random(in: 1...12, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0 where place < body.count: body[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1 where place < body.count: body[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 2: body.removeSubrange(place..<end)
            case 3: body.insert(contentsOf: Self.fragments.randomElement(using: &generator)!, at: place)
            case 4: body.insert(contentsOf: body[place..<end], at: Int.random(in: 0...body.count, using: &generator))
            case 5: body.removeSubrange(place...)
            default: body.insert(contentsOf: Array(Self.valid.randomElement(using: &generator)!.utf8), at: place)
            }
        }
        return body
    }
}
