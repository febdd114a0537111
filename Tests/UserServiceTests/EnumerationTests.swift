import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

/// Who has an account can't be found out: neither by what is answered nor by the work that is done for it.
@Suite(.timeLimit(.minutes(5))) struct EnumerationTests {
    /// Accounts of each kind, none of which the password that is tried opens.
    private func withAccounts(
        configure: @escaping @Sendable (inout UserService.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (RunningUsers) async throws -> Void
    ) async throws {
        try await withUsers(configure: configure) { users in
            for name in ["unconfirmed", "confirmed", "google"] {
                _ = try await users.browser().register("\(name)@example.com", RunningUsers.password)
            }
            try await users.pool.withConnection { connection in
                _ = try connection.execute(
                    """
                    UPDATE users SET email_verified_at = created_at WHERE email_key <> 'unconfirmed@example.com'
                    """)
                _ = try connection.execute(
                    "UPDATE users SET password_hash = NULL WHERE email_key = 'google@example.com'")
            }
            try await body(users)
        }
    }

    private static let names = ["unknown", "unconfirmed", "confirmed", "google"]

    /// What is measured is the work, not the time: how many hashes of which cost.
    @Test func loggingInIsAnsweredAlikeAndCostsAlike() async throws {
        try await withAccounts { users in
            var answers: [Browser.Answer] = []
            for name in Self.names {
                let before = users.service.hasher.computed.value
                let writes = try await users.count("SELECT count(*) FROM throttles")
                answers.append(try await users.browser().logIn("\(name)@example.com", "not the passphrase"))
                #expect(users.service.hasher.computed.value == before + 1, "\(name)")
                // Attempts are counted alike, too: those at the account, here and everywhere.
                let written = try await users.count("SELECT count(*) FROM throttles") - writes
                #expect(written == 2 + (name == Self.names[0] ? 3 : 0), "\(name)")
            }
            for answer in answers {
                #expect(answer.status == .unauthorized && answer.code == "wrong_credentials")
                #expect(answer.body == answers[0].body && answer.headers == answers[0].headers)
            }
            // What is checked where there is no hash costs what hashes cost.
            let stored = try await users.pool.withConnection {
                try $0.query("SELECT password_hash FROM users WHERE password_hash IS NOT NULL")[0].get(
                    0, as: String.self)
            }
            #expect(Argon2id.parameters(of: users.service.hasher.decoy) == Argon2id.parameters(of: stored))
        }
    }

    /// Registering answers alike; logging in with the same password must not tell what it did.
    @Test func whoRegistersAndLogsInLearnsNothingWhereAddressesAreConfirmed() async throws {
        try await withAccounts {
            $0.loginNeedsConfirmedEmail = true
        } _: { users in
            var answers: [[Browser.Answer]] = []
            for name in Self.names {
                let prober = users.browser()
                var said = [try await prober.register("\(name)@example.com", "the prober's passphrase")]
                // Until there is a wait, which comes as soon.
                for _ in 0..<7 {
                    let before = users.service.hasher.computed.value
                    let answer = try await users.browser("203.0.113.\(said.count)").logIn(
                        "\(name)@example.com", "the prober's passphrase")
                    said.append(answer)
                    #expect(
                        users.service.hasher.computed.value == before + (answer.status == .tooManyRequests ? 0 : 1))
                }
                answers.append(said)
            }
            for said in answers {
                #expect(said.map(\.status) == answers[0].map(\.status))
                #expect(said.map(\.body) == answers[0].map(\.body))
                #expect(said.map(\.headers) == answers[0].map(\.headers))
            }
            #expect(answers[0].last?.status == .tooManyRequests)
        }
    }

    @Test func whoHasConfirmedLogsIn() async throws {
        try await withUsers {
            $0.loginNeedsConfirmedEmail = true
        } _: { users in
            let browser = users.browser()
            #expect(try await users.signedIn(browser).code == "wrong_credentials")
            #expect(try await users.confirm(inMail: 0).status == .noContent)
            #expect(try await browser.logIn("kim@example.com", RunningUsers.password).status == .ok)
            // Who has lost the mail sets a password by another.
            _ = try await users.browser().register("lee@example.com", RunningUsers.password)
            _ = try await users.mail(1)
            _ = try await browser.send(.post, "/api/users/password/forgot", #"{"email":"lee@example.com"}"#)
            let body = #"{"code":"\#(try await users.code(inMail: 2))","newPassword":"\#(RunningUsers.password)"}"#
            #expect(try await browser.send(.post, "/api/users/password/reset", body).status == .noContent)
            #expect(try await browser.logIn("lee@example.com", RunningUsers.password).status == .ok)
        }
    }

    @Test func registeringAndAskingForMailsCostAlike() async throws {
        try await withAccounts { users in
            for name in Self.names {
                let before = users.service.hasher.computed.value
                _ = try await users.browser().send(
                    .post, "/api/users/password/forgot", #"{"email":"\#(name)@example.com"}"#)
                #expect(users.service.hasher.computed.value == before)
                _ = try await users.browser().register("\(name)@example.com", "another fine passphrase")
                #expect(users.service.hasher.computed.value == before + 1)
            }
        }
    }
}
