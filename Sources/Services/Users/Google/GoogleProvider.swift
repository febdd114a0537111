import AsyncHTTPClient
import Core
import Dispatch
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Platform

/// Google as we talk to it: discovery, its keys, and a code for a token.
struct GoogleProvider: Sendable {
    /// Google can't be reached, or doesn't answer as it should.
    struct Unavailable: Error {}
    /// Google refuses the code.
    struct CodeRefused: Error {}

    struct Discovery: Decodable, Sendable {
        let issuer: String
        let authorization_endpoint: String
        let token_endpoint: String
        let jwks_uri: String
    }

    static let maxAnswerBytes = 64 * 1024
    static let maxSeconds: Int64 = 10

    let settings: GoogleSettings
    /// Where Google sends browsers back to.
    let redirectURI: String
    let documents: FetchedDocument<Discovery>
    let keySets: FetchedDocument<VerifyingKeys>
    private let client: HTTPClient
    private let logger: Logger

    /// - Parameter now: milliseconds of a clock that only goes forward.
    init(
        _ settings: GoogleSettings, redirectURI: String, client: HTTPClient = .shared, logger: Logger,
        now: @escaping @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
    ) {
        self.settings = settings
        self.redirectURI = redirectURI
        self.client = client
        self.logger = logger
        documents = FetchedDocument(client: client, now: now) {
            try JSONDecoder().decode(Discovery.self, from: Data($0))
        }
        keySets = FetchedDocument(client: client, now: now) {
            try await VerifyingKeys(keySet: $0, algorithms: IDToken.algorithms)
        }
    }

    private func reached<R>(_ what: String, _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch {
            logger.warning("the identity provider failed", metadata: ["asked": "\(what)", "error": "\(error)"])
            throw Unavailable()
        }
    }

    /// - Throws: `Unavailable`.
    private func discovery() async throws -> Discovery {
        try await reached("discovery") {
            let found = try await documents.value(at: settings.issuer + "/.well-known/openid-configuration")
            // What calls itself otherwise speaks for somebody else (Discovery §4.3).
            guard found.issuer == settings.issuer, GoogleSettings.isFit(found.token_endpoint),
                GoogleSettings.isFit(found.jwks_uri), GoogleSettings.isFit(found.authorization_endpoint)
            else { throw Unavailable() }
            return found
        }
    }

    /// Where the browser goes to sign in.
    ///
    /// - Throws: `Unavailable`.
    func authorizationURL(state: Secret, nonce: String, challenge: String) async throws -> String {
        let endpoint = try await discovery().authorization_endpoint
        let query = Self.form([
            ("response_type", "code"), ("client_id", settings.clientId), ("redirect_uri", redirectURI),
            ("scope", "openid email profile"), ("state", state.text), ("nonce", nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256"),
        ])
        return endpoint + (endpoint.contains("?") ? "&" : "?") + query
    }

    /// Gives the code that the browser came back with for an id token; what else comes with it is not kept.
    ///
    /// - Throws: `Unavailable`, `CodeRefused`.
    func idToken(code: String, verifier: String) async throws -> String {
        let endpoint = try await discovery().token_endpoint
        var request = HTTPClientRequest(url: endpoint)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "accept", value: "application/json")
        request.body = .bytes(
            ByteBuffer(
                string: Self.form([
                    ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI),
                    ("client_id", settings.clientId), ("client_secret", settings.clientSecret),
                    ("code_verifier", verifier),
                ])))
        let sent = request
        let (status, body) = try await reached("token") {
            let response = try await client.execute(sent, timeout: .seconds(Self.maxSeconds))
            return (response.status, try await response.body.collect(upTo: Self.maxAnswerBytes))
        }
        if (400..<500).contains(status.code) { throw CodeRefused() }
        struct Answer: Decodable {
            let id_token: String
        }
        return try await reached("token") {
            guard status == .ok else { throw Unavailable() }
            return try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)).id_token
        }
    }

    /// - Throws: `Unavailable`, `IDToken.Defect`.
    func identity(_ idToken: String, nonce: String, now: Int64) async throws -> GoogleIdentity {
        let token: SignedToken
        do {
            token = try SignedToken(idToken, algorithms: IDToken.algorithms, maxBytes: IDToken.maxBytes)
        } catch {
            throw IDToken.Defect.signature(error)
        }
        let address = try await discovery().jwks_uri
        let keys = try await reached("keys") {
            try await keySets.value(at: address) { keys in
                // A key we don't know may be a new one.
                token.keyID.map { keys.ids.contains($0) } ?? true
            }
        }
        return try IDToken(token, keys: keys).identity(settings, nonce: nonce, now: now)
    }

    /// `application/x-www-form-urlencoded`
    static func form(_ fields: [(String, String)]) -> String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return fields.map { name, value in
            name + "=" + (value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "")
        }.joined(separator: "&")
    }
}
