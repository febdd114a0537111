import Core
import Ingest
import Platform
import Rollup
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Query

/// Plays a script against a database of its own. At its end raw beacons and rollups must agree, and rolling up again
/// from nothing must change nothing.
final class ScriptRun {
    /// 2025-12-05 19:30 in Seoul, unless the script says otherwise.
    private static let defaultNow = "2025-12-05T19:30:00"

    private let pool: PostgresPool
    private let engine: QueryEngine
    private let rollup: Rollup
    private let file: String
    private var batches: Int64 = 0
    private var isDropped = false

    private final class Clock: Sendable {
        let now = Mutex<Int64>(0)
    }

    private let time: Clock

    private init(_ configuration: PostgresConfiguration, _ pool: PostgresPool, file: String) throws {
        let time = Clock()
        self.time = time
        self.pool = pool
        self.file = file
        engine = QueryEngine(
            database: configuration, redis: nil, calendar: .seoul, logger: testLogger,
            now: { time.now.withLock { $0 } })
        rollup = Rollup(
            postgres: pool, redis: nil, calendar: .seoul, clock: { time.now.withLock { $0 } },
            metrics: RollupMetrics(Metrics()), logger: testLogger)
        try set(clock: Self.defaultNow, line: 0)
    }

    static func play(_ text: String, file: String) async throws {
        let script = try Script(text)
        try await withAnalyticsDatabase { configuration, pool in
            let run = try ScriptRun(configuration, pool, file: file)
            do {
                for (line, step) in script.steps { try await run.play(step, line: line) }
                try await run.finish()
                await run.engine.shutdown()
            } catch {
                await run.engine.shutdown()
                throw error
            }
        }
    }

