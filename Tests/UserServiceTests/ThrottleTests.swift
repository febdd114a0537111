import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

/// Guessing is slow wherever it comes from, keeps nobody out, and costs little.
@Suite(.timeLimit(.minutes(5))) struct ThrottleTests {
    private func address(_ number: Int) -> String { "10.\(number / 250).\(number % 250).1" }

    private func guess(_ users: RunningUsers, from address: String) async throws -> HTTPResponse.Status {
        try await users.browser(address).logIn("kim@example.com", "a wrong guess").status
    }

    /// Whoever hammers an account makes its owner wait nowhere but in his own part of the net.
    @Test func anOwnerWithANewBrowserGetsInWhoeverHammers() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            // From one part of the net, taking each turn as soon as it comes, for an hour.
            for _ in 0..<60 {
                for _ in 0..<8 { _ = try await guess(users, from: "203.0.113.66") }
                users.clock.advance(seconds: 60)
            }
            #expect(
                try await users.browser("203.0.113.1").logIn("kim@example.com", RunningUsers.password).status == .ok)
            for _ in 0..<8 { _ = try await guess(users, from: "203.0.113.66") }
            for address in ["198.51.100.1", "203.0.112.66", "2001:db8:1::1"] {
                #expect(
                    try await users.browser(address).logIn("kim@example.com", RunningUsers.password).status == .ok)
            }
        }
    }

    /// From everywhere at once: each part of the net has attempts of its own, but few, so that the wait of a person who
    /// comes from a fresh one, and mistypes, is bounded.
    @Test func underSiegeEachPartOfTheNetHasFewAttemptsAndItsOwn() async throws {
        try await withUsers { users in
            _ = try await users.browser().register("kim@example.com", RunningUsers.password)
            for number in 0..<ThrottleKey.maxAttemptsInPeace {
                #expect(try await guess(users, from: address(number)) == .unauthorized)
            }
            // Now two attempts each, where there were five.
            for number in 1000..<1003 {
                var statuses: [HTTPResponse.Status] = []
                for _ in 0..<4 { statuses.append(try await guess(users, from: address(number))) }
                #expect(statuses == [.unauthorized, .unauthorized, .tooManyRequests, .tooManyRequests])
            }
            let owner = users.browser("198.51.100.1")
            #expect(try await owner.logIn("kim@example.com", "mistyped").status == .unauthorized)
            #expect(try await owner.logIn("kim@example.com", "mistyped again").status == .unauthorized)
            let waiting = try await owner.logIn("kim@example.com", RunningUsers.password)
            #expect(waiting.status == .tooManyRequests && waiting.headers[.retryAfter] == "60")
            users.clock.advance(seconds: 60)
            #expect(try await owner.logIn("kim@example.com", RunningUsers.password).status == .ok)
            // His browser is known now: the siege goes on without him.
            #expect(try await owner.logIn("kim@example.com", "mistyped").status == .unauthorized)
            #expect(try await owner.logIn("kim@example.com", RunningUsers.password).status == .ok)
            // Other accounts are in peace.
            for _ in 0..<5 {
                #expect(
                    try await users.browser("192.0.2.1").logIn("lee@example.com", "a guess").status == .unauthorized)
            }
            // It is forgotten after an hour of quiet.
            users.clock.advance(seconds: 3600)
            for _ in 0..<5 { #expect(try await guess(users, from: "192.0.2.77") == .unauthorized) }
        }
    }

    /// A network is what one guesser has all of.
    @Test func partsOfTheNet() throws {
        func key(_ address: String) throws -> [UInt8] {
            ThrottleKey.account("kim@example.com", try #require(ClientAddress(address))).hash
        }
        #expect(try key("203.0.113.1") == key("203.0.113.254"))
        #expect(try key("203.0.113.1") != key("203.0.114.1"))
        #expect(try key("2001:db8:1:2::1") == key("2001:db8:1:3::9"))
        #expect(try key("2001:db8:1::1") != key("2001:db8:2::1"))
        #expect(
            ThrottleKey.account("a@example.com", .unixSocket).hash
                != ThrottleKey.account("b@example.com", .unixSocket).hash
        )
    }

    /// A siege makes nobody wait and may last: its count stays within its column.
    @Test func aCountAsLargeAsItsColumnStays() async throws {
        try await withUsers { users in
            #expect(try await guess(users, from: "203.0.113.66") == .unauthorized)
            try await users.pool.withConnection { connection in
                _ = try connection.execute(
                    "UPDATE throttles SET attempts = \(ThrottleState.maxAttempts)::bigint::integer")
            }
            #expect(try await guess(users, from: "198.51.100.1") == .unauthorized)
            #expect(
                try await users.count("SELECT max(attempts)::bigint FROM throttles") == ThrottleState.maxAttempts)
        }
    }

    /// Each refusal would else be writes, for which the attacker pays nothing.
    @Test func anAttemptThatHasToWaitWritesNothing() async throws {
        try await withUsers { users in
            for number in 0..<20 {
                _ = try await users.browser().logIn("user\(number)@example.com", "the same guess")
            }
            func written() async throws -> [String] {
                try await users.pool.withConnection { connection in
                    // Locks are written too.
                    try connection.query(
                        "SELECT xmin::text || ' ' || xmax::text || ' ' || ctid::text FROM throttles ORDER BY key"
                    ).map { try $0.get(0) }
                }
            }
            let before = try await written()
            // One siege and account for each name, and one address, customer and network.
            #expect(before.count == 43)
            for number in 20..<40 {
                // Also with names that nobody has tried.
                #expect(
                    try await users.browser().logIn("user\(number)@example.com", "the same guess").status
                        == .tooManyRequests)
            }
            #expect(try await written() == before)
        }
    }

    /// What comes beyond an address's measure is refused before it is read.
    @Test func anAddressThatSendsTooMuchIsRefusedUnread() async throws {
        try await withUsers { users in
            let flooder = users.browser()
            for _ in 0..<AddressGate.Bounds.usual.maxRequests {
                #expect(try await flooder.send(.post, "/api/users/login", "{").status == .badRequest)
            }
            let refused = try await flooder.send(.post, "/api/users/login", "{")
            #expect(refused.status == .tooManyRequests && refused.code == "too_many_requests")
            #expect(refused.headers[.retryAfter] != nil)
            #expect(try await flooder.send(.post, "/api/users/register", "{").status == .tooManyRequests)
            #expect(try await flooder.send(.get, "/api/users/profile").status == .unauthorized)
            // What writes is counted, also where it looks like a question.
            for path in ["google", "google/nonce", "google/callback"] {
                #expect(try await flooder.send(.get, "/api/users/\(path)").status == .tooManyRequests)
            }
            #expect(try await users.browser("198.51.100.1").send(.post, "/api/users/login", "{").status == .badRequest)
            users.clock.advance(seconds: AddressGate.windowMs / 1000)
            #expect(try await flooder.send(.post, "/api/users/login", "{").status == .badRequest)
        }
    }

    /// Bodies are read in one pass within bounds; the cheapest way to make them dear was many values or deep ones.
    @Test(arguments: [
        #"{"email":"# + String(repeating: "[", count: 60_000),
        #"{"email":["# + Array(repeating: "0", count: 30_000).joined(separator: ",") + "]}",
        "{" + (0..<5000).map { #""m\#($0)":0"# }.joined(separator: ",") + "}",
    ])
    func bodiesOfManyOrDeepValuesAreRefused(_ body: String) async throws {
        try await withUsers { users in
            let answer = try await users.browser().send(.post, "/api/users/login", body)
            #expect(answer.status == .badRequest || answer.status == .unprocessableContent)
            #expect(answer.body.utf8.count < 1000)
        }
    }
}
