import Core
import Testing

@testable import Ingest

/// What a batch adds to the counters: page views by reporting day, of days whose counters still live.
@Suite struct CounterDeltasTests {
    /// 2025-12-05T12:00+09:00
    static let now = Instant.parse("2025-12-05T12:00:00+09:00")!

    private func deltas(_ beacons: [Beacon], zone: String = "Asia/Seoul") throws -> CounterDeltas {
        CounterDeltas(.of(beacons), calendar: try ReportingCalendar(identifier: zone), now: Self.now)
    }

    @Test func pageViewsAreCountedByReportingDay() throws {
        let deltas = try deltas([
            .view("2025-12-05T00:00:00+09:00"), .view("2025-12-04T23:59:59+09:00"), .view("2025-12-05T11:00:00+09:00"),
            .view("2025-12-05T11:00:00+09:00", artist: nil, event: "e"),
            .view("2025-12-05T11:00:00+09:00", artist: "b", event: "e"),
            .view("2025-12-05T11:00:00+09:00", type: "click"), .view("2025-12-05T11:00:00+09:00", artist: nil),
        ])
        #expect(
            deltas.views == [
                "artist:a:views:20251205": 2, "artist:a:views:20251204": 1, "artist:b:views:20251205": 1,
                "event:e:views:20251205": 2,
            ])
    }

    /// Two days after its own, at midnight in the reporting zone.
    @Test(arguments: [
        ("Asia/Seoul", "2025-12-05T11:00:00+09:00", "20251205", "2025-12-08T00:00:00+09:00"),
        ("Asia/Seoul", "2025-12-03T00:00:00+09:00", "20251203", "2025-12-06T00:00:00+09:00"),
        ("America/New_York", "2025-12-04T11:00:00-05:00", "20251204", "2025-12-07T00:00:00-05:00"),
    ])
    func countersExpireTwoDaysAfterTheirDay(zone: String, at: String, day: String, expires: String) throws {
        let deltas = try deltas([.view(at)], zone: zone)
        #expect(deltas.expiry == ["artist:a:views:\(day)": Instant.parse(expires)! / 1000])
    }

    /// Written in other bytes it is another artist, as it is in the rollup.
    @Test func idsOfTheSameCharactersInOtherBytesAreCountedApart() throws {
        let ids = ["caf\u{e9}", "cafe\u{301}", "\u{ac00}", "\u{1100}\u{1161}"]
        let deltas = try deltas(
            ids.flatMap {
                [.view("2025-12-05T11:00:00+09:00", artist: $0)] + [.view("2025-12-05T11:00:00+09:00", artist: $0)]
            })
        #expect(deltas.views.count == 4)
        for id in ids { #expect(deltas.views["artist:\(id):views:20251205"] == 2) }
    }

    @Test func viewsOfDaysWhoseCountersAreGoneAddNothing() throws {
        let deltas = try deltas([
            .view("2025-12-02T23:59:59+09:00"), .view("2024-11-05T12:00:00+09:00"),
        ])
        #expect(deltas.isEmpty)
    }

    @Test func visitorsOfTheLastMinutesAreKept() throws {
        func view(_ at: String, visitor: String?) -> Beacon {
            var beacon = Beacon.view(at, type: "click")
            beacon[.visitorId] = visitor
            return beacon
        }
        let deltas = try deltas([
            view("2025-12-05T11:59:10+09:00", visitor: "v1"), view("2025-12-05T11:59:50+09:00", visitor: "v1"),
            view("2025-12-05T11:59:50+09:00", visitor: "v2"), view("2025-12-05T11:55:00+09:00", visitor: "v1"),
            view("2025-12-05T11:54:00+09:00", visitor: "v1"), view("2025-12-05T11:59:00+09:00", visitor: nil),
        ])
        let minute = Self.now / 60_000
        #expect(deltas.visitors.mapValues(\.count) == [minute - 1: 2, minute - 5: 1])
    }

    @Test func pageViewsOfTheLastMinutesAreCounted() throws {
        let deltas = try deltas([
            .view("2025-12-05T12:00:00+09:00"), .view("2025-12-05T11:59:10+09:00", artist: nil),
            .view("2025-12-05T11:59:50+09:00", artist: "b"), .view("2025-12-05T11:59:50+09:00", type: "click"),
            .view("2025-12-05T11:55:00+09:00", artist: nil), .view("2025-12-05T11:54:59+09:00", artist: nil),
        ])
        #expect(
            deltas.views.filter { $0.key.string.hasPrefix("{minutes}") } == [
                "{minutes}:page_view:202512050300": 1, "{minutes}:page_view:202512050259": 2,
                "{minutes}:page_view:202512050255": 1,
            ])
        let minute = Instant.parse("2025-12-05T11:55:00+09:00")! / 1000
        #expect(deltas.expiry["{minutes}:page_view:202512050255"] == minute + 600)
    }

    @Test func visitorsOfAMinuteAreBounded() throws {
        var builder = BeaconBatchBuilder()
        for number in 0..<(CounterDeltas.maxVisitorsPerMinute + 50) {
            var beacon = Beacon.view("2025-12-05T11:59:10+09:00")
            beacon[.visitorId] = "v\(number)"
            builder.append(beacon)
        }
        let deltas = CounterDeltas(builder.finish(), calendar: .seoul, now: Self.now)
        #expect(deltas.visitors.values.map(\.count) == [CounterDeltas.maxVisitorsPerMinute])
    }
}

extension Beacon {
    static func view(_ at: String, type: String = "page_view", artist: String? = "a", event: String? = nil) -> Beacon {
        let instant = Instant.parse(at)!
        var beacon = Beacon(receivedAt: instant, timestamp: instant)
        beacon[.eventType] = type
        beacon[.artistId] = artist
        beacon[.eventId] = event
        return beacon
    }
}

extension BeaconBatch {
    static func of(_ beacons: [Beacon]) -> BeaconBatch {
        var builder = BeaconBatchBuilder()
        for beacon in beacons { builder.append(beacon) }
        return builder.finish()
    }
}

extension CounterDeltas {
    var views: [ExactText: Int64] { Dictionary(uniqueKeysWithValues: counters.map { ($0.name, $0.views) }) }
    var expiry: [ExactText: Int64] { Dictionary(uniqueKeysWithValues: counters.map { ($0.name, $0.expires) }) }
}
