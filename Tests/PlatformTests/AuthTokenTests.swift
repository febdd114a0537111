import Crypto
import Foundation
import Synchronization
import Testing

@testable import Platform

@Suite struct AuthTokenTests {
    /// RFC 8037, appendix A.
    static let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
    let key = try! SigningKey(seed)
    let raw = try! Curve25519.Signing.PrivateKey(
        rawRepresentation: Data(base64Encoded: "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")!)

    private func verifier(now: Int64 = AuthTokens.now) async throws -> TokenVerifier {
        TokenVerifier(.fixed(try await VerifyingKeys(key)), audience: .analytics, now: { now })
    }

    private func rejection(_ token: String, now: Int64 = AuthTokens.now) async throws -> InvalidToken? {
        do {
            _ = try await verifier(now: now).verify(token)
            return nil
        } catch {
            return error as? InvalidToken
        }
    }

    private func token(_ claims: String = AuthTokens.claims(), alg: String = "EdDSA", extra: String = "") throws
        -> String
    {
        try AuthTokens.ed25519(raw, kid: key.keyID, alg: alg, extra: extra, claims: claims)
    }

    @Test func theKeyIDIsTheThumbprintOfRFC8037() {
        #expect(key.keyID == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test func mintedTokensAreAccepted() async throws {
        for role in Role.allCases {
            let minted = try await key.mint(
                audience: [.analytics], subject: "kim", role: role, lifetimeSeconds: 60, now: AuthTokens.now)
            let accepted = try await verifier().verify(minted)
            #expect(
                accepted
                    == AccessToken(
                        audience: [.analytics], subject: "kim", role: role, issuedAt: AuthTokens.now,
                        expiresAt: AuthTokens.now + 60))
        }
    }

    @Test func handMadeTokensAreAccepted() async throws {
        #expect(try await rejection(token()) == nil)
        #expect(try await rejection(token(AuthTokens.claims(aud: #"["other","tiketi-analytics"]"#))) == nil)
    }

    @Test func keysAreReadAsSeedAndAsPEM() throws {
        let generated = SigningKey.generate()
        #expect(try SigningKey(generated.seed).keyID == generated.keyID)
        #expect(SigningKey.generate().keyID != generated.keyID)
        // openssl genpkey of the same seed.
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
            -----END PRIVATE KEY-----

            """
        #expect(try SigningKey(pem).keyID == key.keyID)
    }

    @Test(arguments: [
        "", "secret", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2", "-----BEGIN PRIVATE KEY-----\nMC4=\n",
    ])
    func malformedKeysAreRefused(_ text: String) {
        #expect(throws: SigningKey.Malformed.self) { try SigningKey(text) }
    }

    @Test func algorithmNoneIsRefused() async throws {
        let header = #"{"alg":"none","typ":"JWT","kid":"\#(key.keyID)"}"#
        #expect(try await rejection(AuthTokens.token(header: header) { _ in Data() }) == .algorithm)
    }

    @Test func aPublicKeyIsNoSecret() async throws {
        let header = #"{"alg":"HS256","typ":"JWT","kid":"\#(key.keyID)"}"#
        let secret = SymmetricKey(data: raw.publicKey.rawRepresentation)
        let forged = AuthTokens.token(header: header) {
            Data(HMAC<SHA256>.authenticationCode(for: $0, using: secret))
        }
        #expect(try await rejection(forged) == .algorithm)
    }

    @Test func theAlgorithmMustBeThatOfTheKey() async throws {
        #expect(try await rejection(token(alg: "ES256")) == .algorithm)
    }

    @Test func otherKeysAreRefused() async throws {
        let other = Curve25519.Signing.PrivateKey()
        #expect(try await rejection(AuthTokens.ed25519(other, kid: "other")) == .unknownKey)
        #expect(try await rejection(AuthTokens.ed25519(other, kid: key.keyID)) == .signature)
        let header = #"{"alg":"EdDSA","typ":"JWT"}"#
        #expect(try await rejection(AuthTokens.token(header: header) { try raw.signature(for: $0) }) == .unknownKey)
    }

    @Test func changedTokensAreRefused() async throws {
        var parts = try token().split(separator: ".").map(String.init)
        parts[1] = AuthTokens.base64URL(Data(AuthTokens.claims(role: #""admin""#).utf8))
        #expect(try await rejection(parts.joined(separator: ".")) == .signature)
    }

    @Test func issuerAndAudienceMustBeOurs() async throws {
        #expect(try await rejection(token(AuthTokens.claims(iss: "elsewhere"))) == .wrongIssuer)
        #expect(try await rejection(token(AuthTokens.claims(aud: #""tiketi-tickets""#))) == .wrongAudience)
        #expect(try await rejection(token(AuthTokens.claims(aud: "[]"))) == .wrongAudience)
    }

    @Test func tokensExpireThirtySecondsLate() async throws {
        let token = try token(AuthTokens.claims(exp: String(AuthTokens.now), iat: String(AuthTokens.now - 60)))
        #expect(try await rejection(token, now: AuthTokens.now + 29) == nil)
        #expect(try await rejection(token, now: AuthTokens.now + 30) == .expired)
        let forever = try self.token(AuthTokens.claims(exp: "9223372036854775000"))
        #expect(try await rejection(forever) == nil)
    }

    @Test func tokensFromTheFutureAreRefused() async throws {
        #expect(try await rejection(token(AuthTokens.claims(iat: String(AuthTokens.now + 30)))) == nil)
        #expect(try await rejection(token(AuthTokens.claims(iat: String(AuthTokens.now + 31)))) == .issuedInFuture)
    }

    @Test func tokensForLaterAreRefused() async throws {
        func claims(nbf: String) -> String { AuthTokens.claims().dropLast() + #","nbf":\#(nbf)}"# }
        #expect(try await rejection(token(claims(nbf: String(AuthTokens.now + 30)))) == nil)
        #expect(try await rejection(token(claims(nbf: String(AuthTokens.now + 31)))) == .notYetValid)
        #expect(try await rejection(token(claims(nbf: #""soon""#))) == .malformed)
    }

    @Test(arguments: [
        #"{"iss":"tiketi","aud":"tiketi-analytics","sub":"a","role":"analyst","iat":1}"#,
        #"{"iss":"tiketi","aud":"tiketi-analytics","role":"analyst","exp":9999999999,"iat":1}"#,
        #"{"iss":"tiketi","aud":"tiketi-analytics","sub":"a","exp":9999999999,"iat":1}"#,
        AuthTokens.claims(role: #""root""#), AuthTokens.claims(exp: #""soon""#), AuthTokens.claims(exp: "1e300"),
        AuthTokens.claims(sub: "7"), "[]", "", "{",
    ])
    func claimsMustBeThere(_ claims: String) async throws {
        #expect(try await rejection(token(claims)) == .malformed)
    }

    @Test func whatIsNoTokenIsRefused() async throws {
        let good = try token()
        for text in ["", "a", "a.b", "a.b.c", "...", good + ".x", good + "=", String(repeating: "a", count: 5000)] {
            #expect(try await rejection(text) == .malformed, "\(text)")
        }
        #expect(try await rejection(token(extra: #","crit":["exp"]"#)) == .malformed)
        let padded = String(repeating: " ", count: TokenVerifier.maxTokenBytes)
        #expect(try await rejection(token(AuthTokens.claims() + padded)) == .malformed)
    }

    @Test func tokensFoundGoodAreRememberedButNotThatTheyAreFresh() async throws {
        let clock = Mutex(AuthTokens.now)
        let verifier = TokenVerifier(
            .fixed(try await VerifyingKeys(key)), audience: .analytics, now: { clock.withLock { $0 } })
        let good = try token(AuthTokens.claims(exp: String(AuthTokens.now + 10)))
        _ = try await verifier.verify(good)
        #expect(verifier.verified.count == 1)
        _ = try await verifier.verify(good)
        clock.withLock { $0 += 39 }
        _ = try await verifier.verify(good)
        clock.withLock { $0 += 1 }
        await #expect(throws: InvalidToken.expired) { try await verifier.verify(good) }
        await #expect(throws: InvalidToken.self) { try await verifier.verify(good + "A") }
        #expect(verifier.verified.count == 1)
    }

    /// What one service has found good another needn't check; whether it is meant for it, it must.
    @Test func servicesWithTheSameKeysShareWhatTheyFound() async throws {
        let keys = KeySource.fixed(try await VerifyingKeys(key))
        let analytics = TokenVerifier(keys, audience: .analytics, now: { AuthTokens.now })
        let payments = TokenVerifier(keys, audience: .payments, now: { AuthTokens.now })
        let good = try token(AuthTokens.claims(exp: String(AuthTokens.now + 10)))
        _ = try await analytics.verify(good)
        #expect(payments.verified.count == 1)
        await #expect(throws: InvalidToken.wrongAudience) { try await payments.verify(good) }
        let stranger = TokenVerifier(
            .fixed(try await VerifyingKeys(.generate())), audience: .analytics, now: { AuthTokens.now })
        await #expect(throws: InvalidToken.unknownKey) { try await stranger.verify(good) }
    }

    @Test func rememberedTokensAreBounded() {
        let tokens = VerifiedTokens()
        let claims = AccessToken(audience: [.analytics], subject: "a", role: .user, issuedAt: 0, expiresAt: 9999)
        for number in 0..<VerifiedTokens.maxTokens { tokens.remember(claims, of: "\(number)", now: 0) }
        #expect(tokens.count == VerifiedTokens.maxTokens)
        tokens.remember(claims, of: "one more", now: 1)
        #expect(tokens.count == 1)
        #expect(tokens.claims(of: "one more", now: VerifiedTokens.maxSeconds) != nil)
        #expect(tokens.claims(of: "one more", now: VerifiedTokens.maxSeconds + 1) == nil)
        for number in 0..<VerifiedTokens.maxTokens - 1 { tokens.remember(claims, of: "\(number)", now: 1) }
        // The old ones make room first.
        tokens.remember(claims, of: "new", now: 61)
        #expect(tokens.count == 1)
    }
}
