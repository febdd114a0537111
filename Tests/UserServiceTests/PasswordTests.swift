import HTTPTypes
import Platform
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct PasswordTests {
    private static let new = "an entirely new passphrase"

    @Test func changingItEndsTheOtherSessionsAndKeepsThisOne() async throws {
        try await withUsers { users in
            let (here, there) = (users.browser(), users.browser())
            let session = try await users.signedIn(here)
            _ = try await there.logIn("kim@example.com", RunningUsers.password)
            let wrong = try await here.send(
                .put, "/api/users/password", #"{"currentPassword":"not it","newPassword":"\#(Self.new)"}"#,
                bearer: session["accessToken"])
            #expect(wrong.code == "wrong_password")
            let changed = try await here.send(
                .put, "/api/users/password",
                #"{"currentPassword":"\#(RunningUsers.password)","newPassword":"\#(Self.new)"}"#,
                bearer: session["accessToken"])
            #expect(changed.status == .noContent)
            #expect(try await here.refresh().status == .ok)
            #expect(try await there.refresh().code == "session_over")
            #expect(try await there.logIn("kim@example.com", RunningUsers.password).status == .unauthorized)
            #expect(try await there.logIn("kim@example.com", Self.new).status == .ok)
            #expect(try await users.mail(1).contains("password of your account was changed"))
        }
    }

    @Test func whoHasATokenAndNotThePasswordGuessesSlowly() async throws {
        try await withUsers { users in
            let browser = users.browser()
            let bearer = try await users.signedIn(browser)["accessToken"]
            var statuses: [HTTPResponse.Status] = []
            for number in 0..<7 {
                statuses.append(
                    try await browser.send(
                        .put, "/api/users/password",
                        #"{"currentPassword":"guess \#(number)","newPassword":"\#(Self.new)"}"#, bearer: bearer
                    ).status)
            }
            #expect(statuses.prefix(5).allSatisfy { $0 == .forbidden })
            #expect(statuses.suffix(2).allSatisfy { $0 == .tooManyRequests })
        }
    }

    @Test func aForgottenOneIsSetAnewWithAMailedCodeOnceAndSoon() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser)
            let asked = try await users.browser().send(
                .post, "/api/users/password/forgot", #"{"email":"KIM@example.com"}"#,
                // A link is never made of what the client says we are called.
                headers: [HTTPField.Name("X-Forwarded-Host")!: "evil.example"])
            let unknown = try await users.browser().send(
                .post, "/api/users/password/forgot", #"{"email":"lee@example.com"}"#)
            #expect(asked.status == .accepted)
            #expect(asked.body == unknown.body && asked.headers == unknown.headers)
            #expect(try await users.mail(1).contains("\r\nhttps://tiketi.example/reset-password#code="))
            let body = #"{"code":"\#(try await users.code(inMail: 1))","newPassword":"\#(Self.new)"}"#
            let elsewhere = users.browser()
            #expect(try await elsewhere.send(.post, "/api/users/password/reset", body).status == .noContent)
            #expect(try await elsewhere.send(.post, "/api/users/password/reset", body).code == "code_over")
            #expect(try await browser.refresh().code == "session_over")
            #expect(try await elsewhere.logIn("kim@example.com", RunningUsers.password).status == .unauthorized)
            let session = try await elsewhere.logIn("kim@example.com", Self.new)
            // The mail has come to its owner.
            #expect(session["user.emailVerified"] == "1")
        }
    }

    @Test func codesAreGoodForTenMinutesAndForWhatTheyAreFor() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await browser.register("kim@example.com", RunningUsers.password)
            func reset(_ code: String) async throws -> Browser.Answer {
                try await browser.send(
                    .post, "/api/users/password/reset", #"{"code":"\#(code)","newPassword":"\#(Self.new)"}"#)
            }
            // The code that confirms an address sets no password.
            #expect(try await reset(users.code(inMail: 0)).code == "code_over")
            _ = try await browser.send(.post, "/api/users/password/forgot", #"{"email":"kim@example.com"}"#)
            let first = try await users.code(inMail: 1)
            users.clock.advance(seconds: 600)
            #expect(try await reset(first).code == "code_over")
            _ = try await browser.send(.post, "/api/users/password/forgot", #"{"email":"kim@example.com"}"#)
            let second = try await users.code(inMail: 2)
            users.clock.advance(seconds: 599)
            #expect(try await reset(second).status == .noContent)
            #expect(try await reset(String(repeating: "A", count: 43)).code == "code_over")
            #expect(try await reset("short")["field"] == "code")
        }
    }

    @Test func theAddressItselfIsNoNewPasswordNorDoesAMadeUpCodeCostAHash() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await browser.register("kim.lee@example.com", RunningUsers.password)
            _ = try await browser.send(.post, "/api/users/password/forgot", #"{"email":"kim.lee@example.com"}"#)
            let code = try await users.code(inMail: 1)
            func reset(_ code: String, _ password: String) async throws -> Browser.Answer {
                try await browser.send(
                    .post, "/api/users/password/reset", #"{"code":"\#(code)","newPassword":"\#(password)"}"#)
            }
            let hashed = users.service.hasher.computed.value
            #expect(try await reset(String(repeating: "A", count: 43), Self.new).code == "code_over")
            for password in ["kim.lee@example.com", "Kim.Lee@Example.com"] {
                let refused = try await reset(code, password)
                #expect(refused.status == .unprocessableContent && refused["field"] == "newPassword")
            }
            #expect(users.service.hasher.computed.value == hashed)
            // None of that used the code up.
            #expect(try await reset(code, Self.new).status == .noContent)
        }
    }

    /// Whoever guesses at an account while its owner, with no known browser left, sets a new password.
    @Test func settingItAnewLetsTheOwnerInWhoeverGuesses() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            for number in 0..<20 {
                _ = try await users.browser("203.0.113.\(number)").logIn("kim@example.com", "guess")
            }
            // In the same part of the net.
            let owner = users.browser("203.0.113.99")
            #expect(try await owner.logIn("kim@example.com", RunningUsers.password).status == .tooManyRequests)
            _ = try await owner.send(.post, "/api/users/password/forgot", #"{"email":"kim@example.com"}"#)
            let body = #"{"code":"\#(try await users.code(inMail: 1))","newPassword":"\#(Self.new)"}"#
            #expect(try await owner.send(.post, "/api/users/password/reset", body).status == .noContent)
            #expect(try await owner.logIn("kim@example.com", Self.new).status == .ok)
        }
    }

    /// Who asks too much from an owner's address does not keep him from setting a password with the code that he has.
    @Test func aGoodCodeIsNoAttempt() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            let owner = users.browser("198.51.100.1")
            _ = try await owner.send(.post, "/api/users/password/forgot", #"{"email":"kim@example.com"}"#)
            let code = try await users.code(inMail: 1)
            func reset(_ code: String) async throws -> HTTPResponse.Status {
                try await owner.send(
                    .post, "/api/users/password/reset", #"{"code":"\#(code)","newPassword":"\#(Self.new)"}"#
                ).status
            }
            let hashes = users.service.hasher.computed.value
            for _ in 1..<ThrottledUse.asking.policy.free {
                #expect(try await reset(Secret.random().text) == .badRequest)
            }
            #expect(try await reset(Secret.random().text) == .tooManyRequests)
            #expect(users.service.hasher.computed.value == hashes)
            #expect(try await reset(code) == .noContent)
        }
    }

    @Test func throttlesDoubleUpToABoundAndForget() {
        let policy = ThrottlePolicy(free: 2, firstDelayMs: 1000, maxDelayMs: 8000, forgetMs: 3_600_000)
        var state = ThrottleState.none
        var waits: [Int64] = []
        var now: Int64 = 0
        for _ in 0..<8 {
            now += state.wait(now: now)
            state.count(policy, now: now)
            waits.append(state.wait(now: now))
        }
        #expect(waits == [0, 1000, 2000, 4000, 8000, 8000, 8000, 8000])
        state.count(policy, now: now + policy.forgetMs)
        #expect(state.attempts == 1 && state.wait(now: now + policy.forgetMs) == 0)
        // A clock that was a day ahead: its attempts count, and make nobody wait for a day.
        var early = ThrottleState.none
        for _ in 0..<8 { early.count(policy, now: now + 86_400_000) }
        #expect(early.wait(now: now) == 0)
        #expect(early.wait(now: now + 86_400_000 - ThrottleState.maxSkewMs) > 0)
        early.count(policy, now: now)
        #expect(early.wait(now: now) == policy.maxDelayMs)
        // One that was right is as if it had not been.
        state.forgive(now: now)
        #expect(state.attempts == 0 && state.wait(now: now) == 0)
        state.attempts = .max / 2
        state.lastAt = now
        state.count(policy, now: now)
        #expect(state.wait(now: now) == policy.maxDelayMs)
        let places = ThrottledUse.allCases.flatMap { ThrottleKey.places($0, .unixSocket) }
        for key in places + [
            .account("", .unixSocket), .siege(""), .device(userId: "", .random()), .success(userId: ""),
            .password(userId: ""), .mail(""),
        ] {
            #expect(key.policy().forgetMs <= ThrottlePolicy.maxForgetMs)
            #expect(key.policy().maxDelayMs <= 300_000)
            #expect(key.policy(isBesieged: true).maxDelayMs <= 900_000)
            #expect(key.policy(isCrowded: true).maxDelayMs <= 60_000 || key == .mail(""))
        }
    }
}
