import Core
import Foundation
import Ingest
import Platform
import Rollup
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Query

/// Questions that read raw batches.
@Suite struct ScanTests {
    private func beacon(
        _ time: String, _ type: String = "page_view", artist: String? = nil, event: String? = nil,
        visitor: String? = nil, message: String? = nil, path: String? = nil, referrer: String? = nil,
        agent: String? = nil, country: String? = nil, metadata: String? = nil
    ) -> Beacon {
        let instant = Instant.parse(time)!
        var beacon = Beacon(receivedAt: instant + 250, timestamp: instant)
        for (text, value) in [
            (.eventType, type), (.artistId, artist), (.eventId, event), (.visitorId, visitor), (.messageId, message),
            (.path, path), (.referrer, referrer), (.userAgent, agent), (.country, country), (.metadata, metadata),
        ] as [(BeaconBatch.Text, String?)] {
            beacon[text] = value
        }
        return beacon
    }

    private func store(_ beacons: [Beacon], seq: Int64, in lab: Lab) async throws {
        var builder = BeaconBatchBuilder()
        for beacon in beacons { builder.append(beacon) }
        let received = beacons.map(\.receivedAt).min()!
        let batch = BatchStore.Batch(
            node: "test", firstSeq: seq, lastSeq: seq, receivedAt: received, encoding: builder.finish())
        try await lab.execute("SELECT ensure_events_partition(\(batch.receivedDay))")
        #expect(try await lab.pool.withConnection { try BatchStore.storeImported(batch, on: $0) })
    }

    private func fold(_ lab: Lab) async throws {
        let rollup = Rollup(
            postgres: lab.pool, redis: nil, calendar: .seoul, clock: { Lab.now },
            metrics: RollupMetrics(Metrics()), logger: testLogger)
        _ = try await rollup.run()
    }

    private func events(
        _ lab: Lab, _ question: EventsQuestion, _ format: AnswerFormat = .ndjson
    ) async throws -> (text: String, pieces: Int) {
        let written = Mutex<[[UInt8]]>([])
        try await lab.engine.events(question, format: format) { bytes in written.withLock { $0.append(bytes) } }
        return written.withLock { (String(decoding: $0.joined(), as: UTF8.self), $0.count) }
    }

    private static let days = Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-05")!)

