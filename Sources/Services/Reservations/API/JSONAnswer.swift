import HTTPTypes
import Hummingbird
import NIOCore
import Platform

extension JSONWriter {
    /// As the answer to something that was done: it is nobody's to keep, and no earlier one makes it needless.
    func answer(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
