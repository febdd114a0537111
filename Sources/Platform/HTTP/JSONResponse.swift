import Core
import HTTPTypes
package import Hummingbird
import NIOCore
import Storage

/// An answer as it goes out: with a validator, which spares sending it again, and compressed where that is worth it.
package enum JSONResponse {
    /// Smaller ones fit into a packet as they are.
    package static let minGzipBytes = 1024
    /// Larger ones would take too long between two others; none is.
    package static let maxGzipBytes = 4 * 1024 * 1024
    private static let gzipLevel = 4

    /// - Parameter cacheControl: what one person may see is no answer for a shared cache.
    package static func make(
        _ json: JSONWriter, to request: Request, cacheControl: String = "private, max-age=1"
    ) -> Response {
        let tag = "W/\"\(Hexadecimal.text(json.validator))\""
        var headers: HTTPFields = [
            .cacheControl: cacheControl, .eTag: tag, .vary: "Accept-Encoding",
        ]
        if let known = request.headers[.ifNoneMatch], matches(known, tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/json"
        var bytes = json.bytes
        if (minGzipBytes...maxGzipBytes).contains(bytes.count), acceptsGzip(request.headers[.acceptEncoding] ?? "") {
            bytes = bytes.withUnsafeBytes { Gzip.deflate($0, level: gzipLevel) }
            headers[.contentEncoding] = "gzip"
        }
        return Response(
            status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// RFC 9110, 13.1.2: compared without regard to weakness.
    package static func matches(_ ifNoneMatch: String, _ tag: String) -> Bool {
        let opaque = tag.dropFirst(2)
        return ifNoneMatch.split(separator: ",").contains { known in
            let known = known.trimmingBlanks
            return known == "*" || known == tag || known == opaque
        }
    }

    /// RFC 9110, 12.5.3.
    package static func acceptsGzip(_ acceptEncoding: String) -> Bool {
        var isWelcome = false
        for coding in acceptEncoding.split(separator: ",") {
            let parts = coding.split(separator: ";").map(\.trimmingBlanks)
            guard let name = parts.first?.lowercased(), ["gzip", "x-gzip", "*"].contains(name) else { continue }
            let isRefused = parts.dropFirst().contains { $0.lowercased().wholeMatch(of: /q=0(\.0{0,3})?/) != nil }
            // What names it decides over what means any.
            if name != "*" { return !isRefused }
            isWelcome = !isRefused
        }
        return isWelcome
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
