import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Testing

@testable import Platform

@Suite struct AuthMiddlewareTests {
    private let key = SigningKey.generate()

    private func ask(
        _ authorization: String?, source: KeySource? = nil, now: Int64 = AuthTokens.now
    ) async throws -> TestResponse {
        var keys = source
        if keys == nil { keys = .fixed(try await VerifyingKeys(key)) }
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.group("api").add(
            middleware: TokenMiddleware(
                TokenVerifier(keys!, audience: .analytics, now: { now }), roles: [.admin, .analyst])
        ).get("numbers") { _, _ in "42" }
        var headers = HTTPFields()
        if let authorization { headers[.authorization] = authorization }
        let sent = headers
        return try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/api/numbers", method: .get, headers: sent)
        }
    }

    private func minted(_ role: Role, lifetime: Int64 = 60) async throws -> String {
        try await key.mint(
            audience: [.analytics], subject: "kim", role: role, lifetimeSeconds: lifetime, now: AuthTokens.now)
    }

    @Test(arguments: [Role.admin, .analyst])
    func theRolesAskedForAreLetThrough(_ role: Role) async throws {
        for scheme in ["Bearer", "bearer", "BEARER "] {
            let response = try await ask("\(scheme) \(minted(role))")
            #expect(response.status == .ok)
            #expect(String(buffer: response.body) == "42")
        }
    }

    @Test func otherRolesAreForbidden() async throws {
        let response = try await ask("Bearer \(minted(.user))")
        #expect(response.status == .forbidden)
        #expect(response.headers[.wwwAuthenticate] == #"Bearer error="insufficient_scope""#)
        #expect(
            String(buffer: response.body)
                == #"{"type":"urn:tiketi:problem:wrong_role","title":"Forbidden","status":403,"#
                + #""detail":"this needs the role admin or analyst; the token's is user","instance":"/api/numbers","#
                + #""code":"wrong_role"}"#)
    }

    @Test(arguments: [nil, "", "Basic YTpi", "Bearer", "Bearer "])
    func withoutATokenTheAnswerAsksForOne(_ authorization: String?) async throws {
        let response = try await ask(authorization)
        #expect(response.status == .unauthorized)
        #expect(response.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        #expect(response.headers[.contentType] == "application/problem+json")
    }

    @Test func aMissingTokenIsToldFromAWrongOne() async throws {
        let missing = try await ask(nil)
        #expect(missing.headers[.wwwAuthenticate] == "Bearer")
        #expect(
            String(buffer: missing.body)
                == #"{"type":"urn:tiketi:problem:token_missing","title":"Unauthorized","status":401,"#
                + #""detail":"an Authorization header with a bearer token is needed","instance":"/api/numbers","#
                + #""code":"token_missing"}"#)
        let expired = try await ask("Bearer \(minted(.admin))", now: AuthTokens.now + 3600)
        #expect(
            expired.headers[.wwwAuthenticate]
                == #"Bearer error="invalid_token", error_description="the token has expired""#)
        #expect(String(buffer: expired.body).contains(#""code":"token_expired""#))
        let other = SigningKey.generate()
        let foreign = try await other.mint(
            audience: [.analytics], subject: "a", role: .admin, lifetimeSeconds: 60, now: AuthTokens.now)
        let unknown = try await ask("Bearer \(foreign)")
        #expect(unknown.status == .unauthorized)
        #expect(String(buffer: unknown.body).contains(#""code":"token_invalid""#))
    }

    @Test func withoutKeysNobodyIsJudged() async throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let keys = FetchedKeys(url: URL(filePath: "/nonexistent/keys.json"), logger: logger)
        let response = try await ask("Bearer \(minted(.admin))", source: .fetched(keys))
        #expect(response.status == .serviceUnavailable)
        #expect(response.headers[.retryAfter] == "5")
    }
}
