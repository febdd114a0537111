package import JWTKit

/// The claims of an access token.
package struct AccessToken: Equatable, Sendable {
    package static let issuer = "tiketi"
    /// How far clocks may be apart.
    package static let leewaySeconds: Int64 = 30

    package var issuer: String
    package var audience: [String]
    package var subject: String
    package var role: Role
    /// Seconds since 1970.
    package var expiresAt: Int64
    package var issuedAt: Int64
    package var notBefore: Int64?

    package init(
        issuer: String = Self.issuer, audience: [Audience], subject: String, role: Role, issuedAt: Int64,
        expiresAt: Int64
    ) {
        self.issuer = issuer
        self.audience = audience.map(\.rawValue)
        self.subject = subject
        self.role = role
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }

    /// - Parameter now: seconds since 1970.
    func check(issuer: String, audience: Audience, now: Int64) throws(InvalidToken) {
        guard self.issuer == issuer else { throw .wrongIssuer }
        guard self.audience.contains(audience.rawValue) else { throw .wrongAudience }
        guard now < expiresAt.addingSaturating(Self.leewaySeconds) else { throw .expired }
        guard issuedAt <= now + Self.leewaySeconds else { throw .issuedInFuture }
        if let notBefore, notBefore > now + Self.leewaySeconds { throw .notYetValid }
    }
}

extension AccessToken: JWTPayload {
    private enum CodingKeys: String, CodingKey {
        case issuer = "iss"
        case audience = "aud"
        case subject = "sub"
        case role
        case expiresAt = "exp"
        case issuedAt = "iat"
        case notBefore = "nbf"
    }

    package init(from decoder: any Decoder) throws {
        let claims = try decoder.container(keyedBy: CodingKeys.self)
        issuer = try claims.decode(String.self, forKey: .issuer)
        if let one = try? claims.decode(String.self, forKey: .audience) {
            audience = [one]
        } else {
            audience = try claims.decode([String].self, forKey: .audience)
        }
        subject = try claims.decode(String.self, forKey: .subject)
        role = try claims.decode(Role.self, forKey: .role)
        // NumericDate may carry a fraction (RFC 7519 §2).
        func seconds(_ key: CodingKeys) throws -> Int64 {
            let value = try claims.decode(Double.self, forKey: key)
            guard let whole = Int64(exactly: value.rounded(.down)) else {
                throw DecodingError.dataCorruptedError(forKey: key, in: claims, debugDescription: "no date")
            }
            return whole
        }
        expiresAt = try seconds(.expiresAt)
        issuedAt = try seconds(.issuedAt)
        notBefore = claims.contains(.notBefore) ? try seconds(.notBefore) : nil
    }

    package func encode(to encoder: any Encoder) throws {
        var claims = encoder.container(keyedBy: CodingKeys.self)
        try claims.encode(issuer, forKey: .issuer)
        if audience.count == 1 {
            try claims.encode(audience[0], forKey: .audience)
        } else {
            try claims.encode(audience, forKey: .audience)
        }
        try claims.encode(subject, forKey: .subject)
        try claims.encode(role, forKey: .role)
        try claims.encode(expiresAt, forKey: .expiresAt)
        try claims.encode(issuedAt, forKey: .issuedAt)
        try claims.encodeIfPresent(notBefore, forKey: .notBefore)
    }

    /// The claims are checked by `TokenVerifier`, which knows the time.
    package func verify(using algorithm: some JWTAlgorithm) async throws {}
}

extension Int64 {
    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
