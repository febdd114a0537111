/// Which origins' scripts may read the answers.
package enum CORSPolicy: Sendable, Equatable {
    case any
    case listed(Set<String>)

    /// Longer lists of requested headers are answered with our own.
    static let maxRequestedHeadersBytes = 1024

    /// From the origins of `CORS_ORIGIN`; `*` among them is any.
    package init(origins: [String]) {
        self = origins.contains("*") ? .any : .listed(Set(origins.map { $0.lowercased() }))
    }

    /// The headers that go with every answer.
    func headers(origin: String?) -> [(String, String)] {
        switch self {
        case .any:
            if let origin { Self.allowing(origin) } else { [("Access-Control-Allow-Origin", "*"), ("Vary", "Origin")] }
        case .listed(let origins):
            if let origin, origins.contains(origin.lowercased()) {
                Self.allowing(origin)
            } else {
                [("Vary", "Origin")]
            }
        }
    }

    /// `sendBeacon` sends credentials along, for which a browser wants the origin by its name, and to be told that it
    /// may. There are none that mean anything here.
    private static func allowing(_ origin: String) -> [(String, String)] {
        [
            ("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"), ("Vary", "Origin"),
        ]
    }

    /// Mirrors what the browser asks to send, so that no client's own header needs a change here.
    static func allowedHeaders(requested: String?) -> String {
        let fallback = "Content-Type, Content-Encoding"
        guard let requested, (1...maxRequestedHeadersBytes).contains(requested.utf8.count) else { return fallback }
        let isList = requested.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ","),
                UInt8(ascii: " "):
                true
            default: false
            }
        }
        return isList ? requested : fallback
    }
}
