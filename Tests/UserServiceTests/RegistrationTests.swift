import Foundation
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct RegistrationTests {
    @Test func whoRegistersCanLogInAtOnceAndConfirmsLater() async throws {
        try await withUsers { users in
            let browser = users.browser()
            let session = try await users.signedIn(browser, "Kim@Example.com")
            #expect(session.status == .ok)
            #expect(session["user.email"] == "Kim@Example.com")
            #expect(session["user.emailVerified"] == "0")
            #expect(session["expiresIn"] == "600")
            let code = try await users.code(inMail: 0)
            let body = #"{"code":"\#(code)"}"#
            let verify = "/api/users/email/verify"
            #expect(try await browser.send(.post, verify, body, bearer: session["accessToken"]).status == .noContent)
            let profile = try await browser.send(.get, "/api/users/profile", bearer: session["accessToken"])
            #expect(profile["emailVerified"] == "1")
            // Once.
            #expect(
                try await browser.send(.post, verify, body, bearer: session["accessToken"]).code == "code_over")
            let messages = try await users.pool.withConnection { connection in
                try connection.query("SELECT type FROM outbox ORDER BY seq").map { try $0.get(0, as: String.self) }
            }
            #expect(messages.isEmpty || messages == ["user.registered", "user.logged_in"])
        }
    }

    /// No address can be found out by registering with it.
    @Test func aTakenAddressIsAnsweredTheSameAndItsOwnerIsTold() async throws {
        try await withUsers { users in
            let browser = users.browser()
            let first = try await browser.register("kim@example.com", RunningUsers.password)
            let second = try await browser.register("KIM@example.com", "another fine passphrase", name: "Mallory")
            #expect(first.status == .accepted)
            #expect(second.status == first.status && second.body == first.body)
            #expect(second.headers == first.headers)
            let mail = try await users.mail(1)
            #expect(mail.contains("has an account already"))
            #expect(mail.contains("To: <kim@example.com>"))
            // Nothing that the stranger typed goes to the owner.
            #expect(!mail.contains("Mallory"))
            #expect(try await browser.logIn("kim@example.com", "another fine passphrase").status == .unauthorized)
            #expect(try await users.count("SELECT count(*) FROM users") == 1)
        }
    }

    @Test(
        arguments: [
            (#"{"email":"kim@example.com","password":"short","name":"K"}"#, 422, "password"),
            (#"{"email":"kim@example.com","password":"김치찌개","name":"K"}"#, 422, "password"),
            (#"{"email":"kim@example.com","password":"Baseball","name":"K"}"#, 422, "password"),
            (#"{"email":"kimkimkim@example.com","password":"KimKimKim","name":"K"}"#, 422, "password"),
            (#"{"email":"kim@example","password":"a fine passphrase","name":"K"}"#, 422, "email"),
            (#"{"email":"kim@exa\u0000mple.com","password":"a fine passphrase","name":"K"}"#, 422, "email"),
            (
                #"{"email":"kim@example.com\r\nBcc: all@example.com","password":"a fine passphrase","name":"K"}"#, 422,
                "email"
            ),
            (#"{"email":"kim@example.com","password":"a fine passphrase","name":""}"#, 422, "name"),
            (#"{"email":"kim@example.com","password":"a fine passphrase","name":"K","role":"admin"}"#, 422, "role"),
            (#"{"email":"kim@example.com","password":"a fine passphrase"}"#, 422, "name"),
            (#"{"email":1,"password":"a fine passphrase","name":"K"}"#, 422, "email"),
            (#"["kim@example.com"]"#, 400, nil),
            (#"{"email":"kim@example.com","password":"\ud800 a fine passphrase","name":"K"}"#, 400, nil),
        ] as [(String, Int, String?)])
    func whatIsNoRegistrationIsRefused(body: String, status: Int, field: String?) async throws {
        try await withUsers { users in
            let answer = try await users.browser().send(.post, "/api/users/register", body)
            #expect(answer.status.code == status, "\(answer.body)")
            #expect(answer["field"] == field)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(try await users.count("SELECT count(*) FROM users") == 0)
        }
    }

    @Test func addressesAreThoseThatFormsTake() {
        for good in ["a@b.co", "a.b+c@mail.example.com", "x'y@1.2.kr", String(repeating: "a", count: 64) + "@b.co"] {
            #expect(EmailAddress(good) != nil, "\(good)")
            #expect(good.wholeMatch(of: try! Regex(EmailAddress.pattern)) != nil, "\(good)")
        }
        for bad in [
            "a@b", "@b.co", "a@", "a@@b.co", "a@b..co", "a@-b.co", "a@b-.co", "a b@c.co", "a@b.co\n", "é@b.co",
            "a<@b.co",
            String(repeating: "a", count: 65) + "@b.co", "a@" + String(repeating: "b", count: 64) + ".co",
            "a@" + String(repeating: "b.", count: 130) + "co",
        ] {
            #expect(EmailAddress(bad) == nil, "\(bad)")
        }
    }

    @Test func mailsToOneAddressAreFewAndRegisteringFromOneAddressSlowsDown() async throws {
        try await withUsers { users in
            let browser = users.browser()
            var accepted = 0
            for _ in 0..<ThrottledUse.asking.policy.free + 2 {
                let answer = try await browser.send(
                    .post, "/api/users/password/forgot", #"{"email":"kim@example.com"}"#)
                if answer.status == .accepted {
                    accepted += 1
                } else {
                    #expect(answer.status == .tooManyRequests)
                    #expect(answer.headers[.retryAfter] == "1")
                }
            }
            #expect(accepted == ThrottledUse.asking.policy.free)
        }
    }

    @Test func theListOfCommonPasswordsIsWhole() {
        #expect(CommonPasswords.count == CommonPasswords.maxCount)
        #expect(CommonPasswords.contains("password"))
        #expect(CommonPasswords.contains("qwertyuiop"))
        #expect(!CommonPasswords.contains(RunningUsers.password))
        let words = CommonPasswords.list.description.split(separator: " ")
        #expect(words == words.sorted())
        #expect(words.allSatisfy { $0.count >= PasswordRule.lengths.lowerBound && $0 == $0.lowercased() })
    }

    /// The same password from a keyboard that composes otherwise.
    @Test func aPasswordIsTheSameHoweverItsLettersAreComposed() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await browser.register("kim@example.com", "비밀번호는 길다".precomposedStringWithCanonicalMapping)
            let decomposed = "비밀번호는 길다".decomposedStringWithCanonicalMapping
            #expect(try await browser.logIn("kim@example.com", decomposed).status == .ok)
        }
    }
}
