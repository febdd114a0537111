import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore

/// Somebody who uses the service: with an address and a jar of cookies.
actor Browser {
    struct Answer: Sendable {
        let status: HTTPResponse.Status
        let headers: HTTPFields
        let body: String

        /// A member of the JSON body, by a path such as `user.id`.
        subscript(path: String) -> String? {
            var value: Any? = try? JSONSerialization.jsonObject(with: Data(body.utf8))
            for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
            switch value {
            case let text as String: return text
            case let number as NSNumber: return number.stringValue
            default: return nil
            }
        }

        var code: String? { self["code"] }
    }

    private let client: any TestClientProtocol
    private let address: String
    private(set) var cookies: [String: String] = [:]
    /// Methods and paths.
    private(set) var asked: Set<String> = []

    init(_ client: any TestClientProtocol, address: String = "203.0.113.7") {
        self.client = client
        self.address = address
    }

    func setCookie(_ name: String, _ value: String?) { cookies[name] = value }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, bearer: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        asked.insert("\(method.rawValue) \(path.prefix { $0 != "?" })")
        var headers = headers
        headers[HTTPField.Name("X-Forwarded-For")!] = address
        if json != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        if let bearer { headers[.authorization] = "Bearer \(bearer)" }
        if !cookies.isEmpty {
            headers[.cookie] = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                .joined(separator: "; ")
        }
        let response = try await client.execute(
            uri: path, method: method, headers: headers, body: json.map { ByteBuffer(string: $0) })
        for field in response.headers[values: .setCookie] {
            let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            cookies[String(pair[0])] = field.contains("Max-Age=0") ? nil : String(pair[1])
        }
        return Answer(
            status: response.status, headers: response.headers, body: String(buffer: response.body))
    }

    /// With the header that says it is no other site's page.
    func refresh() async throws -> Answer {
        try await send(.post, "/api/users/refresh", headers: [HTTPField.Name("X-Tiketi-Request")!: "1"])
    }

    func logIn(_ email: String, _ password: String) async throws -> Answer {
        try await send(.post, "/api/users/login", #"{"email":"\#(email)","password":"\#(password)"}"#)
    }

    func linkGoogle(_ password: String? = RunningUsers.password, bearer: String?) async throws -> Answer {
        try await changeGoogle("link", password, bearer)
    }

    func unlinkGoogle(_ password: String? = RunningUsers.password, bearer: String?) async throws -> Answer {
        try await changeGoogle("unlink", password, bearer)
    }

    private func changeGoogle(_ change: String, _ password: String?, _ bearer: String?) async throws -> Answer {
        let body = password.map { #"{"currentPassword":"\#($0)"}"# }
        return try await send(.post, "/api/users/google/\(change)", body, bearer: bearer)
    }

    func register(_ email: String, _ password: String, name: String = "Kim") async throws -> Answer {
        try await send(
            .post, "/api/users/register", #"{"email":"\#(email)","password":"\#(password)","name":"\#(name)"}"#)
    }
}
