import Core
import HTTPTypes
import Hummingbird
import NIOCore
import Platform

/// Answers that hold what is one person's: nobody keeps them.
enum Answers {
    static func json(
        _ status: HTTPResponse.Status = .ok, cookies: [HTTPField] = [], _ members: (inout JSONWriter) -> Void
    ) -> Response {
        var json = JSONWriter()
        json.object(members)
        var response = empty(status, cookies: cookies)
        response.headers[.contentType] = "application/json"
        response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes))
        return response
    }

    static func empty(_ status: HTTPResponse.Status = .noContent, cookies: [HTTPField] = []) -> Response {
        var headers: HTTPFields = [.cacheControl: "no-store"]
        for cookie in cookies { headers.append(cookie) }
        return Response(status: status, headers: headers)
    }

    static func redirect(to address: String, cookies: [HTTPField]) -> Response {
        var response = empty(.found, cookies: cookies)
        response.headers[.location] = address
        // What is in this address is nobody else's to know.
        response.headers[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
        return response
    }

    static func user(_ account: Account, into json: inout JSONWriter) {
        json.member("id", account.id)
        json.member("email", account.email)
        json.member("emailVerified", account.isEmailVerified)
        json.member("name", account.name)
        json.member("role", account.role.rawValue)
        json.member("createdAt", Instant.iso8601(account.createdAt))
    }
}