    private func play(_ step: Script.Step, line: Int) async throws {
        switch step {
        case .load(let lines): try await load(lines)
        case .messages(let lines): try await take(lines)
        case .roll: _ = try await rollup.run()
        case .clock(let text): try set(clock: text, line: line)
        case .drop(let days):
            isDropped = true
            #expect(
                try await !rollup.partitions(keepDays: days).dropped.isEmpty, "\(file):\(line): nothing was dropped")
        case .ask(let words, let expected):
            let answered = try await table(sheet(of: words, line: line), expected[0], line: line)
            #expect(answered == Array(expected[1...]), "\(file):\(line): \(words.joined(separator: " "))")
        case .refuse(let words, let field):
            do {
                _ = try await sheet(of: words, line: line)
                Issue.record("\(file):\(line): \(words.joined(separator: " ")) was answered")
            } catch let invalid as InvalidParameter {
                #expect(invalid.field == field, "\(file):\(line)")
            }
        }
    }

    private func finish() async throws {
        _ = try await rollup.run()
        #expect(try await rollup.verify(nil).findings.isEmpty, "\(file): verify")
        // What is dropped can't be counted again.
        if !isDropped { #expect(try await rollup.rebuild(nil).changedHours == 0, "\(file): rebuild") }
    }

    // MARK: Loading

    /// In Seoul where no offset is told.
    private static func instant(_ text: String, line: Int) throws -> Int64 {
        let seconds = text.split(separator: ":").count == 2 ? text + ":00" : text
        for candidate in [text, text + "+09:00", seconds + "+09:00"] {
            if let instant = Instant.parse(candidate) { return instant }
        }
        throw Script.Malformed(line: line, what: "\(text) is no instant")
    }

    private func set(clock text: String, line: Int) throws {
        let instant = try Self.instant(text, line: line)
        time.now.withLock { $0 = instant }
    }

    private func load(_ lines: [Script.Fields]) async throws {
        var builder = BeaconBatchBuilder()
        var receivedFirst: Int64?
        for fields in lines {
            var fields = fields
            let claimed = try Self.instant(fields.time, line: fields.line)
            let receivedAt = try fields.take("received").map { try Self.instant($0, line: fields.line) } ?? claimed
            let isStamped = fields.take("stamped") == "yes"
            var beacon = Beacon(
                receivedAt: receivedAt, timestamp: min(claimed, receivedAt), claimed: claimed,
                flags: isStamped ? .stamped : [])
            beacon[.eventType] = fields.kind
            let names: [(String, BeaconBatch.Text)] = [
                ("artist", .artistId), ("event", .eventId), ("visitor", .visitorId), ("session", .sessionId),
                ("message", .messageId), ("path", .path), ("referrer", .referrer), ("country", .country),
                ("agent", .userAgent),
            ]
            for (name, text) in names { beacon[text] = fields.take(name) }
            try fields.finish()
            builder.append(beacon)
            receivedFirst = receivedFirst ?? receivedAt
        }
        batches += 1
        let batch = BatchStore.Batch(
            node: "script", firstSeq: batches, lastSeq: batches, receivedAt: receivedFirst!,
            encoding: builder.finish())
        let isStored = try await pool.withConnection { connection in
            _ = try BatchStore.ensurePartition(of: batch.receivedDay, on: connection)
            return try BatchStore.storeImported(batch, on: connection)
        }
        #expect(isStored)
    }

    private func take(_ lines: [Script.Fields]) async throws {
        for fields in lines {
            var fields = fields
            let body = try Self.body(&fields)
            let message = Message(
                id: try fields.need("id"), occurredAt: try Self.instant(fields.time, line: fields.line), body: body)
            try fields.finish()
            try await pool.withConnection { connection in
                _ = try connection.transaction { try MessageEffects.store([message], on: $0) }
            }
        }
    }

    private static func body(_ fields: inout Script.Fields) throws -> Message.Body {
        func integer(_ name: String) throws -> Int64 {
            guard let value = Int64(try fields.need(name)) else {
                throw Script.Malformed(line: fields.line, what: "\(name) is no whole number")
            }
            return value
        }
        switch fields.kind {
        case "payment":
            return .paymentCompleted(
                PaymentCompleted(
                    paymentId: try fields.need("payment"), eventId: try fields.need("event"),
                    artistId: try fields.need("artist"), amount: try integer("amount"),
                    currency: fields.take("currency") ?? "KRW", tickets: try integer("tickets"),
                    visitorId: fields.take("visitor")))
        case "confirm", "cancel":
            let body = ReservationChanged(
                reservationId: try fields.need("reservation"), eventId: try fields.need("event"),
                artistId: try fields.need("artist"), visitorId: fields.take("visitor"))
            return fields.kind == "confirm" ? .reservationConfirmed(body) : .reservationCanceled(body)
        case "refund":
            return .paymentRefunded(
                PaymentRefunded(
                    refundId: try fields.need("refund"), paymentId: try fields.need("payment"),
                    eventId: try fields.need("event"), artistId: try fields.need("artist"),
                    amount: try integer("amount"), currency: fields.take("currency") ?? "KRW",
                    tickets: try integer("tickets"), visitorId: fields.take("visitor")))
        case "artist":
            return .artistUpserted(ArtistUpserted(artistId: try fields.need("artist"), name: try fields.need("name")))
        default: throw Script.Malformed(line: fields.line, what: "\(fields.kind) is no message")
        }
    }

    // MARK: Asking

    /// `traffic artist=iu startDate=…`, `revenue period=daily`, `top by=artist`: the names are the API's.
    private func sheet(of words: [String], line: Int) async throws -> Sheet {
        var pairs: [(name: String, value: String)] = []
        for word in words[1...] {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Script.Malformed(line: line, what: "\(word) is not name=value") }
            pairs.append((parts[0], parts[1]))
        }
        switch words[0] {
        case "traffic":
            var subject = TrafficSubject.site
            if let place = pairs.firstIndex(where: { $0.name == "artist" }) {
                subject = .artist(pairs.remove(at: place).value)
            } else if let place = pairs.firstIndex(where: { $0.name == "event" }) {
                subject = .event(pairs.remove(at: place).value)
            }
            let parameters = try QueryParameters(pairs, known: TrafficQuestion.parameterNames)
            return try await engine.traffic(TrafficQuestion(subject: subject, parameters)).sheet
        case "revenue":
            let parameters = try QueryParameters(pairs, known: RevenueQuestion.parameterNames)
            let answer = try await engine.revenue(RevenueQuestion(parameters))
            var sheet = answer.sheet
            sheet.columns.append(.number("growthRate", "growth"))
            sheet.rows = sheet.rows.map { $0 + [.text(nil)] }
            sheet.footer?.append(.change(answer.growthRate))
            return sheet
        case "top":
            let parameters = try QueryParameters(pairs, known: TopQuestion.parameterNames)
            return try await engine.top(TopQuestion(parameters)).sheet
        case "funnel":
            guard let place = pairs.firstIndex(where: { $0.name == "event" }) else {
                throw Script.Malformed(line: line, what: "a funnel is of an event")
            }
            let event = pairs.remove(at: place).value
            let parameters = try QueryParameters(pairs, known: FunnelQuestion.parameterNames)
            return try await engine.funnel(FunnelQuestion(eventID: event, parameters)).sheet
        default: throw Script.Malformed(line: line, what: "\(words[0]) is no question")
        }
    }

    /// The named columns of each row, and of the footer where there is one.
    private func table(_ sheet: Sheet, _ names: [String], line: Int) throws -> [[String]] {
        let places = try names.map { name in
            guard let place = sheet.columns.firstIndex(where: { $0.name == name }) else {
                throw Script.Malformed(
                    line: line, what: "\(name) is none of \(sheet.columns.map(\.name).joined(separator: ", "))")
            }
            return place
        }
        return (sheet.rows + (sheet.footer.map { [$0] } ?? [])).map { row in places.map { Self.text(row[$0]) } }
    }

    private static func text(_ cell: Sheet.Cell) -> String {
        switch cell {
        case .text(let value): value.map { $0.isEmpty ? "-" : $0 } ?? "-"
        case .count(let value), .money(let value, currency: _), .seconds(let value): value.map(String.init) ?? "-"
        case .change(let value): value.map(NumberText.tenths) ?? "-"
        }
    }
}
