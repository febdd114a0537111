import Foundation
import HTTPTypes
import Logging
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import UserService

/// Nothing that signs somebody in, or tells who they are, is in the log: at no level, and not where something fails.
@Suite(.timeLimit(.minutes(5))) struct SecretsInLogsTests {
    /// All that is logged, whoever logs it.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])

        var text: String { lines.withLock { $0.joined(separator: "\n") } }

        func add(_ line: String) { lines.withLock { $0.append(line) } }

        var logger: Logger {
            Logger(label: "captured") { _ in
                var handler = Handler(log: self)
                handler.logLevel = .trace
                return handler
            }
        }

        private struct Handler: LogHandler {
            let log: Log
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.trace

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                log.add(
                    "\(event.level) \(event.source) \(event.message) \(metadata) \(event.metadata ?? [:]) \(String(describing: event.error))"
                )
            }
        }
    }

    /// Takes letters, or fails with all that it knows of them.
    private struct UnsafeMailer: Mailer {
        let sent = Box()

        final class Box: Sendable {
            let mails = Mutex<[Mail]>([])
        }

        func send(_ mail: Mail) async throws {
            sent.mails.withLock { $0.append(mail) }
            if mail.to == "refused@example.com" { throw SMTPDialogue.Failure.refused("RCPT", 550) }
        }
    }

    @Test func noFlowLogsASecret() async throws {
        let log = Log()
        let mailer = UnsafeMailer()
        var secrets: [String: String] = [:]
        let found = try await FakeGoogle().run { google in
            let settings = google.settings
            return try await withUsers(logger: log.logger) {
                $0.google = settings
                $0.mailer = mailer
                $0.admin = try AdminBootstrap(email: "admin@example.com", password: "the admin's own passphrase")
            } _: { users in
                try await flows(users, google, mailer)
            }
        }
        secrets.merge(found) { $1 }
        let text = log.text
        // The log was there, and said something of what went wrong.
        #expect(text.contains("a refresh token came again"))
        #expect(text.contains("a mail could not be sent"))
        #expect(text.contains("Request failed"))
        #expect(text.contains("an id token was refused"))
        for (name, secret) in secrets {
            #expect(secret.utf8.count >= 6, "\(name)")
            #expect(!text.contains(secret), "\(name) is in the log")
        }
        #expect(secrets.count > 20)
    }

    /// Runs every flow, good and bad: each route that the document names is asked.
    ///
    /// - Returns: what must be in no log, by what it is.
    private func flows(
        _ users: RunningUsers, _ google: FakeGoogle, _ mailer: UnsafeMailer
    ) async throws -> [String: String] {
        var secrets = [
            "the signing key": users.signingKey.seed, "the password": RunningUsers.password,
            "the wrong password": "a wrong passphrase", "the new password": "an entirely new passphrase",
            "the admin's password": "the admin's own passphrase", "the address": "kim@example.com",
            "the refused address": "refused@example.com", "the client's secret": FakeGoogle.clientSecret,
            "the person's name": "Kim Cheolsu",
        ]
        let browser = users.browser()
        _ = try await browser.send(.get, "/.well-known/jwks.json")
        _ = try await browser.send(.get, "/api/users/providers")
        func keep(_ name: String, _ secret: String?) throws {
            guard let secret else { throw NotYet(what: name) }
            secrets[name] = secret
        }
        func keepCookies(_ name: String) async throws {
            for (cookie, value) in await browser.cookies { secrets["\(name)'s \(cookie)"] = value }
        }
        func code(_ subject: String, _ number: Int = 0) async throws -> String {
            try await eventually {
                let mails = mailer.sent.mails.withLock {
                    $0.filter { $0.to == "kim@example.com" && $0.subject.contains(subject) }
                }
                guard mails.count > number else { throw NotYet(what: "a mail: \(subject)") }
                return String(mails[number].text.split(separator: "#code=")[1].prefix(Secret.textLength))
            }
        }
        func post(_ path: String, _ body: String, bearer: String? = nil) async throws -> Browser.Answer {
            try await browser.send(.post, "/api/users/\(path)", body, bearer: bearer)
        }

        // With a password.
        _ = try await browser.register("kim@example.com", RunningUsers.password, name: "Kim Cheolsu")
        _ = try await browser.register("refused@example.com", RunningUsers.password)
        _ = try await browser.logIn("kim@example.com", "a wrong passphrase")
        let session = try await browser.logIn("kim@example.com", RunningUsers.password)
        try keep("the access token", session["accessToken"])
        try await keepCookies("the first session")
        let verification = try await code("confirm")
        try keep("the code that confirms", verification)
        _ = try await post("email/verify", #"{"code":"\#(verification)","password":"a wrong passphrase"}"#)
        _ = try await post("email/verify", #"{"code":"\#(verification)"}"#, bearer: session["accessToken"])
        _ = try await browser.send(.get, "/api/users/profile", bearer: session["accessToken"])
        _ = try await browser.send(
            .put, "/api/users/profile", #"{"name":"Kim Cheolsu"}"#, bearer: session["accessToken"])
        _ = try await browser.send(.post, "/api/users/email/resend", bearer: session["accessToken"])
        _ = try await browser.refresh()
        try await keepCookies("the refreshed session")
        // A token that comes again.
        let thief = users.browser()
        users.clock.advance(seconds: 11)
        await thief.setCookie(
            AuthCookie.refresh.rawValue, secrets["the first session's \(AuthCookie.refresh.rawValue)"])
        #expect(try await thief.refresh().status == .unauthorized)
        _ = try await browser.send(.get, "/api/users/verify", bearer: (session["accessToken"] ?? "") + "x")
        _ = try await post("password/forgot", #"{"email":"kim@example.com"}"#)
        let forgotten = try await code("set a new password")
        try keep("the code that sets a password", forgotten)
        _ = try await post("password/reset", #"{"code":"\#(forgotten)","newPassword":"an entirely new passphrase"}"#)
        _ = try await post("password/reset", #"{"code":"\#(forgotten)","newPassword":"an entirely new passphrase"}"#)
        let again = try await browser.logIn("kim@example.com", "an entirely new passphrase")
        let bearer = again["accessToken"]
        try keep("the second access token", bearer)
        let changed = try await browser.send(
            .put, "/api/users/password",
            #"{"currentPassword":"an entirely new passphrase","newPassword":"\#(RunningUsers.password)"}"#,
            bearer: bearer)
        #expect(changed.status == .noContent)
        let last = try await browser.refresh()["accessToken"]
        try keep("the third access token", last)

        // With Google.
        users.clock.advance(seconds: 2)
        let begun = try await browser.linkGoogle(bearer: last)
        let link = parameters(of: begun["url"])
        try keep("Google's state", link["state"])
        try keep("Google's nonce", link["nonce"])
        try await keepCookies("the link")
        #expect(page(try await endLink(browser, begun, users, google)) == "#linked=google")
        // As `comeBack` brings it, and as it is.
        secrets["Google's code"] = "the/code"
        secrets["Google's code in an address"] = "the%2Fcode"
        try keep("Google's id token", google.state.withLock { $0.idToken })
        try keep("the verifier", google.state.withLock { $0.exchanged["code_verifier"] })
        let exchanged = page(try await comeBack(browser, users, google)).dropFirst(6)
        try keep("the code to exchange", String(exchanged))
        #expect(try await exchange(browser, exchanged).status == .ok)
        try await keepCookies("Google's session")
        _ = try await comeBack(browser, users, google, changing: ["nonce": "another"])
        let nonce = try await browser.send(.get, "/api/users/google/nonce")["nonce"]
        try keep("the nonce for a button", nonce)
        try await prepare(google, users, nonce: "another")
        let refused = google.state.withLock { $0.idToken! }
        try keep("an id token that is refused", refused)
        #expect(try await post("google-login", #"{"idToken":"\#(refused)"}"#).code == "id_token_invalid")
        let button = try await browser.send(.get, "/api/users/google/nonce")["nonce"]
        try await prepare(google, users, nonce: button ?? "")
        let taken = google.state.withLock { $0.idToken! }
        try keep("an id token that is taken", taken)
        let byButton = try await post("google-login", #"{"idToken":"\#(taken)"}"#)
        #expect(byButton.status == .ok)
        try keep("the fourth access token", byButton["accessToken"])
        try await keepCookies("the button's session")
        // Codes that Google refuses, while it is there and while it isn't.
        google.state.withLock { $0.idToken = nil }
        let third = parameters(try await browser.send(.get, "/api/users/google"))
        let refusedCode = try await browser.send(
            .get, "/api/users/google/callback?state=\(third["state"]!)&code=a-code-that-google-refuses")
        #expect(page(refusedCode) == "#error=google_failed")
        try keep("a code that Google refuses", "a-code-that-google-refuses")
        google.state.withLock { $0.isDown = true }
        _ = try await comeBack(browser, users, google)

        // Where the database refuses a row, it quotes it.
        let hash = try await users.pool.withConnection { connection in
            let hash = try connection.query("SELECT password_hash FROM users WHERE email_key = 'kim@example.com'")[0]
                .get(0, as: String.self)
            _ = try connection.execute("ALTER TABLE users ADD CHECK (name <> 'Somebody Else')")
            return hash
        }
        try keep("the password's hash", hash)
        let failed = try await browser.register("else@example.com", "a passphrase that is lost", name: "Somebody Else")
        #expect(failed.status == .internalServerError)
        try keep("the password of a row that was refused", "a passphrase that is lost")
        try keep("the address of a row that was refused", "else@example.com")
        try keep("the name in a row that was refused", "Somebody Else")
        _ = try await browser.unlinkGoogle(bearer: last)
        _ = try await browser.send(
            .post, "/api/users/logout", headers: [HTTPField.Name("X-Tiketi-Request")!: "1"])
        let asked = await browser.asked
        for route in try Self.routes() { #expect(asked.contains(route), "\(route) was not asked") }
        return secrets
    }

    private static func routes() throws -> [String] {
        let document = try JSONSerialization.jsonObject(with: Data(UserService.openAPI.utf8)) as? [String: Any]
        let paths = try #require(document?["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } }
    }
}
