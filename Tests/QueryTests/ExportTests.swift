import Core
import Ingest
import Platform
import Storage
import TestSupport
import Testing

@testable import Query

@Suite struct ExportTests {
    private func text(_ lab: Lab, _ query: String) async throws -> String {
        let (question, format) = try ExportQuestion.parse(query: query)
        var pieces = try lab.engine.export(question, format)
        var bytes: [UInt8] = []
        while let piece = try await pieces.next() { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let path = "/" + String(repeating: "p", count: 1000)

    /// Batches of one beacon each, folded.
    private func store(_ numbers: ClosedRange<Int64>, in lab: Lab) async throws {
        try await lab.execute("SELECT ensure_events_partition('2025-12-01')")
        try await lab.pool.withConnection { connection in
            for number in numbers {
                let instant = Instant.parse("2025-12-01T00:00:00Z")! + number
                var beacon = Beacon(receivedAt: instant, timestamp: instant)
                beacon[.eventType] = "page_view"
                beacon[.artistId] = number % 2 == 0 ? "even" : "odd"
                beacon[.messageId] = "m\(number)"
                beacon[.path] = Self.path
                var builder = BeaconBatchBuilder()
                builder.append(beacon)
                #expect(
                    try BatchStore.storeImported(
                        .init(
                            node: "n", firstSeq: number, lastSeq: number, receivedAt: instant,
                            encoding: builder.finish()),
                        on: connection))
            }
            try connection.execute(
                """
                INSERT INTO rollup_folded (received_day, node, seq, fold_seq)
                SELECT received_day, node, seq, nextval('fold_seq') FROM rollup_pending
                """)
            try connection.execute("DELETE FROM rollup_pending")
        }
    }

    private static let day = "startDate=2025-12-01&endDate=2025-12-01"

    // MARK: Answers

    @Test(arguments: [("daily", "2023-01-05"), ("weekly", "2023-01-05"), ("monthly", "2016-02-10")])
    func rowsAreThoseOfTheAnswerHoweverManyStretchesThereAre(_ granularity: String, _ start: String) async throws {
        try await Lab.with { lab in
            for (day, views) in [(start, 1), ("2024-02-29", 2), ("2025-01-01", 3), ("2025-12-05", 4)] {
                try await lab.traffic(.artist("iu"), .day, day, views: Int64(views), visitors: 0..<views)
                try await lab.traffic(.artist("iu"), .month, String(day.dropLast(2)) + "01", views: Int64(views))
                try await lab.revenue(.day, day, gross: Int64(views))
                try await lab.revenue(.month, String(day.dropLast(2)) + "01", gross: Int64(views))
            }
            let range = "startDate=\(start)&endDate=2025-12-05"
            let choice = Granularity(rawValue: granularity)!
            let traffic = try await lab.traffic(.artist("iu"), start, "2025-12-05", choice)
            #expect(
                try await text(lab, "of=traffic&artistId=iu&\(range)&granularity=\(granularity)")
                    == AnswerFormat.csv.render(traffic))
            let revenue = try await lab.revenue(start, "2025-12-05", choice)
            #expect(
                try await text(lab, "of=revenue&format=ndjson&\(range)&period=\(granularity)")
                    == AnswerFormat.ndjson.render(revenue))
        }
    }

    /// More than one answer may have.
    @Test func hoursAreNotCapped() async throws {
        try await Lab.with { lab in
            try await lab.traffic(.site, .hour, "2025-09-01T00:00:00Z", views: 5)
            try await lab.traffic(.site, .hour, "2025-12-05T00:00:00Z", views: 6)
            let lines = try await text(
                lab, "of=traffic&granularity=hourly&startDate=2025-09-01&endDate=2025-12-05"
            ).split(separator: "\r\n")
            #expect(lines.count == 1 + 96 * 24)
            #expect(lines[0] == "date,pageViews,uniqueVisitors,avgSessionDuration,sessions")
            #expect(lines[1 + 9] == "2025-09-01T09:00+09:00,5,0,0,0")
            #expect(lines[1 + 95 * 24 + 9] == "2025-12-05T09:00+09:00,6,0,0,0")
        }
    }

    @Test func rankingsTheDashboardAndFunnelsAreExported() async throws {
        try await Lab.with { lab in
            for number in 0..<150 {
                try await lab.traffic(.artist("a\(number)"), .day, "2025-12-01", views: Int64(1000 - number))
            }
            let top = try await text(lab, "of=top&by=artist&\(Self.day)").split(separator: "\r\n")
            #expect(top.count == 151)
            #expect(top.last == "150,a149,,851")
            #expect(
                try await text(lab, "of=dashboard") == AnswerFormat.csv.render(try await lab.engine.dashboard()))
            #expect(
                try await text(lab, "of=funnel&eventId=e1&\(Self.day)")
                    == "date,views,seatViews,reservations,payments,viewers,seatViewers,reservers,payers,"
                    + "reservationsWithoutVisitor,paymentsWithoutVisitor\r\n2025-12-01,0,0,0,0,0,0,0,0,0,0\r\n")
        }
    }

    @Test(
        arguments: [
            ("of=sales", "of", "of must be one of events, traffic, revenue, top, dashboard, funnel"),
            ("format=xlsx", "format", "format must be one of csv, ndjson"),
            ("of=dashboard&startDate=2025-12-01", "startDate", "startDate is not known here; allowed: of, format"),
            ("of=funnel", "eventId", "eventId is missing: a funnel is that of an event"),
            ("of=traffic&artistId=a&eventId=e", "eventId", "eventId and artistId can't be given both"),
            (
                "of=traffic&startDate=1900-01-01&endDate=2025-12-01", "startDate",
                "startDate to endDate may span at most 36600 days; these are 45991"
            ),
            (
                "of=top&by=artist&limit=10001", "limit", "limit must be a whole number from 1 to 10000"
            ),
        ] as [(String, String, String)])
    func badQuestionsNameTheirField(_ query: String, _ field: String, _ detail: String) async throws {
        try await Lab.with { lab in
            do {
                _ = try await text(lab, query)
                Issue.record("\(query) was answered")
            } catch let error as InvalidParameter {
                #expect(error.field == field)
                #expect(error.detail == detail)
            }
        }
    }

    // MARK: Raw beacons

    @Test func pagesHaveEveryBatchOnceInOrder() async throws {
        try await Lab.with { lab in
            // More than a page has.
            try await store(1...300, in: lab)
            let lines = try await text(lab, "format=ndjson&\(Self.day)").split(separator: "\n")
            #expect(lines.count == 300)
            for (number, line) in lines.enumerated() { #expect(line.contains("\"messageId\":\"m\(number + 1)\"")) }
            #expect(try await text(lab, "\(Self.day)&artistId=even&limit=149").split(separator: "\r\n").count == 150)
            #expect(try await text(lab, "\(Self.day)&artistId=none").split(separator: "\r\n").count == 1)
            #expect(try await text(lab, "format=ndjson&startDate=2025-12-02&endDate=2025-12-02") == "")
        }
    }

    /// As many readers as there may be, each in the midst of his export, hold no connection.
    @Test func aReaderWhoTakesHisTimeHoldsNoConnection() async throws {
        try await Lab.with { lab in
            try await store(1...300, in: lab)
            let (question, format) = try ExportQuestion.parse(query: "format=ndjson&\(Self.day)")
            var readers = try (0..<ExportSlots.maxExports).map { _ in try lab.engine.export(question, format) }
            var texts = [[UInt8]](repeating: [], count: readers.count)
            for index in readers.indices { texts[index] += try #require(try await readers[index].next()) }
            #expect(texts.allSatisfy { $0.count < 2 * EventLines.maxPendingBytes })
            for index in readers.indices {
                while let piece = try await readers[index].next() { texts[index] += piece }
            }
            #expect(Set(texts).count == 1)
            #expect(texts[0].count { $0 == 0x0a } == 300)
        }
    }

    @Test func whatIsFoldedMeanwhileIsLeftOut() async throws {
        try await Lab.with { lab in
            try await store(1...280, in: lab)
            let (question, format) = try ExportQuestion.parse(query: "format=ndjson&\(Self.day)")
            var pieces = try lab.engine.export(question, format)
            var bytes = try #require(try await pieces.next())
            try await store(281...300, in: lab)
            while let piece = try await pieces.next() { bytes += piece }
            #expect(bytes.count { $0 == 0x0a } == 280)
        }
    }

    @Test func aDamagedBatchIsAnErrorAndNoEnd() async throws {
        try await Lab.with { lab in
            try await store(1...300, in: lab)
            try await lab.execute("UPDATE analytics_events SET payload = 'x' WHERE seq = 290")
            let (question, format) = try ExportQuestion.parse(query: "format=ndjson&\(Self.day)")
            var pieces = try lab.engine.export(question, format)
            _ = try #require(try await pieces.next())
            await #expect(throws: (any Error).self) {
                while try await pieces.next() != nil {}
            }
        }
    }

    // MARK: Bounds

    @Test func slotsAreBoundedAndGivenBack() throws {
        let slots = ExportSlots()
        var held = try (0..<ExportSlots.maxExports).map { _ in try slots.take() }
        #expect(throws: ExportSlots.AllTaken.self) { try slots.take() }
        held.removeLast()
        held.append(try slots.take())
        #expect(throws: ExportSlots.AllTaken.self) { try slots.take() }
        held = []
        _ = try slots.take()
    }
}
