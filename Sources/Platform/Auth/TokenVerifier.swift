import Foundation
import JWTKit

/// Tells whether a bearer token is ours, and what it allows.
package struct TokenVerifier: Sendable {
    package static let maxTokenBytes = 4096

    private let source: KeySource
    private let issuer: String
    private let audience: Audience
    /// Seconds since 1970.
    private let now: @Sendable () -> Int64
    let verified = VerifiedTokens()

    /// - Parameter audience: the service that asks.
    package init(
        _ source: KeySource, issuer: String = AccessToken.issuer, audience: Audience,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }
    ) {
        self.source = source
        self.issuer = issuer
        self.audience = audience
        self.now = now
    }

    /// - Throws: `InvalidToken`, or `FetchedKeys.Unavailable`.
    package func verify(_ token: some StringProtocol) async throws -> AccessToken {
        guard token.utf8.count <= Self.maxTokenBytes else { throw InvalidToken.malformed }
        let token = String(token)
        let now = now()
        if let claims = verified.claims(of: token, now: now) {
            try claims.check(issuer: issuer, audience: audience, now: now)
            return claims
        }
        let claims = try await verifySignature(token)
        try claims.check(issuer: issuer, audience: audience, now: now)
        verified.remember(claims, of: token, now: now)
        return claims
    }

    private func verifySignature(_ token: String) async throws -> AccessToken {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Self.decode(parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: headerBytes)
        else { throw InvalidToken.malformed }
        guard VerifyingKeys.algorithms.contains(header.alg) else { throw InvalidToken.algorithm }
        // An extension we don't understand must not be passed over (RFC 7515 §4.1.11).
        guard header.crit == nil else { throw InvalidToken.malformed }
        guard let kid = header.kid, let key = try await key(kid) else { throw InvalidToken.unknownKey }
        guard key.name == header.alg else { throw InvalidToken.algorithm }
        guard let signature = Self.decode(parts[2]), let payload = Self.decode(parts[1]) else {
            throw InvalidToken.malformed
        }
        let signed = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
        guard (try? key.verify(Array(signature), signs: signed)) == true else { throw InvalidToken.signature }
        guard let claims = try? JSONDecoder().decode(AccessToken.self, from: payload) else {
            throw InvalidToken.malformed
        }
        return claims
    }

    private func key(_ id: String) async throws -> (any JWTAlgorithm)? {
        switch source {
        case .fixed(let keys): keys.key(id)
        case .fetched(let keys): try await keys.key(id)
        }
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let crit: [String]?
    }

    private static func decode(_ text: some Collection<UInt8>) -> Data? {
        var base64 = text.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        guard !text.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "=") })
        else { return nil }
        while base64.count % 4 != 0 { base64.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(base64))
    }
}
