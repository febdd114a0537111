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
    var verified: VerifiedTokens { source.verified }

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
        let payload = try await SignedToken.payload(of: token, source)
        guard let claims = try? JSONDecoder().decode(AccessToken.self, from: payload) else {
            throw InvalidToken.malformed
        }
        return claims
    }
}
