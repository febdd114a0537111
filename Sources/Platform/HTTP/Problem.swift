import Core
package import HTTPTypes
package import Hummingbird
import NIOCore

/// An error as clients see it: RFC 9457 `application/problem+json`, with a `code` to tell them apart by.
package struct Problem: Error, Sendable, Equatable {
    package static let contentType = "application/problem+json"

    package var status: HTTPResponse.Status
    /// Stable, lower-case with underscores.
    package var code: String
    /// The same for every problem of this code.
    package var title: String
    /// What went wrong this time, and what to do.
    package var detail: String?
    /// The path of the request.
    package var instance: String?
    /// The field or parameter at fault.
    package var field: String?
    /// The values that `field` may have.
    package var allowed: [String]
    package var retryAfterSeconds: Int?
    /// Further members, each a list of texts (RFC 9457 §3.2): what this problem is about, for a program to read.
    package var lists: [String: [String]] = [:]
    /// Apart from the body's own and `Retry-After`.
    package var headers: HTTPFields

    package init(
        _ status: HTTPResponse.Status, _ code: String, title: String? = nil, detail: String? = nil,
        instance: String? = nil, field: String? = nil, allowed: [String] = [], retryAfterSeconds: Int? = nil,
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.title = title ?? status.reasonPhrase
        self.detail = detail
        self.instance = instance
        self.field = field
        self.allowed = allowed
        self.retryAfterSeconds = retryAfterSeconds
        self.headers = headers
    }

    /// 422: one field or parameter is wrong.
    package static func invalid(_ field: String, _ detail: String, allowed: [String] = []) -> Problem {
        Problem(.unprocessableContent, "invalid_field", detail: detail, field: field, allowed: allowed)
    }

    /// The JSON body.
    package func body() -> [UInt8] {
        var json = Array(#"{"type":"#.utf8)
        Self.quote("urn:tiketi:problem:\(code)", into: &json)
        json += #","title":"#.utf8
        Self.quote(title, into: &json)
        json += #","status":\#(status.code)"#.utf8
        for (name, value) in [("detail", detail), ("instance", instance), ("code", code), ("field", field)] {
            guard let value else { continue }
            json += #","\#(name)":"#.utf8
            Self.quote(value, into: &json)
        }
        let allowed = allowed.isEmpty ? [] : [("allowed", allowed)]
        for (name, values) in allowed + lists.sorted(by: { $0.key < $1.key }).map({ ($0, $1) }) {
            json += #","\#(name)":["#.utf8
            for (index, value) in values.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                Self.quote(value, into: &json)
            }
            json.append(UInt8(ascii: "]"))
        }
        json.append(UInt8(ascii: "}"))
        return json
    }

    private static func quote(_ text: String, into json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            case ..<0x20:
                json += "\\u00".utf8
                Hexadecimal.append(byte, to: &json)
            default: json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
    }
}

extension Problem: HTTPResponseError {
    package func response(from request: Request, context: some RequestContext) -> Response {
        var problem = self
        if problem.instance == nil { problem.instance = request.uri.path }
        var headers = headers
        headers[.contentType] = Self.contentType
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: problem.body())))
    }
}
