import Foundation
import Testing

@testable import tiketi

@Suite struct BenchArithmeticTests {
    @Test func everyDurationIsInABucketThatEndsAtMostThreePercentAbove() {
        var previous = -1
        for exponent in 0..<64 {
            for offset: UInt64 in [0, 1, 2, 3] {
                let step = exponent > 2 ? UInt64(1) << UInt64(exponent - 2) : 0
                let ns = (UInt64(1) << UInt64(exponent)) &+ offset &* step
                let bucket = Latencies.bucket(of: ns)
                #expect((0..<Latencies.maxBuckets).contains(bucket))
                #expect(bucket >= previous)
                previous = bucket
                let largest = Latencies.largest(in: bucket)
                #expect(largest >= ns && Double(largest - ns) <= Double(ns) / 32)
                #expect(Latencies.bucket(of: largest) == bucket)
            }
        }
        #expect(Latencies.bucket(of: 0) == 0)
        #expect(Latencies.largest(in: Latencies.bucket(of: .max)) == .max)
    }

    @Test func percentilesAreNearestRank() {
        var latencies = Latencies()
        #expect(latencies.percentile(0.99) == 0)
        for ns in 1...20 as ClosedRange<UInt64> { latencies.add(ns: ns) }
        #expect(latencies.percentile(0) == 1)
        #expect(latencies.percentile(0.5) == 10)
        #expect(latencies.percentile(0.95) == 19)
        #expect(latencies.percentile(0.951) == 20)
        #expect(latencies.percentile(1) == 20)
    }

    @Test func aPercentileIsNeverAboveTheLongest() {
        var latencies = Latencies()
        latencies.add(ns: 1_000_001)
        #expect(latencies.percentile(0.99) == 1_000_001)
    }

    @Test func mergedLatenciesAreThoseOfBoth() {
        var left = Latencies()
        var right = Latencies()
        var both = Latencies()
        for ns in 0..<100 as Range<UInt64> {
            if ns % 3 == 0 { left.add(ns: ns * ns) } else { right.add(ns: ns * ns) }
            both.add(ns: ns * ns)
        }
        left.merge(right)
        #expect(left == both)
    }

    @Test func timesSaysHowMuchBetterThanThePeerAtItsBest() {
        let rate = Figure(
            "rate", 600, "req/s", better: .higher, peers: [.init("other", 100...300), .init("faster", 1200)])
        #expect(rate.peers.map { rate.times($0) } == [2, 0.5])
        let size = Figure("size", 20, "bytes", better: .lower, peers: [.init("other", 40...60)])
        #expect(size.times(size.peers[0]) == 2)
    }

    @Test func tableAlignsNumbersToTheRight() {
        let report = BenchReport(
            name: "ingest", conditions: "in a test",
            figures: [
                Figure(
                    "acknowledged", 1_234_567.8, "req/s", better: .higher,
                    peers: [.init("nginx", 105_000...127_000), .init("RudderStack", 1700)]),
                Figure("ack p99", 4.256, "ms", better: .lower),
            ])
        #expect(
            report.table() == """
                ingest: in a test
                                 measured         peer                    theirs  times
                  acknowledged  1,234,568  req/s  nginx        105,000 – 127,000  9.72×
                                                  RudderStack              1,700   726×
                  ack p99            4.26  ms

                """)
    }

    @Test func jsonNamesEveryPeerWithItsRatio() throws {
        let figure = Figure("size", 20, "bytes", better: .lower, peers: [.init("other", 40...60)])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(figure), as: UTF8.self)
                == #"{"better":"lower","peers":[{"high":60,"low":40,"name":"other","times":2}],"unit":"bytes","value":20,"what":"size"}"#
        )
    }

    @Test(arguments: [
        (0.5, "0.50"), (0.999, "1.00"), (9.996, "10.00"), (12.34, "12.3"), (99.96, "100.0"), (100.4, "100"),
    ])
    func numbersHaveThreeDigitsOrMore(value: Double, text: String) {
        #expect(BenchReport.text(value) == text)
    }

    @Test func answersAreWholeOnlyWithTheirLastByte() {
        for (answer, status) in [
            (
                "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\ncontent-length: 14\r\n\r\n{\"accepted\":1}",
                202
            ),
            ("HTTP/1.1 204 No Content\r\nServer: nginx\r\nConnection: keep-alive\r\n\r\n", 204),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200),
        ] {
            let bytes = Array(answer.utf8)
            for count in 0..<bytes.count {
                #expect(bytes[..<count].withUnsafeBytes(HTTPAnswer.init) == nil, "\(count) bytes")
            }
            #expect(bytes.withUnsafeBytes(HTTPAnswer.init)?.status == status)
        }
    }

    @Test func wrkReportIsRead() {
        let report = """
            Running 5s test @ http://127.0.0.1:8080/track
              Latency Distribution
                 50%  623.00us
                 75%    1.02ms
                 99%    1.50s 
              300 requests in 5.00s, 1MB read
            Requests/sec:  99123.45
            Transfer/sec:     20.1MB
            """
        #expect(WrkLoad.parse(report) == WrkLoad.Result(perSecond: 99123.45, p50Ms: 0.623, p99Ms: 1500))
        #expect(WrkLoad.parse(report + "\n  Non-2xx or 3xx responses: 3") == nil)
        #expect(WrkLoad.parse("unable to connect") == nil)
    }

    @Test func sameSeedMakesTheSameBeacons() {
        var first = SyntheticBeacons(seed: 7)
        var second = SyntheticBeacons(seed: 7)
        var other = SyntheticBeacons(seed: 8)
        let beacons = (0..<100).map { _ in first.next(at: 0) }
        #expect(beacons == (0..<100).map { _ in second.next(at: 0) })
        #expect(beacons != (0..<100).map { _ in other.next(at: 0) })
    }

    @Test func singleBodiesHaveTheirSize() {
        var bodies = BeaconBodies(seed: 3, instant: 1_764_547_200_000)
        for _ in 0..<100 { #expect(bodies.single().count == BeaconBodies.singleBytes) }
    }
}
