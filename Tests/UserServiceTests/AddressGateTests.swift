import HTTPTypes
import Platform
import TestSupport
import Testing

@testable import UserService

/// What an address or a network may send before anything of it is read.
@Suite(.timeLimit(.minutes(5))) struct AddressGateTests {
    private static let bounds = AddressGate.Bounds.usual

    private func address(_ text: String) throws -> ClientAddress { try #require(ClientAddress(text)) }

    @Test func addressesThatAreCountedAreBounded() throws {
        let gate = AddressGate(Self.bounds)
        func numbered(_ number: Int) throws -> ClientAddress {
            try address("10.\(number >> 16).\(number >> 8 & 255).\(number & 255)")
        }
        for number in 0..<AddressGate.maxCounted { #expect(gate.wait(try numbered(number), now: 0) == nil) }
        // One more is let through, however often, until its network is crowded; those that are counted still are.
        let further = try numbered(AddressGate.maxCounted)
        for _ in 0..<Self.bounds.maxRequestsOfNetwork { #expect(gate.wait(further, now: 0) == nil) }
        #expect(gate.wait(further, now: 0) == 10)
        let first = try numbered(0)
        for _ in 1..<Self.bounds.maxRequests { #expect(gate.wait(first, now: 1) == nil) }
        #expect(gate.wait(first, now: 1) == 10)
        #expect(gate.wait(first, now: AddressGate.windowMs) == nil)
        #expect(gate.wait(further, now: AddressGate.windowMs) == nil)
    }

    /// Who has a /48 has 65,536 addresses that are counted apart.
    @Test(arguments: ["2001:db8:1:%:0:0:0:1", "203.0.113.%", "::ffff:203.0.113.%"])
    func aNetworkThatSendsTooMuchIsCrowded(_ form: String) throws {
        let gate = AddressGate(Self.bounds)
        let isIPv4 = form.contains(".")
        func member(_ number: Int) throws -> ClientAddress {
            try address(form.replacing("%", with: String(number, radix: isIPv4 ? 10 : 16)))
        }
        // Ten times what one may send, from as many as there are in a /24, or in a /56.
        for number in 0..<Self.bounds.maxRequestsOfNetwork {
            #expect(gate.wait(try member(number % 200), now: 0) == nil)
        }
        // A customer who has sent nothing yet has his own measure, and no more by having many addresses.
        let customer = isIPv4 ? 250 : 0xab00
        for number in 0..<Self.bounds.maxRequestsInCrowd {
            #expect(gate.wait(try member(customer + (isIPv4 ? 0 : number)), now: 0) == nil)
        }
        #expect(gate.wait(try member(customer), now: 0) == 10)
        // Another network is another.
        #expect(gate.wait(try address(isIPv4 ? "203.0.114.1" : "2001:db8:2::1"), now: 0) == nil)
        #expect(gate.wait(try member(customer), now: AddressGate.windowMs) == nil)
    }

    /// One who never stops is refused alone: what is refused counts for nobody.
    @Test func oneAddressCrowdsNoNetwork() throws {
        let gate = AddressGate(Self.bounds)
        for _ in 0..<2 * Self.bounds.maxRequestsOfNetwork {
            _ = gate.wait(try address("203.0.113.66"), now: 0)
        }
        let neighbour = try address("203.0.113.1")
        for _ in 0..<Self.bounds.maxRequests { #expect(gate.wait(neighbour, now: 0) == nil) }
    }

    @Test func aMappedAddressIsTheIPv4AddressThatItMaps() throws {
        let (mapped, plain) = (try address("::ffff:203.0.113.9"), try address("203.0.113.9"))
        #expect(mapped.customer == plain.customer && mapped.network == plain.network)
        #expect(mapped.network != (try address("::ffff:203.0.114.9")).network)
        #expect(mapped.customer != (try address("203.0.113.10")).customer)
    }

    /// Thousands of phones behind one address stay signed in, whoever floods there.
    @Test func whoBringsASessionIsCountedApart() async throws {
        try await withUsers { users in
            let (phone, flooder) = (users.browser(), users.browser())
            _ = try await users.signedIn(phone)
            var flooded = 0
            while try await flooder.refresh().status != .tooManyRequests {
                flooded += 1
                guard flooded <= Self.bounds.maxRequests else { break }
            }
            // With what the phone has sent.
            #expect(flooded == Self.bounds.maxRequests - 2)
            #expect(try await phone.refresh().status == .ok)
            // What is no token of ours counts as none.
            for cookie in ["x", String(repeating: "A", count: 63), String(repeating: "!", count: 64)] {
                await flooder.setCookie(AuthCookie.refresh.rawValue, cookie)
                #expect(try await flooder.refresh().status == .tooManyRequests)
                #expect(try await flooder.send(.post, "/api/users/logout").status == .tooManyRequests)
            }
            #expect(
                try await phone.send(
                    .post, "/api/users/logout", headers: [HTTPField.Name("X-Tiketi-Request")!: "1"]
                ).status == .noContent)
            // A token is no way around the measure of what isn't about a session.
            await flooder.setCookie(AuthCookie.refresh.rawValue, String(repeating: "A", count: 64))
            #expect(try await flooder.send(.post, "/api/users/login", "{").status == .tooManyRequests)
        }
    }

    @Test func sessionsHaveABoundToo() throws {
        let gate = AddressGate(.sessions)
        let carrier = try address("203.0.113.1")
        for _ in 0..<AddressGate.Bounds.sessions.maxRequests { #expect(gate.wait(carrier, now: 0) == nil) }
        #expect(gate.wait(carrier, now: 0) == 10)
        #expect(AddressGate.Bounds.sessions.maxRequests > Self.bounds.maxRequests)
    }
}
