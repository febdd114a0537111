import AsyncHTTPClient
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import UserService

/// With a provider that shares nothing with ours (oidc-provider-mock, on Authlib).
@Suite(.timeLimit(.minutes(5))) struct OpenIDProviderTests {
    @Test(.enabled(if: ServicePeers.isInstalled, Comment(rawValue: ServicePeers.absence)))
    func aProviderOfAnothersSignsPeopleIn() async throws {
        try await ServicePeers.withOpenIDProvider { issuer in
            try await withUsers {
                $0.google = GoogleSettings(clientId: "tiketi", clientSecret: "secret", issuer: issuer)
            } _: { users in
                let claims = #"{"email":"kim@example.com","email_verified":true,"name":"김철수"}"#
                _ = try await ask(.PUT, issuer + "/users/kim-1", claims, type: "application/json")
                let browser = users.browser()
                var ids: Set<String?> = []
                for _ in 0..<2 {
                    let sent = try await browser.send(.get, "/api/users/google")
                    let back = try await ask(.POST, sent.headers[.location]!, "sub=kim-1")
                    let address = try #require(URLComponents(string: back ?? ""))
                    #expect(address.path == "/api/users/google/callback")
                    let page = try await browser.send(.get, "\(address.path)?\(address.percentEncodedQuery ?? "")")
                    let code = try #require(page.headers[.location]?.split(separator: "#code=").last)
                    let session = try await browser.send(
                        .post, "/api/users/google/exchange", #"{"code":"\#(code)"}"#)
                    #expect(session["user.name"] == "김철수")
                    ids.insert(session["user.id"])
                }
                #expect(ids.count == 1 && ids.first != .some(nil))
            }
        }
    }

    /// - Returns: where the answer sends the browser.
    private func ask(
        _ method: HTTPMethod, _ address: String, _ body: String,
        type: String = "application/x-www-form-urlencoded"
    ) async throws -> String? {
        var request = HTTPClientRequest(url: address)
        request.method = method
        request.headers.add(name: "content-type", value: type)
        request.body = .bytes(ByteBuffer(string: body))
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
        do {
            let response = try await client.execute(request, timeout: .seconds(30))
            _ = try await response.body.collect(upTo: 1 << 20)
            try await client.shutdown()
            return response.headers.first(name: "location")
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}
