import Core
import NIOCore
import Platform
import Testing

@testable import Ingest

/// The small parts of the endpoint that need no socket.
@Suite struct TrackEdgeTests {
    // MARK: Rate

    @Test func aBucketHoldsOneSecondAndRefillsEvenly() {
        let limit = RateLimit(perSecond: 4)
        let client: [UInt8] = [1, 2, 3, 4]
        let quarter: Int64 = 250_000_000
        for _ in 0..<4 { #expect(limit.take(client, nowNs: 0) == nil) }
        #expect(limit.take(client, nowNs: 0) == 1)
        #expect(limit.take(client, nowNs: quarter - 1) == 1)
        #expect(limit.take(client, nowNs: quarter) == nil)
        #expect(limit.take(client, nowNs: quarter) == 1)
        #expect(limit.take([9], nowNs: quarter) == nil)
        // However long it rests, it holds no more than a second's.
        for _ in 0..<4 { #expect(limit.take(client, nowNs: 100 * quarter) == nil) }
        #expect(limit.take(client, nowNs: 100 * quarter) == 1)
    }

    @Test func theTableOfClientsIsBounded() {
        // One set of four places: of five busy clients one is always forgotten, and none is refused for another's sake.
        let limit = RateLimit(perSecond: 1, maxClients: 4)
        for client in 0..<1000 { #expect(limit.take([UInt8(client & 255), UInt8(client >> 8)], nowNs: 0) == nil) }
        let few = RateLimit(perSecond: 1, maxClients: 4)
        for client: UInt8 in 0..<4 { #expect(few.take([client], nowNs: 0) == nil) }
        for client: UInt8 in 0..<4 { #expect(few.take([client], nowNs: 0) == 1) }
    }

    @Test func tokensAreTakenTogetherOrNotAtAll() {
        var buckets = TokenBuckets(perSecond: 10, maxKeys: 4)
        #expect(buckets.take(7, tokens: 6, nowNs: 0) == nil)
        #expect(buckets.take(7, tokens: 6, nowNs: 0) == 200_000_000)
        #expect(buckets.take(7, tokens: 4, nowNs: 0) == nil)
        // More than a bucket holds is never there.
        #expect(buckets.take(9, tokens: 11, nowNs: 0) == 100_000_000)
        #expect(buckets.take(9, tokens: 10, nowNs: 0) == nil)
    }

    // MARK: Addresses

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:8080", "192.0.2.1"), (" 192.0.2.1 ", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ])
    func addressesAreRead(_ written: String, _ canonical: String) {
        #expect(ClientAddress(written)?.text == canonical)
    }

    @Test(arguments: ["", "unknown", "192.0.2", "192.0.2.256", "[::1", "_hidden", "1.2.3.4, 5.6.7.8"])
    func otherTextIsNoAddress(_ written: String) {
        #expect(ClientAddress(written) == nil)
    }

    /// One customer holds a /64 of IPv6, and one address of IPv4, however it is written.
    @Test(arguments: [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true), ("2001:db8::1", "2001:db8:0:1::1", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("::", "0.0.0.0", false),
    ])
    func clientsAreCountedByWhatOneHolds(_ one: String, _ other: String, _ isSame: Bool) throws {
        let keys = try [one, other].map { Array(try #require(ClientAddress($0)).rateKey) }
        #expect((keys[0] == keys[1]) == isSame)
    }

    @Test func socketAddressesAreRead() throws {
        for text in ["192.0.2.1", "2001:db8::1"] {
            #expect(ClientAddress(try SocketAddress(ipAddress: text, port: 80)).text == text)
        }
        #expect(ClientAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")).text == "")
        #expect(ClientAddress(nil as SocketAddress?).text == "")
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8"])
    func malformedProxyListsAreNamed(_ entry: String) {
        #expect(throws: TrustedProxies.Malformed.self) { try TrustedProxies("127.0.0.1,\(entry)") }
    }

    @Test func theRightMostUntrustedHopIsTheClient() throws {
        let proxies = try TrustedProxies(" 10.0.0.0/8, 2001:db8::/33 ,192.0.2.7,unix")
        func client(_ peer: String, _ forwardedFor: String...) throws -> String {
            let peer = peer.isEmpty ? ClientAddress(nil as SocketAddress?) : try #require(ClientAddress(peer))
            return proxies.client(peer: peer, forwardedFor: forwardedFor).text
        }
        #expect(try client("203.0.113.1", "1.1.1.1") == "203.0.113.1")
        #expect(try client("10.1.1.1", "1.1.1.1, 2.2.2.2") == "2.2.2.2")
        #expect(try client("10.1.1.1", "1.1.1.1", "10.255.0.1,192.0.2.7") == "1.1.1.1")
        #expect(try client("11.0.0.0", "1.1.1.1") == "11.0.0.0")
        #expect(try client("2001:db8:7fff::1", "1.1.1.1") == "1.1.1.1")
        #expect(try client("2001:db8:8000::1", "1.1.1.1") == "2001:db8:8000::1")
        #expect(try client("", "1.1.1.1") == "1.1.1.1")
        #expect(try client("10.1.1.1") == "10.1.1.1")
        #expect(try client("10.1.1.1", "1.1.1.1, nonsense") == "10.1.1.1")
        #expect(try client("10.1.1.1", "") == "10.1.1.1")
        // A chain of proxies without end is followed to a bound.
        let chain = Array(repeating: "10.0.0.1", count: 1000).joined(separator: ",")
        #expect(try client("10.1.1.1", "1.1.1.1," + chain) == "10.0.0.1")
        #expect(
            TrustedProxies.none.client(peer: try #require(ClientAddress("10.1.1.1")), forwardedFor: ["1.1.1.1"]).text
                == "10.1.1.1")
    }

    // MARK: Salts

    @Test func eachReportingDayHasItsSalt() throws {
        let first = try #require(Day("2026-03-01"))
        let source = SaltSource(calendar: .seoul, days: [first: [1], first + 1: [2]], fallback: [9])
        let midnight = ReportingCalendar.seoul.start(of: first + 1)
        #expect(source.salt(at: midnight - 1) == [1])
        #expect(source.salt(at: midnight) == [2])
        #expect(source.salt(at: ReportingCalendar.seoul.start(of: first) - 1) == [9])
        #expect(source.salt(at: ReportingCalendar.seoul.start(of: first + 2)) == [9])
    }
}
