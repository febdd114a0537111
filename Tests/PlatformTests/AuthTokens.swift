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
    var publicKeySet: String { #"{"keys":[\#(publicJWK)]}"# }
}
