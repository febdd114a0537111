import AsyncHTTPClient
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Platform
import Testing

/// Somebody at a browser: asks the public API with his own token.
struct ShopClient: Sendable {
    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var text: String

        var json: JSONValue { JSONValue(Array(text.utf8), maxValues: .max) ?? .null }
    }

    static let maxWait = TimeAmount.seconds(60)
    static let maxAnswerBytes = 8 << 20
    /// One that goes where it is sent would miss what it is sent with.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // Who is not there is seen at once; and many ask.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    let address: String
    var token: String?

    init(address: String, token: String? = nil) {
        self.address = address
        self.token = token
    }

    func send(
        _ method: NIOHTTP1.HTTPMethod, _ path: String, _ body: String? = nil, type: String = "application/json",
        headers: HTTPHeaders = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : address + path)
        request.method = method
        request.headers = headers
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await Self.client.execute(request, timeout: Self.maxWait)
        // A stream goes on and on: that it has begun is its answer.
        let isStream = response.headers.first(name: "Content-Type") == "text/event-stream"
        let bytes = isStream ? ByteBuffer() : try await response.body.collect(upTo: Self.maxAnswerBytes)
        return Answer(
            status: Int(response.status.code), headers: response.headers, text: String(buffer: bytes))
    }

    /// The answer's JSON where the status is as expected.
    func ask(
        _ method: NIOHTTP1.HTTPMethod, _ path: String, _ body: String? = nil, expecting status: Int = 200,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSONValue {
        let answer = try await send(method, path, body)
        try #require(
            answer.status == status, "\(method) \(path): \(answer.status) \(answer.text)",
            sourceLocation: sourceLocation)
        return answer.json
    }

    /// Registers, and signs in.
    mutating func register(_ email: String, password: String = "correct horse battery 9") async throws {
        _ = try await ask(
            .POST, "/api/users/register", #"{"email":"\#(email)","password":"\#(password)","name":"김 티켓"}"#,
            expecting: 202)
        try await signIn(email, password: password)
    }

    mutating func signIn(_ email: String, password: String) async throws {
        token = try await ask(
            .POST, "/api/users/login", #"{"email":"\#(email)","password":"\#(password)"}"#)["accessToken"]?.text
    }
}

extension JSONValue {
    subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
}
