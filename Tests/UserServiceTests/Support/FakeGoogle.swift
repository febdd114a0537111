import Crypto
import CryptoExtras
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Platform
import Synchronization
import TestSupport

@testable import UserService

/// An OpenID provider that says whatever a test wants: also what no honest one would.
final class FakeGoogle: Sendable {
    static let clientId = "tiketi-test"
    static let clientSecret = "a secret of the client's"

    struct State {
        var keys: [(id: String, key: _RSA.Signing.PrivateKey)] = []
        var isDown = false
        var keyFetches = 0
        /// What the code is given for; nil where the code is refused.
        var idToken: String?
        /// The form that the code was given with.
        var exchanged: [String: String] = [:]
        var issuer = ""
    }

    let state = Mutex(State())

    var settings: GoogleSettings {
        GoogleSettings(
            clientId: Self.clientId, clientSecret: Self.clientSecret, issuer: state.withLock { $0.issuer })!
    }

    static func key() throws -> _RSA.Signing.PrivateKey {
        try _RSA.Signing.PrivateKey(keySize: .bits2048)
    }

    /// Claims that are good, for changing.
    func claims(nonce: String, now: Int64) -> [String: Any] {
        [
            "iss": state.withLock { $0.issuer }, "aud": Self.clientId, "sub": "1234567890", "exp": now + 3600,
            "iat": now, "nonce": nonce, "email": "kim@example.com", "email_verified": true, "name": "Kim",
        ]
    }

    /// Signs claims, with the newest key where none is given.
    func token(
        _ claims: [String: Any], header: [String: Any] = [:], key: _RSA.Signing.PrivateKey? = nil
    ) async throws -> String {
        let newest = state.withLock { $0.keys.last! }
        var parts: [String: Any] = ["alg": "RS256", "kid": newest.id, "typ": "JWT"]
        parts.merge(header) { $1 }
        func part(_ object: [String: Any]) throws -> String {
            Base64URL.text(try JSONSerialization.data(withJSONObject: object.filter { !($0.value is NSNull) }))
        }
        let signed = try part(parts) + "." + part(claims)
        let signature = try (key ?? newest.key).signature(for: Data(signed.utf8), padding: .insecurePKCS1v1_5)
        return signed + "." + Base64URL.text(signature.rawRepresentation)
    }

    private func keySet() -> String {
        let keys = state.withLock { state in
            state.keyFetches += 1
            return state.keys
        }
        let entries = keys.map { entry -> String in
            let primitives = try! entry.key.publicKey.getKeyPrimitives()
            return
                #"{"kty":"RSA","use":"sig","alg":"RS256","kid":"\#(entry.id)","n":"\#(Base64URL.text(primitives.modulus))","#
                + #""e":"\#(Base64URL.text(primitives.publicExponent))"}"#
        }
        return #"{"keys":[\#(entries.joined(separator: ","))]}"#
    }

    private func answer(
        _ json: String, status: HTTPResponse.Status = .ok, cacheControl: String = "no-store"
    ) -> Response {
        let isDown = state.withLock { $0.isDown }
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[.cacheControl] = cacheControl
        return Response(
            status: isDown ? .internalServerError : status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: json)))
    }

    func run<R: Sendable>(_ body: @escaping @Sendable (FakeGoogle) async throws -> R) async throws -> R {
        let first = try Self.key()
        let router = Router()
        router.get(".well-known/openid-configuration") { [self] _, _ in
            let issuer = state.withLock { $0.issuer }
            return answer(
                #"{"issuer":"\#(issuer)","authorization_endpoint":"\#(issuer)/authorize","#
                    + #""token_endpoint":"\#(issuer)/token","jwks_uri":"\#(issuer)/keys"}"#,
                cacheControl: "max-age=86400")
        }
        router.get("keys") { [self] _, _ in answer(keySet(), cacheControl: "max-age=300") }
        router.post("token") { [self] request, _ in
            let form = try await request.body.collect(upTo: 1 << 16)
            let pairs = URLComponents(string: "?" + String(buffer: form))?.queryItems ?? []
            let token = state.withLock { state in
                state.exchanged = Dictionary(pairs.map { ($0.name, $0.value ?? "") }) { $1 }
                return state.idToken
            }
            guard let token else { return answer(#"{"error":"invalid_grant"}"#, status: .badRequest) }
            return answer(#"{"access_token":"of no use","id_token":"\#(token)"}"#)
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: silentLogger)
        return try await application.test(.live) { client in
            state.withLock { state in
                state.issuer = "http://127.0.0.1:\(client.port!)"
                state.keys = [("first", first)]
            }
            return try await body(self)
        }
    }
}
