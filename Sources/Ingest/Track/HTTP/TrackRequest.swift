import NIOHTTP1

/// What the head of a request to the track endpoint says, gathered in one pass over its fields.
struct TrackRequest {
    var version = HTTPVersion.http1_1
    var isHead = false
    var keepsAlive = true
    /// Without the query.
    var path = ""
    var contentLength: Int?
    var contentEncoding: String?
    var expectsContinue = false
    var origin: String?
    var requestedHeaders: String?
    var userAgent: String?
    var isPrivate = false
    var forwardedFor: [String] = []
    var durability = Durability.onDisk
    /// The query of a pixel.
    var pixel: QueryString?

    init() {}

    init(_ head: HTTPRequestHead) {
        version = head.version
        isHead = head.method == .HEAD
        keepsAlive = head.isKeepAlive
        path = String(head.uri.prefix { $0 != "?" })
        for (name, field) in head.headers {
            // The parser leaves the space behind a value, which is no part of it (RFC 9112 §5).
            let value = field.last.map { $0 == " " || $0 == "\t" } == true ? Self.trimmed(field) : field
            // The length tells most of them apart before any letter is looked at.
            switch name.utf8.count {
            case 3 where name.lowercased() == "dnt": isPrivate = isPrivate || value == "1"
            case 7 where name.lowercased() == "sec-gpc": isPrivate = isPrivate || value == "1"
            case 6:
                switch name.lowercased() {
                case "origin": origin = value
                case "expect": expectsContinue = value.lowercased() == "100-continue"
                default: break
                }
            case 10 where name.lowercased() == "user-agent": userAgent = value
            case 14 where name.lowercased() == "content-length": contentLength = Int(value)
            case 15 where name.lowercased() == "x-forwarded-for": forwardedFor.append(value)
            case 16 where name.lowercased() == "content-encoding":
                contentEncoding = contentEncoding.map { "\($0), \(value)" } ?? value
            case 30 where name.lowercased() == "access-control-request-headers": requestedHeaders = value
            default: break
            }
        }
    }

    private static func trimmed(_ value: String) -> String {
        var value = Substring(value)
        while let last = value.utf8.last, last == 0x20 || last == 0x09 { value.removeLast() }
        return String(value)
    }

    /// The paths that are the endpoint's own.
    static func isOwn(_ uri: String) -> Bool {
        matches(uri, "/api/analytics/track") || matches(uri, "/track")
    }

    private static func matches(_ uri: String, _ path: StaticString) -> Bool {
        var uri = uri.utf8.makeIterator()
        for index in 0..<path.utf8CodeUnitCount where uri.next() != path.utf8Start[index] { return false }
        let next = uri.next()
        return next == nil || next == UInt8(ascii: "?")
    }

    enum Encoding {
        case identity, gzip, unknown
    }

    var encoding: Encoding {
        guard let contentEncoding else { return .identity }
        switch contentEncoding.lowercased().filter({ $0 != " " && $0 != "\t" }) {
        case "", "identity": return .identity
        case "gzip", "x-gzip": return .gzip
        default: return .unknown
        }
    }
}
