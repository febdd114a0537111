import Foundation
import Logging
import Platform
import UserService

extension ServedProcess {
    func users(_ metrics: Metrics) async throws -> UserService {
        guard let signingKey = try settings.signingKey("JWT_SIGNING_KEY") else {
            throw SettingsError("JWT_SIGNING_KEY", "missing: users signs access tokens with it")
        }
        let site = try publicURL()
        var configuration = UserService.Configuration(
            database: try settings.database("USERS_DATABASE_URL"), redis: try settings.redis(),
            signingKey: signingKey, mailer: try mailer(site), clock: ProcessSettings.clock)
        configuration.nextSigningKey = try settings.signingKey("JWT_NEXT_SIGNING_KEY")
        configuration.publicURL = site
        configuration.google = try google()
        configuration.admin = try admin()
        configuration.trustedProxies = try settings.trustedProxies()
        // We speak no TLS: a proxy does. Were it not named, everybody would be one client, and guesses of one make all wait.
        if site.hasPrefix("https:"), configuration.trustedProxies.isEmpty {
            throw SettingsError(
                "TRUSTED_PROXIES", "missing: PUBLIC_URL is https, so there is a proxy: everybody would be one client")
        }
        configuration.hashingThreads = try settings.int(
            "PASSWORD_HASHING_THREADS", default: configuration.hashingThreads, in: 1...64)
        // Without SMTP_URL mails reach nobody, and no address could be confirmed.
        let isMailed = try settings.string("SMTP_URL") != nil
        configuration.loginNeedsConfirmedEmail = try settings.flag("LOGIN_NEEDS_CONFIRMED_EMAIL", default: isMailed)
        let folder = try mailFolder()
        if !isMailed { logger.notice("mails go into a folder, to nobody", metadata: ["folder": "\(folder)"]) }
        configuration.outboxLeaseSeconds = try settings.outboxLeaseSeconds()
        return try await UserService(configuration, metrics: metrics, logger: logger)
    }

    /// `PUBLIC_URL`: scheme, host and port.
    private func publicURL() throws -> String {
        let text = try settings.string("PUBLIC_URL") ?? "http://127.0.0.1:8080"
        guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme),
            parts.host?.isEmpty == false, parts.path.isEmpty || parts.path == "/", parts.query == nil,
            parts.fragment == nil, parts.user == nil
        else { throw SettingsError("PUBLIC_URL", "must be an address such as https://tiketi.example") }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// `SMTP_URL`, else `MAIL_DIR`.
    private func mailer(_ site: String) throws -> any Mailer {
        let host = URLComponents(string: site)?.host ?? ""
        let isName = host.contains { $0.isLetter } && host.contains(".")
        let sender = try settings.string("MAIL_FROM") ?? "no-reply@\(isName ? host : "tiketi.localdomain")"
        guard EmailAddress(sender) != nil else { throw SettingsError("MAIL_FROM", "must be an e-mail address") }
        guard let url = try settings.string("SMTP_URL") else {
            return FileOutbox(
                folder: URL(filePath: try mailFolder(), directoryHint: .isDirectory), sender: sender,
                clock: ProcessSettings.clock)
        }
        guard let smtp = SMTPSettings(url) else {
            throw SettingsError("SMTP_URL", "must be smtp:// or smtps://[user:password@]host[:port]")
        }
        return try SMTPMailer(smtp, sender: sender, clock: ProcessSettings.clock)
    }

    private func mailFolder() throws -> String { try settings.string("MAIL_DIR") ?? ".tiketi/mail" }

    /// `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET`, both or neither.
    private func google() throws -> GoogleSettings? {
        let id = try settings.string("GOOGLE_CLIENT_ID")
        let secret = try settings.string("GOOGLE_CLIENT_SECRET")
        guard id != nil || secret != nil else { return nil }
        guard let id else { throw SettingsError("GOOGLE_CLIENT_ID", "missing beside GOOGLE_CLIENT_SECRET") }
        guard let secret else { throw SettingsError("GOOGLE_CLIENT_SECRET", "missing beside GOOGLE_CLIENT_ID") }
        let issuer = try settings.string("GOOGLE_ISSUER") ?? GoogleSettings.standardIssuer
        guard let google = GoogleSettings(clientId: id, clientSecret: secret, issuer: issuer) else {
            throw SettingsError("GOOGLE_ISSUER", "must be an https address without a slash at its end")
        }
        return google
    }

    /// `ADMIN_EMAIL` and `ADMIN_PASSWORD`, both or neither.
    private func admin() throws -> AdminBootstrap? {
        let email = try settings.string("ADMIN_EMAIL")
        let password = try settings.string("ADMIN_PASSWORD")
        guard email != nil || password != nil else { return nil }
        guard let email else { throw SettingsError("ADMIN_EMAIL", "missing beside ADMIN_PASSWORD") }
        guard let password else { throw SettingsError("ADMIN_PASSWORD", "missing beside ADMIN_EMAIL") }
        do {
            guard let admin = try AdminBootstrap(email: email, password: password) else {
                throw SettingsError("ADMIN_EMAIL", "must be an e-mail address")
            }
            return admin
        } catch let unfit as AdminBootstrap.Unfit {
            throw SettingsError("ADMIN_PASSWORD", unfit.description)
        }
    }
}
