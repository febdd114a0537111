import Foundation

/// The OpenID provider that people sign in with: Google, or what stands in for it in tests.
package struct GoogleSettings: Sendable {
    package static let standardIssuer = "https://accounts.google.com"

    let clientId: String
    let clientSecret: String
    let issuer: String

    /// Nil where the issuer is no https address, nor http on this very machine.
    package init?(clientId: String, clientSecret: String, issuer: String = GoogleSettings.standardIssuer) {
        guard Self.isFit(issuer), !issuer.hasSuffix("/") else { return nil }
        self.clientId = clientId
        self.clientSecret = clientSecret
        self.issuer = issuer
    }

    /// The `iss` that are accepted: Google's own tokens have had it without the scheme too.
    var issuers: [String] {
        issuer == Self.standardIssuer ? [issuer, "accounts.google.com"] : [issuer]
    }

    /// Whether secrets may be sent to the address.
    static func isFit(_ address: String) -> Bool {
        guard let url = URL(string: address), let host = url.host() else { return false }
        return url.scheme == "https" || url.scheme == "http" && ["127.0.0.1", "localhost", "::1"].contains(host)
    }
}
