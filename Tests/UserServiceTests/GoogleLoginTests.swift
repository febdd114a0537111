import Crypto
import Foundation
import HTTPTypes
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct GoogleLoginTests {
    /// Trap 7 and trap 8: state, nonce and PKCE; a one-time code in the address and never a token; nothing of Google's kept.
    @Test func aFirstSignInMakesAnAccount() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let sent = try await browser.send(.get, "/api/users/google")
            let asked = parameters(sent)
            #expect(asked["response_type"] == "code" && asked["code_challenge_method"] == "S256")
            #expect(asked["client_id"] == FakeGoogle.clientId && asked["scope"] == "openid email profile")
            #expect(asked["redirect_uri"] == "https://tiketi.example/api/users/google/callback")
            let back = try await comeBack(browser, users, google)
            let code = page(back).dropFirst("#code=".count)
            #expect(code.count == Secret.textLength)
            let form = google.state.withLock { $0.exchanged }
            #expect(form["code"] == "the/code" && form["client_secret"] == FakeGoogle.clientSecret)
            #expect(form["grant_type"] == "authorization_code" && form["redirect_uri"] == asked["redirect_uri"])
            #expect(form["code_verifier"]?.utf8.count == 43)
            // In another browser the code is worth nothing.
            #expect(try await exchange(users.browser(), code).code == "code_over")
            let session = try await exchange(browser, code)
            #expect(session["user.email"] == "kim@example.com")
            #expect(session["user.emailVerified"] == "1")
            #expect(try await browser.refresh().status == .ok)
            // Nor a second time.
            #expect(try await exchange(browser, code).code == "code_over")
            let profile = try await browser.send(.get, "/api/users/profile", bearer: session["accessToken"])
            #expect(profile.body.contains(#""hasPassword":false,"providers":["google"]"#))
            // It has no password that could be guessed.
            #expect(try await browser.logIn("kim@example.com", "any password").status == .unauthorized)
            let kept = try await users.pool.withConnection { connection in
                try connection.query("SELECT oauth_providers::text FROM oauth_providers")[0].get(0, as: String.self)
            }
            #expect(kept.hasPrefix("(google,1234567890,"))
        }
    }

    @Test func theChallengeIsTheVerifiersHash() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let asked = parameters(try await browser.send(.get, "/api/users/google"))
            let token = try await google.token(google.claims(nonce: asked["nonce"]!, now: users.clock.now / 1000))
            google.state.withLock { $0.idToken = token }
            _ = try await browser.send(.get, "/api/users/google/callback?state=\(asked["state"]!)&code=c")
            let verifier = google.state.withLock { $0.exchanged["code_verifier"]! }
            #expect(Base64URL.text(SHA256.hash(data: Data(verifier.utf8))) == asked["code_challenge"])
        }
    }

    @Test func theNextSignInIsToTheSameAccountWhateverItsAddressIsByThen() async throws {
        try await withGoogle { users, google in
            let first = users.browser()
            let one = try await exchange(first, page(comeBack(first, users, google)).dropFirst(6))
            let second = users.browser()
            let changes: [String: Any] = ["email": "other@example.com", "email_verified": false]
            let two = try await exchange(
                second, page(comeBack(second, users, google, changing: changes)).dropFirst(6))
            #expect(one["user.id"] != nil && one["user.id"] == two["user.id"])
            #expect(two["user.email"] == "kim@example.com")
        }
    }

    @Test(
        arguments: [
            ["email_verified": false], ["email_verified": "false"], ["email_verified": NSNull()], ["email": NSNull()],
        ] as [[String: any Sendable]])
    func anAddressThatGoogleDoesNotVouchForMakesNothing(_ changes: [String: any Sendable]) async throws {
        try await withGoogle { users, google in
            let back = try await comeBack(users.browser(), users, google, changing: changes)
            #expect(page(back) == "#error=google_email_unverified")
            #expect(try await users.count("SELECT count(*) FROM users") == 0)
        }
    }

    /// Whoever registers with a stranger's address and waits: the stranger who comes by Google later is told to log in.
    @Test func anAccountWhoseAddressNobodyProvedIsNotLinked() async throws {
        try await withGoogle { users, google in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            let browser = users.browser()
            #expect(page(try await comeBack(browser, users, google)) == "#error=link_needs_login")
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 0)
            // Once it is proved, it is linked, and its owner is told.
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            let hosted: [String: Any] = ["hd": "example.com"]
            let session = try await exchange(
                browser, page(comeBack(browser, users, google, changing: hosted)).dropFirst(6))
            #expect(session["user.email"] == "kim@example.com")
            #expect(try await users.count("SELECT count(*) FROM users") == 1)
            #expect(try await users.mail(1).contains("A Google account was added"))
            // Another Google account with the same address is another person.
            #expect(
                page(
                    try await comeBack(
                        users.browser(), users, google, changing: ["sub": "other", "hd": "example.com"]))
                    == "#error=google_linked_elsewhere")
        }
    }

    @Test func whoIsSignedInLinksGoogleThemselves() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let bearer = try await users.signedIn(browser)["accessToken"]
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            let begun = try await browser.linkGoogle(bearer: bearer)
            // Whatever address Google has for them.
            let back = try await endLink(browser, begun, users, google, changing: ["email": "work@example.com"])
            #expect(page(back) == "#linked=google")
            #expect(try await users.mail(1).contains("A Google account was added"))
            // Once more changes nothing, and nobody is told again.
            let again = try await browser.linkGoogle(bearer: bearer)
            #expect(page(try await endLink(browser, again, users, google)) == "#linked=google")
            let session = try await exchange(browser, page(comeBack(browser, users, google)).dropFirst(6))
            #expect(session["user.email"] == "kim@example.com")
        }
    }

    @Test func whatComesBackIsTheEndOfWhatThisBrowserBegan() async throws {
        try await withGoogle { users, google in
            let failed = "#error=google_failed"
            // Another's state: a sign-in that somebody wants to slip under somebody else.
            let attacker = users.browser()
            let theirs = parameters(try await attacker.send(.get, "/api/users/google"))["state"]!
            #expect(page(try await comeBack(users.browser(), users, google, state: theirs)) == failed)
            #expect(page(try await comeBack(users.browser(), users, google, state: "x")) == failed)
            // Without the browser's cookie, without a code, twice, too late.
            let browser = users.browser()
            let state = parameters(try await browser.send(.get, "/api/users/google"))["state"]!
            let path = "/api/users/google/callback?state=\(state)"
            #expect(page(try await users.browser().send(.get, path + "&code=c")) == failed)
            #expect(page(try await browser.send(.get, path + "&error=access_denied")) == failed)
            #expect(page(try await browser.send(.get, path + "&code=c")) == failed)
            #expect(page(try await users.browser().send(.get, "/api/users/google/callback")) == failed)
            let late = users.browser()
            let lateState = parameters(try await late.send(.get, "/api/users/google"))["state"]!
            users.clock.advance(seconds: 600)
            #expect(
                page(try await late.send(.get, "/api/users/google/callback?state=\(lateState)&code=c")) == failed)
            // A token for another sign-in, or a code that Google refuses.
            #expect(page(try await comeBack(users.browser(), users, google, changing: ["nonce": "other"])) == failed)
            google.state.withLock { $0.idToken = nil }
            let refused = users.browser()
            let refusedState = parameters(try await refused.send(.get, "/api/users/google"))["state"]!
            #expect(
                page(try await refused.send(.get, "/api/users/google/callback?state=\(refusedState)&code=c")) == failed)
            #expect(try await users.count("SELECT count(*) FROM users") == 0)
        }
    }

    @Test func theCodeIsGoodForAMinute() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let code = page(try await comeBack(browser, users, google)).dropFirst(6)
            users.clock.advance(seconds: 60)
            #expect(try await exchange(browser, code).code == "code_over")
        }
    }

    @Test func anIdTokenFromTheBrowserIsGoodOnceWithTheNonceItWasGiven() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            func logIn(_ browser: Browser, _ token: String) async throws -> Browser.Answer {
                try await browser.send(.post, "/api/users/google-login", #"{"idToken":"\#(token)"}"#)
            }
            let given = try await browser.send(.get, "/api/users/google/nonce")
            #expect(given["clientId"] == FakeGoogle.clientId)
            let token = try await google.token(google.claims(nonce: given["nonce"]!, now: users.clock.now / 1000))
            // Whoever has got hold of it has not the browser's cookie.
            let thief = users.browser()
            #expect(try await logIn(thief, token).code == "id_token_invalid")
            _ = try await thief.send(.get, "/api/users/google/nonce")
            #expect(try await logIn(thief, token).code == "id_token_invalid")
            let session = try await logIn(browser, token)
            #expect(session["user.email"] == "kim@example.com")
            #expect(try await logIn(browser, token).code == "id_token_invalid")
            // An account that can't be linked says so.
            _ = try await users.browser().register("lee@example.com", RunningUsers.password)
            let other = users.browser()
            let nonce = try await other.send(.get, "/api/users/google/nonce")["nonce"]!
            let claims = google.claims(nonce: nonce, now: users.clock.now / 1000)
                .merging(["sub": "2", "email": "lee@example.com"]) { $1 }
            #expect(try await logIn(other, google.token(claims)).code == "link_needs_login")
        }
    }

    /// A page asks before it shows a button: that begins nothing, and ends no sign-in that is under way.
    @Test func whetherGoogleIsSetUpIsToldWithoutBeginningAnything() async throws {
        try await withGoogle { users, google in
            let browser = users.browser()
            let asked = parameters(try await browser.send(.get, "/api/users/google"))
            let told = try await browser.send(.get, "/api/users/providers")
            #expect(told.body == #"{"providers":["google"]}"# && told.headers[.setCookie] == nil)
            #expect(try await users.count("SELECT count(*) FROM oauth_transactions") == 1)
            try await prepare(google, users, nonce: asked["nonce"]!)
            let back = try await browser.send(.get, "/api/users/google/callback?state=\(asked["state"]!)&code=c")
            #expect(page(back).hasPrefix("#code="))
        }
        try await withUsers { users in
            let told = try await users.browser().send(.get, "/api/users/providers")
            #expect(told.body == #"{"providers":[]}"#)
        }
    }

    @Test func whereGoogleIsAwayTheAnswerSaysSo() async throws {
        try await withGoogle { users, google in
            google.state.withLock { $0.isDown = true }
            let answer = try await users.browser().send(.get, "/api/users/google")
            #expect(answer.status == .serviceUnavailable && answer.code == "google_unavailable")
        }
        try await withUsers { users in
            for path in ["google", "google/callback", "google/nonce"] {
                let answer = try await users.browser().send(.get, "/api/users/\(path)")
                #expect(answer.code == "google_disabled")
            }
        }
    }

    /// Google verifies addresses of others once, when they are given: who has such an address today it doesn't know.
    @Test func anAddressThatGoogleDoesNotKeepJoinsNoAccountThatIsThere() async throws {
        try await withGoogle { users, google in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            for changes: [String: Any] in [[:], ["hd": ""], ["hd": NSNull()], ["email": "KIM@example.com"]] {
                #expect(
                    page(try await comeBack(users.browser(), users, google, changing: changes))
                        == "#error=link_needs_login")
            }
            #expect(try await users.count("SELECT count(*) FROM oauth_providers") == 0)
            // Where nobody has the address, it makes an account.
            let lee = users.browser()
            let made = try await comeBack(lee, users, google, changing: ["email": "lee@example.org", "sub": "lee"])
            #expect(try await exchange(lee, page(made).dropFirst(6))["user.email"] == "lee@example.org")
        }
    }

    @Test func googleKnowsOfItsOwnAddressesAndItsCustomers() {
        let isKnown = IDToken.isAuthoritative
        #expect(isKnown("kim@gmail.com", nil) && isKnown("Kim@GMail.com", nil))
        #expect(isKnown("kim@example.com", "example.com"))
        for foreign in ["kim@example.com", "kim@notgmail.com", "kim@gmail.com.example.com", "gmail.com@example.com"] {
            #expect(!isKnown(foreign, nil) && !isKnown(foreign, ""))
        }
        // A customer's domain vouches for its own addresses, not for those that its people have elsewhere.
        #expect(isKnown("Kim@Example.COM", "EXAMPLE.com"))
        for foreign in ["kim@example.org", "kim@sub.example.com", "kim@example.com.org", "kim@xexample.com", "kim@"] {
            #expect(!isKnown(foreign, "example.com"))
        }
        #expect(!isKnown("kim@", "") && !isKnown("", "") && !isKnown("a@example.org@example.com", "example.com"))
    }

    @Test func decisions() {
        func account(isVerified: Bool, role: Role = .user) -> Account {
            Account(
                id: "1", email: "kim@example.com", isEmailVerified: isVerified, name: "Kim", role: role,
                passwordHash: nil, createdAt: 0)
        }
        let decide = GoogleAccounts.decision
        #expect(decide(true, true, nil) == .create)
        #expect(decide(true, false, nil) == .create)
        #expect(decide(true, true, account(isVerified: true)) == .link)
        #expect(decide(true, false, account(isVerified: true)) == .refuse(.linkNeedsLogin))
        #expect(decide(true, true, account(isVerified: false)) == .refuse(.linkNeedsLogin))
        #expect(decide(true, true, account(isVerified: true, role: .admin)) == .refuse(.linkNeedsLogin))
        #expect(decide(true, true, account(isVerified: true, role: .analyst)) == .refuse(.linkNeedsLogin))
        for existing in [nil, account(isVerified: true), account(isVerified: false)] {
            for isAuthoritative in [true, false] {
                #expect(decide(false, isAuthoritative, existing) == .refuse(.emailUnverified))
            }
        }
        #expect(
            GoogleAccounts.displayName("Kim\u{0}\n" + String(repeating: "가", count: 200)).unicodeScalars.count == 100)
        #expect(GoogleAccounts.displayName(nil) == "Google user")
    }
}
