import Foundation
import Logging
import Platform
import Synchronization
import TestSupport
import Testing

@testable import UserService

/// Which id tokens are believed.
@Suite(.timeLimit(.minutes(5))) struct IDTokenTests {
    private static let now: Int64 = 1_796_000_000
    private static let nonce = "the nonce"

    /// What is wrong with a token: nil where it is accepted.
    private func defect(_ google: FakeGoogle, _ token: String) async throws -> IDToken.Defect? {
        let provider = GoogleProvider(google.settings, redirectURI: "https://tiketi.example/back", logger: silentLogger)
        do {
            _ = try await provider.identity(token, nonce: Self.nonce, now: Self.now)
            return nil
        } catch let defect as IDToken.Defect {
            return defect
        }
    }

    @Test func onlyWholeAndFreshTokensForUsAreAccepted() async throws {
        try await FakeGoogle().run { (google: FakeGoogle) async throws -> Void in
            let good = google.claims(nonce: Self.nonce, now: Self.now)
            func changed(_ changes: [String: Any]) async throws -> IDToken.Defect? {
                try await defect(google, google.token(good.merging(changes) { $1 }))
            }
            #expect(try await changed([:]) == nil)
            #expect(try await changed(["iss": "https://accounts.google.com"]) == .issuer)
            #expect(try await changed(["iss": NSNull()]) == .claims)
            #expect(try await changed(["aud": "another-client"]) == .audience)
            #expect(try await changed(["aud": [] as [String]]) == .audience)
            #expect(try await changed(["aud": ["another", FakeGoogle.clientId]]) == .authorizedParty)
            #expect(try await changed(["aud": ["another", FakeGoogle.clientId], "azp": FakeGoogle.clientId]) == nil)
            #expect(try await changed(["azp": "another"]) == .authorizedParty)
            #expect(try await changed(["exp": Self.now - 60]) == .expired)
            #expect(try await changed(["exp": Self.now - 59]) == nil)
            #expect(try await changed(["exp": NSNull()]) == .claims)
            #expect(try await changed(["exp": "tomorrow"]) == .claims)
            #expect(try await changed(["iat": Self.now + 61]) == .issuedInFuture)
            #expect(try await changed(["nbf": Self.now + 61]) == .issuedInFuture)
            #expect(try await changed(["nonce": "another"]) == .nonce)
            #expect(try await changed(["nonce": NSNull()]) == .nonce)
            #expect(try await changed(["sub": ""]) == .subject)
            #expect(try await changed(["sub": "a\u{0}b"]) == .subject)
            #expect(try await changed(["sub": String(repeating: "1", count: 256)]) == .subject)
        }
    }

    @Test func forgedTokensAreRefused() async throws {
        try await FakeGoogle().run { (google: FakeGoogle) async throws -> Void in
            let good = google.claims(nonce: Self.nonce, now: Self.now)
            let token = try await google.token(good)
            let parts = token.split(separator: ".").map(String.init)
            // Another's key under a name of Google's.
            let other = try FakeGoogle.key()
            #expect(try await defect(google, google.token(good, key: other)) == .signature(.signature))
            // The claims of one token with the signature of another.
            var richer = good
            richer["sub"] = "somebody else"
            let theirs = try await google.token(richer).split(separator: ".").map(String.init)
            #expect(
                try await defect(google, [parts[0], theirs[1], parts[2]].joined(separator: "."))
                    == .signature(.signature))
            func header(_ json: String) -> String { Base64URL.text(Data(json.utf8)) }
            for algorithm in ["none", "None", "NONE", "HS256", "RS1", "EdDSA", "RS512", ""] {
                let forged = header(#"{"alg":"\#(algorithm)","kid":"first"}"#)
                for signature in ["", parts[2]] {
                    #expect(
                        try await defect(google, "\(forged).\(parts[1]).\(signature)") == .signature(.algorithm),
                        "\(algorithm)")
                }
            }
            // The public key as a secret: HS256 by the book is refused before any key is looked at. ES256 with an RSA key:
            let confused = header(#"{"alg":"ES256","kid":"first"}"#)
            #expect(try await defect(google, "\(confused).\(parts[1]).\(parts[2])") == .signature(.algorithm))
            #expect(
                try await defect(google, google.token(good, header: ["crit": ["exp"]])) == .signature(.malformed))
            #expect(try await defect(google, google.token(good, header: ["kid": "unknown"])) == .signature(.unknownKey))
            // Keys that a token brings along are not looked at.
            #expect(
                try await defect(
                    google,
                    google.token(good, header: ["jku": "http://127.0.0.1:1/keys", "kid": "mine"], key: other))
                    == .signature(.unknownKey))
            for text in ["", "a", "a.b", "a.b.c", "\(parts[0]).\(parts[1])", token + ".x", token + "="] {
                #expect(try await defect(google, text) != nil, "\(text)")
            }
        }
    }

    @Test func keysAreFetchedAnewWhenTheyAreOldOrOneIsMissing() async throws {
        try await FakeGoogle().run { (google: FakeGoogle) async throws -> Void in
            let clock = TestClock()
            let provider = GoogleProvider(
                google.settings, redirectURI: "https://tiketi.example/back", logger: silentLogger, now: { clock.now })
            func accepts(_ token: String) async throws -> Bool {
                do {
                    _ = try await provider.identity(token, nonce: Self.nonce, now: Self.now)
                    return true
                } catch is IDToken.Defect {
                    return false
                }
            }
            func fetches() -> Int { google.state.withLock { $0.keyFetches } }
            let claims = google.claims(nonce: Self.nonce, now: Self.now)
            let old = try await google.token(claims)
            #expect(try await accepts(old))
            #expect(try await accepts(old))
            #expect(fetches() == 1)
            // A new key is found at once, however fresh the others are; but not by every token that invents one.
            let second = try FakeGoogle.key()
            google.state.withLock { $0.keys = [("second", second)] }
            clock.advance(seconds: 10)
            #expect(try await accepts(google.token(claims)))
            #expect(fetches() == 2)
            for number in 0..<20 {
                #expect(try await !accepts(google.token(claims, header: ["kid": "invented-\(number)"])))
            }
            #expect(fetches() == 2)
            // One that was withdrawn is good no more.
            #expect(try await !accepts(old))
            // Kept as long as Cache-Control says, and no longer: also where no others can be had.
            clock.advance(seconds: 299)
            let token = try await google.token(claims)
            google.state.withLock { $0.isDown = true }
            #expect(try await accepts(token))
            clock.advance(seconds: 1)
            await #expect(throws: GoogleProvider.Unavailable.self) { _ = try await accepts(token) }
            google.state.withLock { $0.isDown = false }
            clock.advance(seconds: 1)
            #expect(try await accepts(token))
        }
    }

    @Test func aProviderThatCallsItselfOtherwiseIsNotBelieved() async throws {
        try await FakeGoogle().run { (google: FakeGoogle) async throws -> Void in
            let token = try await google.token(google.claims(nonce: Self.nonce, now: Self.now))
            let settings = google.settings
            google.state.withLock { $0.issuer = "https://accounts.google.com" }
            let provider = GoogleProvider(settings, redirectURI: "https://tiketi.example/back", logger: silentLogger)
            await #expect(throws: GoogleProvider.Unavailable.self) {
                _ = try await provider.identity(token, nonce: Self.nonce, now: Self.now)
            }
        }
    }

    @Test func howLongAnAnswerMayBeKept() {
        #expect(CacheControl.seconds(nil, age: nil) == 3600)
        #expect(CacheControl.seconds("public, max-age=19800, must-revalidate", age: nil) == 19_800)
        #expect(CacheControl.seconds("public, max-age=19800", age: "19000") == 800)
        #expect(CacheControl.seconds("max-age=10", age: "20") == 0)
        #expect(CacheControl.seconds("no-cache, max-age=10", age: nil) == 0)
        #expect(CacheControl.seconds("no-store", age: nil) == 0)
        #expect(CacheControl.seconds("max-age=-5", age: nil) == 0)
        #expect(CacheControl.seconds("max-age=99999999999999999999", age: nil) == 0)
        #expect(CacheControl.seconds("max-age=999999999", age: nil) == CacheControl.maxSeconds)
        #expect(CacheControl.seconds(#"Max-Age="60""#, age: nil) == 60)
    }

    @Test func googlesOwnIssuerHasTwoNamesAndOthersOne() {
        let google = GoogleSettings(clientId: "id", clientSecret: "secret")!
        #expect(google.issuers == ["https://accounts.google.com", "accounts.google.com"])
        #expect(
            GoogleSettings(clientId: "id", clientSecret: "secret", issuer: "https://id.example")?.issuers
                == ["https://id.example"])
        for issuer in ["http://accounts.google.com", "ftp://x", "", "https://id.example/", "accounts.google.com"] {
            #expect(GoogleSettings(clientId: "id", clientSecret: "secret", issuer: issuer) == nil)
        }
    }
}
