import Foundation
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

/// Whoever registers with a stranger's address first, or has been in an account, has nothing of it once its owner comes.
@Suite(.timeLimit(.minutes(5))) struct TakeoverTests {
    private static let new = "an entirely new passphrase"
    private static let verify = "/api/users/email/verify"

    private func forgotten(_ users: RunningUsers, mail: Int) async throws -> String {
        let answer = try await users.browser("198.51.100.1").send(
            .post, "/api/users/password/forgot", #"{"email":"kim@example.com"}"#)
        #expect(answer.status == .accepted)
        return try await users.code(inMail: mail)
    }

    private func reset(_ users: RunningUsers, _ code: String) async throws {
        let answer = try await users.browser("198.51.100.1").send(
            .post, "/api/users/password/reset", #"{"code":"\#(code)","newPassword":"\#(Self.new)"}"#)
        #expect(answer.status == .noContent, "\(answer.body)")
    }

    // MARK: The mail that confirms an address

    /// The stranger's password is not made good by somebody who clicks on what came by mail.
    @Test func theCodeAloneConfirmsNothing() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", "the stranger's passphrase")
            let code = try await users.code(inMail: 0)
            let victim = users.browser("198.51.100.1")
            func verify(_ members: String, bearer: String? = nil) async throws -> Browser.Answer {
                try await victim.send(.post, Self.verify, #"{"code":"\#(code)"\#(members)}"#, bearer: bearer)
            }
            #expect(try await verify("").code == "login_required")
            #expect(try await verify(#","password":null"#).code == "login_required")
            #expect(try await verify(#","password":"a guess of the victim's""#).code == "wrong_password")
            // Nor does being signed in to another account.
            let other = try await users.signedIn(users.browser(), "lee@example.com")
            #expect(try await verify("", bearer: other["accessToken"]).code == "login_required")
            #expect(try await verify("", bearer: "x").status == .unauthorized)
            #expect(try await users.count("SELECT count(email_verified_at) FROM users") == 0)
            // All that did not use it up.
            #expect(try await verify(#","password":"the stranger's passphrase""#).status == .noContent)
            #expect(try await users.count("SELECT count(email_verified_at) FROM users") == 1)
        }
    }

    @Test func whoHasTheCodeGuessesThePasswordSlowly() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            let code = try await users.code(inMail: 0)
            var statuses: [HTTPResponse.Status] = []
            for number in 0..<7 {
                let body = #"{"code":"\#(code)","password":"guess \#(number)"}"#
                statuses.append(try await users.browser().send(.post, Self.verify, body).status)
            }
            #expect(statuses.prefix(5).allSatisfy { $0 == .forbidden })
            #expect(statuses.suffix(2).allSatisfy { $0 == .tooManyRequests })
        }
    }

    /// The whole of it: a stranger registers, the owner opens the mail and comes by Google later.
    @Test func whoRegistersWithAStrangersAddressIsNeverIn() async throws {
        try await withGoogle { users, google in
            let attacker = users.browser()
            let session = try await users.signedIn(attacker)
            let code = try await users.code(inMail: 0)
            let victim = users.browser("198.51.100.1")
            _ = try await victim.send(.post, Self.verify, #"{"code":"\#(code)"}"#)
            let gmail: [String: Any] = ["hd": "example.com"]
            #expect(page(try await comeBack(victim, users, google, changing: gmail)) == "#error=link_needs_login")
            // He sets a password by mail: the account is his, and nobody else's.
            try await reset(users, try await forgotten(users, mail: 1))
            #expect(try await attacker.refresh().code == "session_over")
            #expect(try await attacker.logIn("kim@example.com", RunningUsers.password).status == .unauthorized)
            #expect(
                try await attacker.send(.get, "/api/users/profile", bearer: session["accessToken"]).status
                    == .unauthorized)
            let back = try await comeBack(victim, users, google, changing: gmail)
            #expect(try await exchange(victim, page(back).dropFirst(6))["user.email"] == "kim@example.com")
        }
    }

    // MARK: Google

    @Test func anAccountThatNobodyConfirmedGetsNoGoogle() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let bearer = try await users.signedIn(browser)["accessToken"]
            #expect(try await browser.linkGoogle(bearer: bearer).code == "email_unverified")
            // Nor where it was begun all the same.
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            let begun = try await browser.linkGoogle(bearer: bearer)
            try await users.pool.withConnection { _ = try $0.execute("UPDATE users SET email_verified_at = NULL") }
            #expect(page(try await endLink(browser, begun, users, google)) == "#error=google_failed")
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 0)
        }
    }

    /// A token is stolen for ten minutes; what it could add would stay.
    @Test func aTokenWithoutThePasswordChangesNoWayIn() async throws {
        try await withGoogle { users, google in
            let (owner, thief) = (users.browser(), users.browser("198.51.100.1"))
            let bearer = try await users.signedIn(owner)["accessToken"]
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            #expect(try await thief.linkGoogle(nil, bearer: bearer).code == "password_needed")
            #expect(
                try await thief.send(.post, "/api/users/google/link", #"{"currentPassword":null}"#, bearer: bearer).code
                    == "password_needed")
            #expect(try await thief.linkGoogle("a guess", bearer: bearer).code == "wrong_password")
            #expect(try await users.count("SELECT count(*) FROM oauth_transactions") == 0)
            let begun = try await owner.linkGoogle(bearer: bearer)
            #expect(page(try await endLink(owner, begun, users, google)) == "#linked=google")
            #expect(try await thief.unlinkGoogle(nil, bearer: bearer).code == "password_needed")
            var codes: [String?] = []
            for _ in 0..<6 { codes.append(try await thief.unlinkGoogle("a guess", bearer: bearer).code) }
            #expect(codes.first == "wrong_password" && codes.last == "too_many_attempts")
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 1)
            users.clock.advance(seconds: 60)
            #expect(try await owner.unlinkGoogle(bearer: bearer).status == .noContent)
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 0)
        }
    }

    /// One that is planted signs nobody in after the owner's new password, nor one that was only begun.
    @Test func aNewPasswordByMailTakesGoogleAway() async throws {
        try await withGoogle { users, google in
            let planter = users.browser()
            let bearer = try await users.signedIn(planter)["accessToken"]
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            let changes: [String: Any] = ["email": "planter@example.org", "sub": "planter"]
            let begun = try await planter.linkGoogle(bearer: bearer)
            #expect(page(try await endLink(planter, begun, users, google, changing: changes)) == "#linked=google")
            _ = try await users.mail(1)
            // A code that would become a session, and another link under way.
            let late = users.browser()
            let code = page(try await comeBack(late, users, google, changing: changes)).dropFirst(6)
            let second = users.browser()
            let begunAgain = try await second.linkGoogle(bearer: bearer)
            try await reset(users, try await forgotten(users, mail: 2))
            #expect(try await exchange(late, code).code == "code_over")
            #expect(page(try await endLink(second, begunAgain, users, google)) == "#error=google_failed")
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 0)
            #expect(try await users.count("SELECT count(*) FROM oauth_transactions") == 0)
            #expect(try await users.mail(3).contains("Google signs in to it no more"))
            // What it signs in to from now on is an account of its own.
            let back = page(try await comeBack(planter, users, google, changing: changes))
            #expect(try await exchange(planter, back.dropFirst(6))["user.email"] == "planter@example.org")
        }
    }

    /// The row is gone from the table while Google is being asked: the instant tells.
    @Test func aLinkThatWasTakenUpBeforeTheNewPasswordIsNotEnded() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let bearer = try await users.signedIn(browser)["accessToken"]
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            let begun = try await browser.linkGoogle(bearer: bearer)
            users.clock.advance(seconds: 1)
            try await users.pool.withConnection { connection in
                // When the link is looked up: as if the password had been set right after.
                _ = try connection.execute(
                    """
                    CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN UPDATE users SET credentials_changed_at = OLD.expires_at; RETURN OLD; END $$
                    """)
                _ = try connection.execute(
                    """
                    CREATE TRIGGER change AFTER DELETE ON oauth_transactions FOR EACH ROW EXECUTE FUNCTION change()
                    """)
            }
            #expect(page(try await endLink(browser, begun, users, google)) == "#error=google_failed")
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 0)
        }
    }

    @Test func googleIsTakenAwayByWhoeverHasAPassword() async throws {
        try await withGoogle { users, google in
            let (here, there) = (users.browser(), users.browser())
            var session = try await users.signedIn(here)
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            // Nothing to take away: nothing happens.
            #expect(try await here.unlinkGoogle(bearer: session["accessToken"]).status == .noContent)
            let begun = try await here.linkGoogle(bearer: session["accessToken"])
            #expect(page(try await endLink(here, begun, users, google)) == "#linked=google")
            _ = try await users.mail(1)
            let google2 = page(try await comeBack(there, users, google)).dropFirst(6)
            let theirs = try await exchange(there, google2)
            #expect(theirs.status == .ok)
            let gone = try await here.unlinkGoogle(bearer: session["accessToken"])
            #expect(gone.status == .noContent)
            #expect(try await users.mail(2).contains("was taken away from your account"))
            // What had signed in elsewhere, by Google perhaps, is over; this browser's session goes on.
            #expect(try await there.refresh().code == "session_over")
            #expect(
                try await there.send(.get, "/api/users/profile", bearer: theirs["accessToken"]).status
                    == .unauthorized)
            session = try await here.refresh()
            let profile = try await here.send(.get, "/api/users/profile", bearer: session["accessToken"])
            #expect(profile.body.contains(#""providers":[]"#))
        }
    }

    @Test func theLastWayInStays() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let session = try await exchange(browser, page(comeBack(browser, users, google)).dropFirst(6))
            let kept = try await browser.unlinkGoogle(nil, bearer: session["accessToken"])
            #expect(kept.status == .conflict && kept.code == "last_way_in")
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 1)
            #expect(try await browser.refresh().status == .ok)
        }
    }

    // MARK: What was issued before

    @Test func accessTokensFromBeforeANewPasswordAreOver() async throws {
        try await withUsers { users in
            let browser = users.browser()
            let old = try await users.signedIn(browser)["accessToken"]
            let changed = try await browser.send(
                .put, "/api/users/password",
                #"{"currentPassword":"\#(RunningUsers.password)","newPassword":"\#(Self.new)"}"#, bearer: old)
            #expect(changed.status == .noContent)
            for (method, path, body) in [
                (.get, "verify", nil), (.get, "profile", nil), (.put, "profile", #"{"name":"Mallory"}"#),
                (.put, "password", #"{"currentPassword":"\#(Self.new)","newPassword":"yet another passphrase"}"#),
                (.post, "email/resend", nil), (.post, "google/unlink", nil),
            ] as [(HTTPRequest.Method, String, String?)] {
                let answer = try await browser.send(method, "/api/users/\(path)", body, bearer: old)
                #expect(answer.status == .unauthorized && answer.code == "token_invalid", "\(path)")
            }
            // A code in the mail, with a token from before, confirms nothing either.
            let code = try await users.code(inMail: 0)
            let verified = try await browser.send(.post, Self.verify, #"{"code":"\#(code)"}"#, bearer: old)
            #expect(verified.code == "login_required")
            // The clock stands: one that is issued after the change, in the same second, is good.
            let new = try await browser.refresh()["accessToken"]
            #expect(try await browser.send(.get, "/api/users/verify", bearer: new).status == .ok)
            let fresh = try await users.browser().logIn("kim@example.com", Self.new)
            #expect(
                try await browser.send(.get, "/api/users/verify", bearer: fresh["accessToken"]).status == .ok)
            // And after a reset neither is, though its session would have lived on.
            _ = try await users.mail(1)
            try await reset(users, try await forgotten(users, mail: 2))
            #expect(try await browser.send(.get, "/api/users/verify", bearer: new).status == .unauthorized)
        }
    }

    @Test func promotionEndsTokensSessionsAndWhatIsUnderWay() async throws {
        try await withGoogle { users, google in
            let squatter = users.browser()
            let old = try await users.signedIn(squatter, "admin@example.com")["accessToken"]
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            let begun = try await squatter.linkGoogle(bearer: old)
            let admin = try AdminBootstrap(email: "admin@example.com", password: "the real admin's passphrase")!
            try await admin.run(users.pool, users.service.hasher, now: users.clock.now)
            #expect(try await squatter.send(.get, "/api/users/profile", bearer: old).status == .unauthorized)
            #expect(try await squatter.refresh().code == "session_over")
            #expect(page(try await endLink(squatter, begun, users, google)) == "#error=google_failed")
            #expect(try await users.count("SELECT count(*) FROM oauth_transactions") == 0)
            let session = try await users.browser().logIn("admin@example.com", "the real admin's passphrase")
            #expect(
                try await users.browser().send(.get, "/api/users/verify", bearer: session["accessToken"])["role"]
                    == "admin")
        }
    }

    /// Tokens have whole seconds: those of the change's own second count as older.
    @Test func theSecondAfterTheChangeIsTheFirstThatIsGood() {
        var account = Account(
            id: "1", email: "kim@example.com", isEmailVerified: true, name: "Kim", role: .user, passwordHash: nil,
            createdAt: 0)
        #expect(account.tokensGoodFrom == .min)
        for (changed, from) in [(0, 1), (999, 1), (1000, 2), (1_796_000_000_500, 1_796_000_001)] as [(Int64, Int64)] {
            account.credentialsChangedAt = changed
            #expect(account.tokensGoodFrom == from)
        }
    }
}