    @Test func eventsAreWrittenInEveryFormat() async throws {
        try await Lab.with { lab in
            try await store(
                [
                    beacon(
                        "2025-12-01T00:00:00Z", artist: "아이유", visitor: "v,1", path: "/a \"b\"",
                        metadata: "{\"seat\": 7,\r\n \"x\":\"y\"}"),
                    beacon("2025-12-01T00:00:01Z", "seat_view", artist: "bts"),
                ], seq: 1, in: lab)
            try await fold(lab)
            let all = EventsQuestion(period: Self.days)
            #expect(
                try await events(lab, all).text
                    == #"{"timestamp":"2025-12-01T00:00:00.000Z","receivedAt":"2025-12-01T00:00:00.250Z","#
                    + #""eventType":"page_view","artistId":"아이유","eventId":null,"visitorId":"v,1","sessionId":null,"#
                    + #""messageId":null,"clientHash":null,"path":"/a \"b\"","referrer":null,"userAgent":null,"#
                    + #""country":null,"anonymous":false,"metadata":{"seat": 7,   "x":"y"}}"# + "\n"
                    + #"{"timestamp":"2025-12-01T00:00:01.000Z","receivedAt":"2025-12-01T00:00:01.250Z","#
                    + #""eventType":"seat_view","artistId":"bts","eventId":null,"visitorId":null,"sessionId":null,"#
                    + #""messageId":null,"clientHash":null,"path":null,"referrer":null,"userAgent":null,"#
                    + #""country":null,"anonymous":false,"metadata":null}"# + "\n")
            #expect(
                try await events(lab, all, .csv).text
                    == "timestamp,receivedAt,eventType,artistId,eventId,visitorId,sessionId,messageId,clientHash,path,"
                    + "referrer,userAgent,country,anonymous,metadata\r\n"
                    + "2025-12-01T00:00:00.000Z,2025-12-01T00:00:00.250Z,page_view,아이유,,\"v,1\",,,,\"/a \"\"b\"\"\",,,,false,"
                    + "\"{\"\"seat\"\": 7,\r\n \"\"x\"\":\"\"y\"\"}\"\r\n"
                    + "2025-12-01T00:00:01.000Z,2025-12-01T00:00:01.250Z,seat_view,bts,,,,,,,,,,false,\r\n")
            let json = try await events(lab, all, .json).text
            let array = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
            #expect(array?.map { $0["artistId"] as? String } == ["아이유", "bts"])
            #expect(
                try await events(lab, all, .table).text == """
                    beacons, folded

                    timestamp                 eventType  artistId  eventId  path    visitor
                    ────────────────────────  ─────────  ────────  ───────  ──────  ───────
                    2025-12-01T00:00:00.000Z  page_view  아이유    -        /a "b"  v,1
                    2025-12-01T00:00:01.000Z  seat_view  bts       -        -       -

                    """)
            #expect(try await events(lab, EventsQuestion(period: Self.days, artistID: "none"), .json).text == "[]\n")
        }
    }

    @Test func onlyFoldedBeaconsOfTheRangeAreThereOnce() async throws {
        try await Lab.with { lab in
            // The last instant of 2025-11-30 in Seoul, the first and the last of 2025-12-01, and the next.
            let times = [
                "2025-11-30T14:59:59.999Z", "2025-11-30T15:00:00.000Z", "2025-12-01T14:59:59.999Z",
                "2025-12-01T15:00:00.000Z",
            ]
            try await store(times.map { beacon($0, artist: "iu", message: $0) }, seq: 1, in: lab)
            try await fold(lab)
            try await store(
                [beacon(times[1], artist: "iu", message: times[1]), beacon(times[2], artist: "iu")], seq: 2, in: lab)
            let day = EventsQuestion(
                period: Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-01")!), artistID: "iu")
            func count() async throws -> Int { try await events(lab, day).text.split(separator: "\n").count }
            // The second batch is stored and not folded.
            #expect(try await count() == 2)
            try await fold(lab)
            #expect(try await count() == 3)
            let traffic = try await lab.traffic(.artist("iu"), "2025-12-01", "2025-12-01")
            #expect(traffic.total.pageViews == 3)
        }
    }

    @Test func limitsEndTheScanAndLeaveTheConnectionUsable() async throws {
        try await Lab.with { lab in
            for seq in 1...3 as ClosedRange<Int64> {
                try await store(
                    (0..<400).map {
                        beacon("2025-12-01T00:00:00Z", artist: "a\($0)", path: String(repeating: "p", count: 300))
                    },
                    seq: seq, in: lab)
            }
            try await fold(lab)
            for limit in [1, 399, 400, 401, 1200, 5000] {
                let written = try await events(lab, EventsQuestion(period: Self.days, limit: limit))
                #expect(written.text.split(separator: "\n").count == min(limit, 1200))
            }
            // In pieces of bounded size.
            let all = try await events(lab, EventsQuestion(period: Self.days))
            #expect(all.pieces > 5)
            let table = try await events(lab, EventsQuestion(period: Self.days), .table).text
            #expect(table.contains("the first 1,000; the formats csv and ndjson give all"))
        }
    }

    /// Random beacons with repeats in several batches: what raw batches say, the rollups say, and a plain count says.
    @Test func rawAgreesWithTheRollups() async throws {
        var random = SeededGenerator()
        var beacons: [Beacon] = []
        let start = Instant.parse("2025-11-30T10:00:00Z")!
        let agents = [nil, "iPhone Mobile", "Windows NT", "Googlebot"]
        for number in 0..<600 {
            var beacon = Beacon(
                receivedAt: 0, timestamp: start + Int64.random(in: 0..<(3 * 86_400_000), using: &random))
            beacon.receivedAt = beacon.timestamp + Int64.random(in: 0..<10_000, using: &random)
            beacon[.eventType] = ["page_view", "page_view", "seat_view"].randomElement(using: &random)!
            beacon[.artistId] = ["iu", "bts", nil].randomElement(using: &random)!
            beacon[.visitorId] = "v\(Int.random(in: 0..<90, using: &random))"
            beacon[.messageId] = "m\(number)"
            beacon[.path] = ["/", "/a", nil].randomElement(using: &random)!
            beacon[.country] = ["KR", "US", "JP", nil].randomElement(using: &random)!
            beacon[.referrer] = ["https://Naver.com/x", "http://naver.com", nil].randomElement(using: &random)!
            beacon[.userAgent] = agents.randomElement(using: &random)!
            beacons.append(beacon)
        }
        let seed = random.description
        let repeated = beacons + (0..<200).map { _ in beacons.randomElement(using: &random)! }
        let shuffled = repeated.shuffled(using: &random)
        let counted = beacons
        try await Lab.with { lab in
            for seq in 0..<8 {
                try await store(Array(shuffled[(seq * 100)..<(seq * 100 + 100)]), seq: Int64(seq + 1), in: lab)
                if seq % 3 == 0 { try await fold(lab) }
            }
            try await fold(lab)
            let period = Period(startDate: Day("2025-12-01")!, endDate: Day("2025-12-02")!)
            let range =
                ReportingCalendar.seoul.start(
                    of: Day("2025-12-01")!)..<ReportingCalendar.seoul.start(of: Day("2025-12-03")!)
            let inRange = counted.filter { range.contains($0.timestamp) }
            for artist in ["iu", "bts"] {
                let ours = inRange.filter { $0[.artistId] == artist }
                let views = Int64(ours.count { $0[.eventType] == "page_view" })
                let traffic = try await lab.engine.traffic(.init(subject: .artist(artist), period: period)).total
                #expect(traffic.pageViews == views, "\(seed)")
                #expect(traffic.uniqueVisitors == Int64(Set(ours.map { $0[.visitorId] }).count), "\(seed)")
                let raw = try await events(lab, EventsQuestion(period: period, artistID: artist)).text
                #expect(raw.split(separator: "\n").count == ours.count, "\(seed)")
                #expect(
                    raw.split(separator: "\n").count { $0.contains(#""eventType":"page_view""#) } == Int(views),
                    "\(seed)")
            }
            let keys: [(TopQuestion.Dimension, (Beacon) -> String?)] = [
                (.path, { $0[.path] }), (.country, { $0[.country] }),
                (.referrer, { $0[.referrer] == nil ? nil : "naver.com" }),
                (
                    .device,
                    {
                        ["iPhone Mobile": "mobile", "Windows NT": "desktop", "Googlebot": "bot"][$0[.userAgent] ?? ""]
                            ?? "unknown"
                    }
                ),
            ]
            for (dimension, key) in keys {
                for artist in [nil, "iu"] {
                    let ours = inRange.filter { artist == nil || $0[.artistId] == artist }
                    for metric in [TopQuestion.Metric.pageViews, .uniqueVisitors] {
                        let groups =
                            metric == .pageViews
                            ? Dictionary(grouping: ours.filter { $0[.eventType] == "page_view" }, by: key).mapValues(
                                \.count)
                            : Dictionary(grouping: ours, by: key).mapValues { Set($0.map { $0[.visitorId] }).count }
                        let rows = try await lab.engine.top(
                            TopQuestion(by: dimension, metric: metric, artistID: artist, period: period)
                        ).rows
                        let found = Dictionary(uniqueKeysWithValues: rows.map { ($0.key, Int($0.value)) })
                        #expect(found == groups, "\(dimension) \(metric) \(seed)")
                        #expect(rows.map(\.value) == rows.map(\.value).sorted(by: >), "\(seed)")
                    }
                }
            }
        }
    }

    @Test func tooManyGroupsAreRefused() throws {
        var builder = BeaconBatchBuilder()
        for number in 0..<6 { builder.append(beacon("2025-12-01T00:00:00Z", path: "/\(number % 5)")) }
        let batch = builder.finish()
        var enough = ScannedTop(TopQuestion(by: .path), maxGroups: 5)
        try enough.add(batch)
        #expect(enough.rows.map(\.value) == [2, 1, 1, 1, 1])
        var tooFew = ScannedTop(TopQuestion(by: .path), maxGroups: 4)
        #expect(
            throws: InvalidParameter(
                field: "by",
                detail:
                    "more than 4 different values of path are in this range; narrow startDate to endDate, or give artistId"
            )
        ) { try tooFew.add(batch) }
    }

    @Test func longKeysAreBoundedTogether() throws {
        let long = String(repeating: "p", count: BreakdownValue.maxBytes)
        var top = ScannedTop(TopQuestion(by: .path))
        #expect(throws: InvalidParameter.self) {
            for start in stride(from: 0, to: 40_000, by: 500) {
                var builder = BeaconBatchBuilder()
                for number in start..<start + 500 {
                    builder.append(beacon("2025-12-01T00:00:00Z", path: "\(number)\(long)"))
                }
                try top.add(builder.finish())
            }
        }
    }

    @Test func beaconsWithoutAValueComeLastAmongEquals() throws {
        var builder = BeaconBatchBuilder()
        for path in [nil, "/b", "/a"] { builder.append(beacon("2025-12-01T00:00:00Z", path: path)) }
        var top = ScannedTop(TopQuestion(by: .path))
        try top.add(builder.finish())
        #expect(top.rows.map(\.key) == ["/a", "/b", nil])
    }
}
