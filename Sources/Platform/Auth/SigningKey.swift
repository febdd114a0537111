import Crypto
import Foundation
import JWTKit

/// The Ed25519 key with which access tokens are signed: setting `JWT_SIGNING_KEY`.
package struct SigningKey: Sendable {
    package struct Malformed: Error, CustomStringConvertible {
        /// Never with the text itself.
        package static let requirement = "must be an Ed25519 private key, as PKCS#8 PEM or as 32 bytes in base64url"
        package var description: String { "JWT_SIGNING_KEY \(Self.requirement)" }
    }

    /// The key's RFC 7638 thumbprint.
    package let keyID: String
    let publicKey: EdDSA.PublicKey
    private let key: EdDSA.PrivateKey

    /// - Parameter text: PKCS#8 PEM, or a 32-byte seed in base64url.
    package init(_ text: String) throws(Malformed) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        do {
            if text.hasPrefix("-----BEGIN") {
                try self.init(EdDSA.PrivateKey(pem: text))
            } else {
                guard text.utf8.count == 43 || text.utf8.count == 44 else { throw Malformed() }
                try self.init(EdDSA.PrivateKey(d: text.replacing("=", with: ""), curve: .ed25519))
            }
        } catch {
            throw Malformed()
        }
    }

    private init(_ key: EdDSA.PrivateKey) {
        self.key = key
        publicKey = key.publicKey
        keyID = Self.thumbprint(of: key.publicKey)
    }

    /// A new random key.
    package static func generate() -> SigningKey {
        SigningKey(EdDSA.PrivateKey(backing: Curve25519.Signing.PrivateKey()))
    }

    /// The seed in base64url: the form in which a generated key is kept in an environment file.
    package var seed: String { Base64URL.text(key.rawRepresentation) }

    /// - Parameter now: seconds since 1970.
    package func mint(
        issuer: String = AccessToken.issuer, audience: [Audience], subject: String, role: Role, lifetimeSeconds: Int64,
        now: Int64
    ) async throws -> String {
        let keys = JWTKeyCollection()
        let kid = JWKIdentifier(string: keyID)
        await keys.add(eddsa: key, kid: kid)
        return try await keys.sign(
            AccessToken(
                issuer: issuer, audience: audience, subject: subject, role: role, issuedAt: now,
                expiresAt: now + lifetimeSeconds), kid: kid)
    }

    /// The public half as a JSON Web Key (RFC 8037).
    package var publicJWK: String {
        #"{"kty":"OKP","crv":"Ed25519","x":"\#(Base64URL.text(publicKey.rawRepresentation))","#
            + #""use":"sig","alg":"EdDSA","kid":"\#(keyID)"}"#
    }

    private static func thumbprint(of key: EdDSA.PublicKey) -> String {
        let members = #"{"crv":"Ed25519","kty":"OKP","x":""# + Base64URL.text(key.rawRepresentation) + #""}"#
        return Base64URL.text(SHA256.hash(data: Data(members.utf8)))
    }
}
