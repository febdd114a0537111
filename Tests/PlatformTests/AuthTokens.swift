import Crypto
import Foundation

@testable import Platform

/// Makes tokens part by part, so that tests can make wrong ones.
struct AuthTokens {
    static let now: Int64 = 1_765_000_000

    static func base64URL(_ data: some DataProtocol) -> String {
        Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func claims(
        iss: String = "tiketi", aud: String = #""tiketi-analytics""#, sub: String = #""someone""#,
        role: String = #""analyst""#, exp: String = String(now + 60), iat: String = String(now)
    ) -> String {
        #"{"iss":"\#(iss)","aud":\#(aud),"sub":\#(sub),"role":\#(role),"exp":\#(exp),"iat":\#(iat)}"#
    }

    static func token(
        header: String, claims: String = claims(), sign: (Data) throws -> Data
    ) rethrows -> String {
        let signed = base64URL(Data(header.utf8)) + "." + base64URL(Data(claims.utf8))
        return try signed + "." + base64URL(sign(Data(signed.utf8)))
    }

    static func ed25519(
        _ key: Curve25519.Signing.PrivateKey, kid: String, alg: String = "EdDSA", extra: String = "",
        claims: String = claims()
    ) throws -> String {
        try token(header: #"{"alg":"\#(alg)","typ":"JWT","kid":"\#(kid)"\#(extra)}"#, claims: claims) {
            try key.signature(for: $0)
        }
    }
}

extension SigningKey {
    /// The public half, made from the seed, as one key of a JSON Web Key Set.
    var publicJWK: String {
        get throws {
            let base64 = seed.replacing("-", with: "+").replacing("_", with: "/") + "="
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: Data(base64Encoded: base64)!)
            let x = AuthTokens.base64URL(key.publicKey.rawRepresentation)
            return #"{"kty":"OKP","crv":"Ed25519","x":"\#(x)","use":"sig","alg":"EdDSA","kid":"\#(keyID)"}"#
        }
    }

    var publicKeySet: String {
        get throws { #"{"keys":[\#(try publicJWK)]}"# }
    }
}
