import Foundation
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct SessionTests {
    private static let cookie = AuthCookie.refresh.rawValue

    /// Trap 7: a browser's script never sees what keeps it signed in, and no address carries a token.
    @Test func theRefreshTokenIsInACookieOfThisHostAlone() async throws {
        try await withUsers { users in
            let session = try await users.signedIn(users.browser())
            let cookies = session.headers[values: .setCookie]
            let refresh = try #require(cookies.first { $0.hasPrefix("__Host-tiketi-refresh=") })
            #expect(refresh.hasSuffix("; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax"))
            let token = String(refresh.dropFirst("__Host-tiketi-refresh=".count).prefix(64))
            #expect(!session.body.contains(token))
            #expect(session.headers[.cacheControl] == "no-store")
            // Nor does the database know it.
            let known = try RefreshToken(token).unwrapped
            let stored = try await users.pool.withConnection { connection in
                try connection.query("SELECT sessions::text FROM sessions")[0].get(0, as: String.self)
            }
            #expect(!stored.contains(known.secret.bytes.map { String(format: "%02x", $0) }.joined()))
        }
    }

    @Test func eachRefreshReplacesTheToken() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser)
            var seen: Set<String> = [await browser.cookies[Self.cookie]!]
            for _ in 0..<5 {
                users.clock.advance(seconds: 600)
                let answer = try await browser.refresh()
                #expect(answer.status == .ok)
                #expect(answer["user.email"] == "kim@example.com")
                seen.insert(await browser.cookies[Self.cookie]!)
                #expect(
                    try await browser.send(.get, "/api/users/verify", bearer: answer["accessToken"]).status == .ok)
            }
            #expect(seen.count == 6)
        }
    }

    @Test func aTokenThatComesAgainLaterEndsItsFamily() async throws {
        try await withUsers { users in
            let browser = users.browser()
            let thief = users.browser("203.0.113.66")
            _ = try await users.signedIn(browser)
            await thief.setCookie(Self.cookie, await browser.cookies[Self.cookie])
            #expect(try await browser.refresh().status == .ok)
            users.clock.advance(seconds: 11)
            #expect(try await thief.refresh().code == "session_over")
            // Nobody can tell which of the two was robbed.
            #expect(try await browser.refresh().code == "session_over")
            #expect(await browser.cookies[Self.cookie] == nil)
            #expect(try await users.count("SELECT count(*) FROM sessions WHERE ended_by = 'reuse'") == 1)
            // Other sessions of the account go on.
            #expect(try await browser.logIn("kim@example.com", RunningUsers.password).status == .ok)
            #expect(try await browser.refresh().status == .ok)
        }
    }

    /// Two tabs, or an answer that was lost: both end up with the same token.
    @Test func tabsThatRefreshAtOnceStaySignedIn() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser)
            let old = await browser.cookies[Self.cookie]
            let tokens = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let tab = users.browser()
                        await tab.setCookie(Self.cookie, old)
                        let status = try await tab.refresh().status
                        #expect(status == .ok)
                        return await tab.cookies[Self.cookie]
                    }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(tokens.count == 1 && !tokens.contains(old))
            #expect(try await users.count("SELECT generation::bigint FROM sessions") == 1)
            await browser.setCookie(Self.cookie, tokens.first!)
            users.clock.advance(seconds: 600)
            #expect(try await browser.refresh().status == .ok)
        }
    }

    @Test func aSessionEndsAfterThirtyDaysHoweverOftenItIsRefreshed() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser)
            for _ in 0..<29 {
                users.clock.advance(seconds: 86_400)
                #expect(try await browser.refresh().status == .ok)
            }
            users.clock.advance(seconds: 86_399)
            #expect(try await browser.refresh().status == .ok)
            users.clock.advance(seconds: 1)
            #expect(try await browser.refresh().code == "session_over")
        }
    }

    /// SameSite keeps most of other sites' requests away; this what is left.
    @Test func onlyOurOwnPagesRefreshAndLogOut() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser)
            let site = HTTPField.Name("Sec-Fetch-Site")!
            let refused: [HTTPFields] = [
                [:], [.origin: "https://evil.example"], [.origin: "null"], [site: "cross-site"], [site: "same-site"],
                [site: "same-site", SameSite.header: "1"], [.origin: "https://evil.example", SameSite.header: "1"],
                [site: "none"], [SameSite.header: "x"],
            ]
            for headers in refused {
                for path in ["/api/users/refresh", "/api/users/logout"] {
                    #expect(try await browser.send(.post, path, headers: headers).code == "cross_site", "\(headers)")
                }
            }
            let welcome: [HTTPFields] = [
                [.origin: "https://tiketi.example"], [site: "same-origin"], [SameSite.header: "1"],
            ]
            for headers in welcome {
                #expect(try await browser.send(.post, "/api/users/refresh", headers: headers).status == .ok)
            }
        }
    }

    @Test func loggingOutEndsTheSession() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser)
            let token = await browser.cookies[Self.cookie]
            let headers: HTTPFields = [SameSite.header: "1"]
            #expect(try await browser.send(.post, "/api/users/logout", headers: headers).status == .noContent)
            #expect(await browser.cookies[Self.cookie] == nil)
            await browser.setCookie(Self.cookie, token)
            #expect(try await browser.refresh().code == "session_over")
            for value in ["", "x", String(repeating: "A", count: 64)] {
                await browser.setCookie(Self.cookie, value)
                #expect(try await browser.refresh().code == "session_over")
                #expect(try await browser.send(.post, "/api/users/logout", headers: headers).status == .noContent)
            }
        }
    }

    @Test func anAccountHasTwentySessionsAtMost() async throws {
        try await withUsers { users in
            let first = users.browser()
            _ = try await users.signedIn(first)
            for number in 0..<Sessions.maxPerAccount {
                users.clock.advance(seconds: 1)
                if number == Sessions.maxPerAccount - 1 { #expect(try await first.refresh().status == .ok) }
                _ = try await users.browser().logIn("kim@example.com", RunningUsers.password)
            }
            #expect(try await first.refresh().code == "session_over")
            #expect(
                try await users.count("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == Sessions.maxPerAccount)
        }
    }

    @Test func verdicts() {
        let state = SessionState(
            tokenHash: [1], previousHash: [0], rotatedAt: 1000, expiresAt: 100_000, isEnded: false)
        #expect(state.verdict(on: [1], now: 1000) == .current)
        #expect(state.verdict(on: [1], now: 99_999) == .current)
        #expect(state.verdict(on: [1], now: 100_000) == .ended)
        #expect(state.verdict(on: [0], now: 10_999) == .repeated)
        #expect(state.verdict(on: [0], now: 11_000) == .reused)
        #expect(state.verdict(on: [9], now: 1000) == .reused)
        var over = state
        over.isEnded = true
        for hash: [UInt8] in [[0], [1], [9]] { #expect(over.verdict(on: hash, now: 1000) == .ended) }
        var first = state
        first.previousHash = nil
        #expect(first.verdict(on: [0], now: 1000) == .reused)
    }

    @Test(arguments: [nil, "", "Bearer x", "Basic YTpi"])
    func withoutATokenOfOursNothingIsTold(_ authorization: String?) async throws {
        try await withUsers { users in
            var headers = HTTPFields()
            headers[.authorization] = authorization
            for (method, path) in [
                (.get, "verify"), (.get, "profile"), (.put, "profile"), (.put, "password"), (.post, "google/link"),
                (.post, "google/unlink"), (.post, "email/resend"),
            ] as [(HTTPRequest.Method, String)] {
                let answer = try await users.browser().send(method, "/api/users/\(path)", headers: headers)
                #expect(answer.status == .unauthorized)
            }
        }
    }

    /// Trap 9: each service signs with a key of its own, and Users knows tokens of its own key alone.
    @Test func tokensOfOtherServicesAreRefused() async throws {
        try await withUsers { users in
            let id = try await users.signedIn(users.browser())["user.id"]!
            let forged = try await SigningKey.generate().mint(
                audience: Audience.allCases, subject: id, role: .admin, lifetimeSeconds: 60,
                now: users.clock.now / 1000)
            #expect(try await users.browser().send(.get, "/api/users/profile", bearer: forged).status == .unauthorized)
            for (audience, role) in [([.events], .user), ([.users], .service)] as [([Audience], Role)] {
                let token = try await users.signingKey.mint(
                    audience: audience, subject: id, role: role, lifetimeSeconds: 60, now: users.clock.now / 1000)
                let answer = try await users.browser().send(.get, "/api/users/profile", bearer: token)
                #expect([.unauthorized, .forbidden].contains(answer.status))
            }
            // Of nobody's.
            let token = try await users.signingKey.mint(
                audience: [.users], subject: "nobody", role: .user, lifetimeSeconds: 60, now: users.clock.now / 1000)
            #expect(try await users.browser().send(.get, "/api/users/profile", bearer: token).status == .unauthorized)
        }
    }

    @Test func theProfileIsOnesOwnAndItsNameCanBeChanged() async throws {
        try await withUsers { users in
            let bearer = try await users.signedIn(users.browser())["accessToken"]
            let browser = users.browser()
            let renamed = try await browser.send(.put, "/api/users/profile", #"{"name":"김 영희"}"#, bearer: bearer)
            #expect(renamed["name"] == "김 영희")
            #expect(renamed["hasPassword"] == "1")
            for body in [
                #"{"name":"K","role":"admin"}"#, #"{"name":"K","email":"a@b.co"}"#,
                #"{"name":"K","emailVerified":true}"#,
                #"{"name":"\#(String(repeating: "a", count: 101))"}"#, "{}",
            ] {
                #expect(
                    try await browser.send(.put, "/api/users/profile", body, bearer: bearer).status
                        == .unprocessableContent)
            }
            #expect(try await browser.send(.get, "/api/users/profile", bearer: bearer)["role"] == "user")
        }
    }
}

extension Optional {
    fileprivate var unwrapped: Wrapped {
        get throws { try #require(self) }
    }
}
