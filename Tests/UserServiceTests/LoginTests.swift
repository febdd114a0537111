import HTTPTypes
import Storage
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct LoginTests {
    /// No account can be found out by logging in: neither by the answer nor by what is done for it.
    @Test func unknownAccountsAreAnsweredAsWrongPasswordsAre() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            let wrong = try await users.browser().logIn("kim@example.com", "not the passphrase")
            let unknown = try await users.browser().logIn("lee@example.com", "not the passphrase")
            #expect(wrong.status == .unauthorized && unknown.status == .unauthorized)
            #expect(wrong.body == unknown.body && wrong.headers == unknown.headers)
            // A hash of the same cost is checked for an account that isn't there.
            #expect(try await !users.service.hasher.verify("not the passphrase", nil))
        }
    }

    @Test func hashesOfOtherParametersAreRenewedWhenTheirOwnerLogsIn() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await browser.register("kim@example.com", RunningUsers.password)
            let weak = try Argon2id.hash(
                Array(RunningUsers.password.utf8), salt: Array("0123456789abcdef".utf8),
                parameters: .init(memoryKiB: 8192, passes: 1, lanes: 1))
            try await users.pool.withConnection { _ = try $0.execute("UPDATE users SET password_hash = \(weak)") }
            #expect(try await browser.logIn("kim@example.com", "not the passphrase").status == .unauthorized)
            #expect(try await browser.logIn("kim@example.com", RunningUsers.password).status == .ok)
            let renewed = try await users.pool.withConnection {
                try $0.query("SELECT password_hash FROM users")[0].get(0, as: String.self)
            }
            #expect(renewed.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
            #expect(try await browser.logIn("kim@example.com", RunningUsers.password).status == .ok)
        }
    }

    /// Guessing slows down to one attempt a minute; the owner, in a browser that has signed in before, doesn't notice.
    @Test func whoGuessesWaitsAndWhoIsKnownDoesNot() async throws {
        try await withUsers { users in
            let owner = users.browser("198.51.100.1")
            _ = try await users.signedIn(owner)
            var answers: [Browser.Answer] = []
            for number in 0..<40 {
                // Each from an address of its own.
                let guesser = users.browser("203.0.113.\(number)")
                answers.append(try await guesser.logIn("kim@example.com", "guess number \(number)"))
            }
            let tried = answers.filter { $0.status == .unauthorized }.count
            #expect(tried == 5)
            #expect(answers.last?.status == .tooManyRequests)
            #expect(answers.last?.headers[.retryAfter] == "1")
            // With the right password too, from where the account has never been used.
            #expect(
                try await users.browser("203.0.113.200").logIn("kim@example.com", RunningUsers.password).status
                    == .tooManyRequests)
            #expect(try await owner.logIn("kim@example.com", RunningUsers.password).status == .ok)
            // From the guesser's very address, and again and again.
            let roaming = users.browser("203.0.113.1")
            for (name, value) in await owner.cookies { await roaming.setCookie(name, value) }
            for _ in 0..<10 {
                #expect(try await roaming.logIn("kim@example.com", RunningUsers.password).status == .ok)
            }
            // Knocking while one has to wait makes nobody wait longer.
            users.clock.advance(seconds: 1)
            #expect(
                try await users.browser("203.0.113.201").logIn("kim@example.com", RunningUsers.password).status == .ok)
        }
    }

    @Test func aStolenDeviceCookieIsNoWayAroundTheWait() async throws {
        try await withUsers { users in
            let owner = users.browser()
            _ = try await users.signedIn(owner)
            let thief = users.browser("203.0.113.9")
            await thief.setCookie(AuthCookie.device.rawValue, await owner.cookies[AuthCookie.device.rawValue])
            var refused = 0
            for number in 0..<10
            where
                try await thief.logIn("kim@example.com", "guess number \(number)").status == .tooManyRequests
            {
                refused += 1
            }
            #expect(refused == 5)
        }
    }

    @Test func oneAddressThatTriesManyAccountsSlowsDown() async throws {
        try await withUsers { users in
            let sprayer = users.browser()
            var statuses: [HTTPResponse.Status] = []
            for number in 0..<22 {
                statuses.append(try await sprayer.logIn("user\(number)@example.com", "the same guess").status)
            }
            #expect(statuses.prefix(20).allSatisfy { $0 == .unauthorized })
            #expect(statuses.suffix(2).allSatisfy { $0 == .tooManyRequests })
        }
    }

    /// Many at once are counted before any of them is known to be wrong.
    @Test func guessesAtTheSameTimeAreNoWayAroundTheWait() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await users.browser("203.0.113.\(number)").logIn(
                            "kim@example.com", "guess \(number) of many"
                        )
                        .status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == .unauthorized }.count == 5)
            #expect(statuses.filter { $0 == .tooManyRequests }.count == 15)
        }
    }

    @Test func moreHashesThanMayWaitAreRefused() async throws {
        try await withUsers {
            $0.hashingThreads = 1
            $0.maxWaitingHashes = 1
        } _: { users in
            let statuses = try await withThrowingTaskGroup(of: Browser.Answer.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        try await users.browser("203.0.113.\(number)").logIn("kim\(number)@example.com", "any password")
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let refused = statuses.filter { $0.status == .serviceUnavailable }
            #expect(!refused.isEmpty)
            #expect(refused.allSatisfy { $0.headers[.retryAfter] != nil && $0.code == "overloaded" })
            #expect(statuses.contains { $0.status == .unauthorized })
            // An attempt that was never checked is not counted.
            #expect(try await users.count("SELECT count(*) FROM throttles WHERE attempts = 0") > 0)
        }
    }

    /// A password that is changed while a log-in with the old one is under way.
    @Test func aSessionIsOnlyBegunWithThePasswordThatWasChecked() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            try await users.pool.withConnection { connection in
                _ = try connection.execute(
                    """
                    CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN UPDATE users SET password_hash = 'changed'; RETURN NEW; END $$
                    """)
                // When the attempt is taken back: between the check and the session.
                _ = try connection.execute(
                    "CREATE TRIGGER change AFTER UPDATE ON throttles FOR EACH ROW WHEN (NEW.attempts = 0) EXECUTE FUNCTION change()"
                )
            }
            #expect(try await users.browser().logIn("kim@example.com", RunningUsers.password).status == .unauthorized)
            #expect(try await users.count("SELECT count(*) FROM sessions") == 0)
        }
    }
}
