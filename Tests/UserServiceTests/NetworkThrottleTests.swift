import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

/// Who has a whole network guesses no faster for it, and keeps no neighbour out.
@Suite(.timeLimit(.minutes(5))) struct NetworkThrottleTests {
    private static let owner = "kim@example.com"

    /// One attempt at an account of its own, without the password's hash: what is counted is the same.
    private func attempt(_ users: RunningUsers, _ address: String, _ use: ThrottledUse = .logIn) async throws -> Int64 {
        let client = try #require(ClientAddress(address))
        return try await users.service.throttle.wait(ThrottleKey.places(use, client), now: users.clock.now)
    }

    /// As many attempts as crowd the network, each from another of its addresses.
    private func crowd(_ users: RunningUsers, _ use: ThrottledUse = .logIn, _ address: (Int) -> String) async throws {
        for number in 0..<use.maxAttemptsOfNetwork {
            #expect(try await attempt(users, address(number % 200), use) == 0)
        }
    }

    /// Of 65,536 addresses that are counted apart, each had twenty attempts.
    @Test func aNetworkOfManyAddressesIsCrowdedAndEachCustomerHasFewAttempts() async throws {
        try await withUsers { users in
            try await crowd(users) { "2001:db8:1:\(String($0, radix: 16))::1" }
            // The crowd has no attempt left, from whichever address of theirs; nor has another customer more than two.
            #expect(try await attempt(users, "2001:db8:1:c8::1") == 0)
            for number in 0xc9..<0xff {
                #expect(try await attempt(users, "2001:db8:1:\(String(number, radix: 16))::1") == 60_000)
            }
            var waits: [Int64] = []
            for number in 0..<5 { waits.append(try await attempt(users, "2001:db8:1:a\(number)00::1")) }
            #expect(waits == [0, 0, 0, 0, 0], "each is a customer")
            waits = []
            for number in 0..<5 { waits.append(try await attempt(users, "2001:db8:1:cd0\(number)::1")) }
            #expect(waits == [0, 0, 1000, 1000, 1000])
            // Through the route, as anybody sees it.
            let status = try await users.browser("2001:db8:1:cd09::1").logIn("lee@example.com", "a guess").status
            #expect(status == .tooManyRequests)
            // Another network, and another use, is in peace.
            for _ in 0..<5 { #expect(try await attempt(users, "2001:db8:2::1") == 0) }
            for _ in 0..<5 { #expect(try await attempt(users, "2001:db8:1:cd09::1", .asking) == 0) }
            // It passes.
            users.clock.advance(seconds: 3600)
            for _ in 0..<5 { #expect(try await attempt(users, "2001:db8:1:cd09::1") == 0) }
        }
    }

    @Test(arguments: ThrottledUse.allCases)
    func mappedAddressesAndPlainOnesAreOneNetwork(_ use: ThrottledUse) async throws {
        try await withUsers { users in
            try await crowd(users, use) { $0 % 2 == 0 ? "203.0.113.\($0)" : "::ffff:203.0.113.\($0)" }
            var waits: [Int64] = []
            for number in 0..<use.policy.free / 10 + 1 {
                waits.append(try await attempt(users, (number % 2 == 0 ? "" : "::ffff:") + "203.0.113.250", use))
            }
            #expect(waits.dropLast().allSatisfy { $0 == 0 } && waits.last == 1000)
        }
    }

    /// In a crowded network a known browser notices nothing, and a right password from a new one gets in.
    @Test func aCrowdKeepsNoNeighbourOut() async throws {
        try await withUsers { users in
            let known = users.browser("203.0.113.251")
            _ = try await users.signedIn(known, Self.owner)
            try await crowd(users) { "203.0.113.\($0)" }
            for number in 0..<200 { _ = try await attempt(users, "203.0.113.\(number)") }
            for _ in 0..<10 { #expect(try await known.logIn(Self.owner, RunningUsers.password).status == .ok) }
            for _ in 0..<5 {
                #expect(
                    try await users.browser("203.0.113.252").logIn(Self.owner, RunningUsers.password).status == .ok)
            }
            // By mail, too.
            try await crowd(users, .asking) { "203.0.113.\($0)" }
            #expect(
                try await users.browser("203.0.113.253").send(
                    .post, "/api/users/password/forgot", #"{"email":"\#(Self.owner)"}"#
                ).status == .accepted)
        }
    }

    /// A neighbour who takes each turn as soon as it comes, for hours.
    @Test(arguments: ThrottledUse.allCases)
    func oneNeighbourMakesNoCrowd(_ use: ThrottledUse) async throws {
        try await withUsers { users in
            var attempts = 0
            while attempts < use.maxAttemptsOfNetwork * 3 / 2 {
                let wait = try await attempt(users, "203.0.113.66", use)
                if wait > 0 { users.clock.advance(seconds: wait / 1000) } else { attempts += 1 }
            }
            // In a crowd there would be a tenth of these.
            for _ in 0..<use.policy.free { #expect(try await attempt(users, "203.0.113.1", use) == 0) }
            #expect(try await attempt(users, "203.0.113.1", use) > 0)
        }
    }

    /// Whoever comes often keeps none from being forgotten.
    @Test func attemptsOfANetworkAreForgottenOneByOne() {
        let policy = ThrottlePolicy.endless(forgetMs: 3_600_000, recoverMs: 20_000)
        var state = ThrottleState.none
        var now: Int64 = 1_000_000
        for _ in 0..<100 { state.count(policy, now: now) }
        #expect(state.attempts(now: now + 19_999, policy) == 100)
        #expect(state.attempts(now: now + 20_000, policy) == 99)
        #expect(state.attempts(now: now + 3_599_999, policy) == 0)
        // Ten attempts in each 190 seconds, in which nine and a half are forgotten.
        for _ in 0..<20 {
            for _ in 0..<10 {
                now += 19_000
                state.count(policy, now: now)
            }
        }
        #expect(state.attempts == 110)
        #expect(state.wait(now: now) == 0)
        // A clock that is behind forgets none, and adds none.
        #expect(state.attempts(now: now - 60_000, policy) == 110)
        state.forgive(now: now)
        #expect(state.attempts(now: now, policy) == 109)
        // None is owed where there were none.
        state = .none
        state.count(policy, now: 7)
        state.count(policy, now: 50_000)
        #expect(state.attempts == 1 && state.lastAt == 50_000)
    }

    /// Right ones are taken back, but not without end: each is a hash, a session and a message.
    @Test func whoOnlyLogsInIsSlowedDown() async throws {
        try await withUsers { users in
            let browser = users.browser()
            _ = try await users.signedIn(browser, Self.owner)
            let free = ThrottleKey.success(userId: "").policy().free
            // One is in; the bound's is the first that makes the next wait.
            for _ in 1..<free { #expect(try await browser.logIn(Self.owner, RunningUsers.password).status == .ok) }
            let hashes = users.service.hasher.computed.value
            var statuses: [HTTPResponse.Status] = []
            for _ in 0..<8 { statuses.append(try await browser.logIn(Self.owner, RunningUsers.password).status) }
            #expect(statuses == Array(repeating: .ok, count: 5) + Array(repeating: .tooManyRequests, count: 3))
            #expect(users.service.hasher.computed.value == hashes + 5)
            users.clock.advance(seconds: 1)
            #expect(try await browser.logIn(Self.owner, RunningUsers.password).status == .ok)
        }
    }

    /// Where a password is asked for again it costs as much.
    @Test func whoOnlyConfirmsWithThePasswordIsSlowedDown() async throws {
        try await withUsers { users in
            let browser = users.browser()
            let bearer = try await users.signedIn(browser, Self.owner)["accessToken"]
            let free = ThrottleKey.success(userId: "").policy().free
            for _ in 1..<free { #expect(try await browser.unlinkGoogle(bearer: bearer).status == .noContent) }
            var statuses: [HTTPResponse.Status] = []
            for _ in 0..<7 { statuses.append(try await browser.unlinkGoogle(bearer: bearer).status) }
            #expect(statuses == Array(repeating: .noContent, count: 5) + Array(repeating: .tooManyRequests, count: 2))
        }
    }
}
