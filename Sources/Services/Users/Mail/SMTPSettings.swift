import Foundation

/// `SMTP_URL`: `smtp://[user:password@]host[:port]` (STARTTLS, port 587) or `smtps://…` (TLS from the first byte, 465).
package struct SMTPSettings: Sendable, Equatable {
    package var host: String
    package var port: Int
    package var isImplicitTLS: Bool
    package var user: String?
    package var password: String?

    /// Nil where it is no such URL.
    package init?(_ url: String) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme, ["smtp", "smtps"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.path.isEmpty || parts.path == "/", parts.query == nil,
            parts.fragment == nil, (parts.user == nil) == (parts.password == nil)
        else { return nil }
        self.host = host
        isImplicitTLS = scheme == "smtps"
        port = parts.port ?? (isImplicitTLS ? 465 : 587)
        user = parts.user
        password = parts.password
        guard (1...65_535).contains(port) else { return nil }
    }

    /// Without TLS letters go nowhere but to this very machine, and a password nowhere.
    var isLoopback: Bool { ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host) }
}
