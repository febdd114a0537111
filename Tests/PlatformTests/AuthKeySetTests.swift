import Crypto
import Foundation
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Platform

@Suite struct AuthKeySetTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func p256(_ key: P256.Signing.PrivateKey, kid: String, extra: String = "") -> String {
        let point = key.publicKey.rawRepresentation
        return #"{"kty":"EC","crv":"P-256","kid":"\#(kid)","x":"\#(AuthTokens.base64URL(point.prefix(32)))","#
            + #""y":"\#(AuthTokens.base64URL(point.suffix(32)))"\#(extra)}"#
    }

    private func es256(_ key: P256.Signing.PrivateKey, kid: String, alg: String = "ES256") throws -> String {
        try AuthTokens.token(header: #"{"alg":"\#(alg)","kid":"\#(kid)"}"#) {
            try key.signature(for: $0).rawRepresentation
        }
    }

    @Test func keySetsHoldKeysOfBothKindsAndPassOverOthers() async throws {
        let ours = SigningKey.generate()
        let elliptic = P256.Signing.PrivateKey()
        let private256 = p256(P256.Signing.PrivateKey(), kid: "private", extra: #","d":"AAAA""#)
        let set = """
            {"keys":[{"kty":"oct","kid":"secret","k":"c2VjcmV0"},{"kty":"RSA","kid":"rsa","n":"AQAB","e":"AQAB"},
            {"nonsense":1},\(p256(elliptic, kid: "ec")),\(p256(elliptic, kid: "rs", extra: #","alg":"RS256""#)),
            \(private256),\(ours.publicJWK)]}
            """
        let keys = try await VerifyingKeys(keySet: set.utf8)
        for kid in ["secret", "rsa", "rs", "private"] { #expect(keys.key(kid) == nil) }
        let verifier = TokenVerifier(.fixed(keys), audience: .analytics, now: { AuthTokens.now })
        let minted = try await ours.mint(
            audience: [.analytics], subject: "a", role: .admin, lifetimeSeconds: 60, now: AuthTokens.now)
        #expect(try await verifier.verify(minted).role == .admin)
        #expect(try await verifier.verify(es256(elliptic, kid: "ec")).role == .analyst)
        await #expect(throws: InvalidToken.signature) {
            try await verifier.verify(es256(P256.Signing.PrivateKey(), kid: "ec"))
        }
        await #expect(throws: InvalidToken.algorithm) { try await verifier.verify(es256(elliptic, kid: ours.keyID)) }
    }

    @Test func uselessKeySetsAreRefused() async {
        let many = Array(repeating: #"{"kty":"oct"}"#, count: VerifyingKeys.maxKeys + 1).joined(separator: ",")
        await #expect(throws: VerifyingKeys.Invalid.tooLarge) {
            try await VerifyingKeys(keySet: "{\"keys\":[\(many)]}".utf8)
        }
        await #expect(throws: VerifyingKeys.Invalid.noUsableKey) {
            try await VerifyingKeys(keySet: #"{"keys":[]}"#.utf8)
        }
        await #expect(throws: VerifyingKeys.Invalid.notAKeySet) { try await VerifyingKeys(keySet: "[]".utf8) }
    }

    @Test func onlyAddressesThatCanBeFetchedAreTaken() throws {
        func url(_ text: String) throws -> String? {
            try Settings(environment: ["JWKS_URL": text]).jwksURL()?.absoluteString
        }
        for text in ["https://localhost/keys", "http://localhost:80/keys", "file:///run/keys.json"] {
            #expect(try url(text) == text)
        }
        for text in ["ftp://localhost/keys", "keys.json", "https:///keys", "file:keys.json"] {
            #expect(throws: SettingsError.self) { try url(text) }
        }
    }

    @Test func keySetsAreReadFromFiles() async throws {
        let key = SigningKey.generate()
        let file = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString).json")
        try key.publicKeySet.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let keys = FetchedKeys(url: file, logger: logger)
        #expect(try await keys.key(key.keyID) != nil)
        let absent = FetchedKeys(url: URL(filePath: "/nonexistent/keys.json"), logger: logger)
        await #expect(throws: FetchedKeys.Unavailable.self) { _ = try await absent.key("any") }
    }

    /// What a key server says, how often it was asked, and the time.
    private final class Server: Sendable {
        let body = Mutex("")
        let status = Mutex(HTTPResponse.Status.ok)
        let asked = Mutex(0)
        let now = Mutex<Int64>(1_000_000)

        func withKeys(
            _ logger: Logger, _ body: @escaping @Sendable (FetchedKeys) async throws -> Void
        ) async throws {
            let router = Router()
            router.get("keys") { _, _ in
                self.asked.withLock { $0 += 1 }
                return Response(
                    status: self.status.withLock { $0 },
                    body: .init(byteBuffer: ByteBuffer(string: self.body.withLock { $0 })))
            }
            let (ports, port) = AsyncStream<Int>.makeStream()
            let application = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                onServerRunning: { port.yield($0.localAddress!.port!) }, logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                for await port in ports {
                    let keys = FetchedKeys(
                        url: URL(string: "http://127.0.0.1:\(port)/keys")!, maxWait: .seconds(60), logger: logger,
                        now: { self.now.withLock { $0 } })
                    try await body(keys)
                    break
                }
                group.cancelAll()
            }
        }
    }

    @Test func keysAreFetchedOnceAndAgainForAnUnknownOneAtMostEveryHalfMinute() async throws {
        let (first, second) = (SigningKey.generate(), SigningKey.generate())
        let server = Server()
        server.body.withLock { $0 = first.publicKeySet }
        try await server.withKeys(logger) { (keys) async throws in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { try await keys.key(first.keyID) != nil } }
                for try await found in group { #expect(found) }
            }
            #expect(server.asked.withLock { $0 } == 1)

            server.body.withLock { $0 = second.publicKeySet }
            #expect(try await keys.key(second.keyID) == nil)
            #expect(server.asked.withLock { $0 } == 1)
            server.now.withLock { $0 += FetchedKeys.minIntervalMs }
            #expect(try await keys.key(second.keyID) != nil)
            #expect(try await keys.key(first.keyID) == nil)
            #expect(server.asked.withLock { $0 } == 2)

            server.now.withLock { $0 += FetchedKeys.maxAgeMs }
            #expect(try await keys.key(second.keyID) != nil)
            #expect(server.asked.withLock { $0 } == 3)
        }
    }

    @Test func aFailingServerLeavesTheKeysInUse() async throws {
        let key = SigningKey.generate()
        let server = Server()
        server.status.withLock { $0 = .internalServerError }
        try await server.withKeys(logger) { (keys) async throws in
            await #expect(throws: FetchedKeys.Unavailable.self) { _ = try await keys.key(key.keyID) }
            // Nobody waits half a minute for a server that was away for a moment.
            server.now.withLock { $0 += FetchedKeys.retryIntervalMs }
            server.status.withLock { $0 = .ok }
            server.body.withLock { $0 = key.publicKeySet }
            #expect(try await keys.key(key.keyID) != nil)
            server.now.withLock { $0 += FetchedKeys.maxAgeMs }
            for broken in ["not JSON", String(repeating: " ", count: FetchedKeys.maxBytes) + key.publicKeySet] {
                server.body.withLock { $0 = broken }
                for _ in 0..<5 { #expect(try await keys.key(key.keyID) != nil) }
                server.now.withLock { $0 += FetchedKeys.retryIntervalMs }
            }
            #expect(server.asked.withLock { $0 } == 4)
            // A key that was withdrawn meanwhile is not taken longer than the next try takes.
            server.body.withLock { $0 = SigningKey.generate().publicKeySet }
            #expect(try await keys.key(key.keyID) == nil)
        }
    }
}
