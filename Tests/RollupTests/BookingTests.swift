import Core
import Ingest
import Storage
import TestSupport
import Testing

@testable import Rollup

/// Who reserved and who paid by event and day, against a model that adds up one message after the other.
@Suite struct BookingTests {
    private struct Key: Hashable {
        var event: String
        var day: Day
    }

    private static let start = ReportingCalendar.seoul.start(of: Day("2025-12-01")!)

    /// Confirmations and payments of three days around midnight, some canceled or refunded later, some of nobody.
    private func messages(_ count: Int, _ random: inout SeededGenerator) -> [Message] {
        (0..<count).flatMap { number in
            let instant = Self.start + Int64.random(in: 0..<3 * 86_400_000, using: &random)
            let event = ["e", "f", "\u{e9}", "e\u{301}"].randomElement(using: &random)!
            let visitor =
                Int.random(in: 0..<5, using: &random) == 0 ? nil : "v\(Int.random(in: 0..<200, using: &random))"
            let reservation = ReservationChanged(
                reservationId: "r\(number)", eventId: event, artistId: "a", visitorId: visitor)
            var messages = [Message(id: "c\(number)", occurredAt: instant, body: .reservationConfirmed(reservation))]
            if number % 7 == 0 {
                messages.append(
                    Message(id: "x\(number)", occurredAt: instant + 90_000_000, body: .reservationCanceled(reservation))
                )
            }
            guard number % 3 != 0 else { return messages }
            messages.append(
                Message(
                    id: "p\(number)", occurredAt: instant + 5000,
                    body: .paymentCompleted(
                        PaymentCompleted(
                            paymentId: "p\(number)", eventId: event, artistId: "a", amount: 1000, currency: "KRW",
                            tickets: 1, visitorId: visitor))))
            guard number % 4 == 0 else { return messages }
            messages.append(
                Message(
                    id: "b\(number)", occurredAt: instant + 90_000_000,
                    body: .paymentRefunded(
                        PaymentRefunded(
                            refundId: "b\(number)", paymentId: "p\(number)", eventId: event, artistId: "a",
                            amount: 1000,
                            currency: "KRW", tickets: 1, visitorId: visitor))))
            return messages
        }
    }

    /// Cancellations and refunds take nobody out.
    private func expected(_ messages: [Message], erased: String? = nil) -> [Key: EventBookings] {
        var expected: [Key: EventBookings] = [:]
        for message in messages {
            let day = ReportingCalendar.seoul.day(of: message.occurredAt)
            func hash(_ visitor: String?) -> UInt64? { visitor == erased ? nil : visitor.map { Murmur3.hash64($0) } }
            switch message.body {
            case .reservationConfirmed(let body):
                let key = Key(event: body.eventId.bytes, day: day)
                if let visitor = hash(body.visitorId) {
                    expected[key, default: .init()].reservers.add(hash: visitor)
                } else {
                    expected[key, default: .init()].reservationsWithoutVisitor += 1
                }
            case .paymentCompleted(let body):
                let key = Key(event: body.eventId.bytes, day: day)
                if let visitor = hash(body.visitorId) {
                    expected[key, default: .init()].payers.add(hash: visitor)
                } else {
                    expected[key, default: .init()].paymentsWithoutVisitor += 1
                }
            default: break
            }
        }
        return expected
    }

    private func stored(_ pool: PostgresPool) async throws -> [Key: EventBookings] {
        try await pool.withConnection { connection in
            var stored: [Key: EventBookings] = [:]
            for row in try connection.query("TABLE event_booking_daily") {
                let key = Key(event: try row.get(0, as: String.self).bytes, day: try row.get(1))
                stored[key] = EventBookings(
                    reservers: try VisitorSketch(bytes: row.get(2, as: [UInt8].self)),
                    payers: try VisitorSketch(bytes: row.get(3, as: [UInt8].self)),
                    reservationsWithoutVisitor: try row.get(4), paymentsWithoutVisitor: try row.get(5))
            }
            return stored
        }
    }

    private func take(_ messages: [Message], _ pool: PostgresPool) async throws {
        try await pool.withConnection { connection in
            _ = try connection.transaction { try MessageEffects.store(messages, on: $0) }
        }
    }

    /// In whatever order and in however many steps messages come, late ones too.
    @Test func rowsAreThoseOfTheModelInWhateverOrderMessagesCome() async throws {
        var random = SeededGenerator()
        print("\(random)")
        let messages = messages(400, &random)
        let shuffled = messages.shuffled(using: &random)
        let expected = expected(messages)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            for start in stride(from: 0, to: shuffled.count, by: 150) {
                try await take(Array(shuffled[start..<min(start + 150, shuffled.count)]), pool)
                _ = try await fixture.rollup.run()
            }
            #expect(try await stored(pool) == expected)
            // Delivered again: nothing changes, and nothing is to be derived.
            try await take(messages, pool)
            #expect(try await pool.count("SELECT count(*) FROM rollup_dirty") == 0)
            let dump = try await fixture.dump()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.dump() == dump)
        }
    }

    private static let damages = [
        "UPDATE event_booking_daily SET reservers = payers WHERE event_id = 'e'",
        "UPDATE event_booking_daily SET payers = '\\x1f' WHERE event_id = 'e'",
        "UPDATE event_booking_daily SET payments_without_visitor = payments_without_visitor + 1 WHERE event_id = 'e'",
        "UPDATE event_booking_daily SET reservations_without_visitor = 0 WHERE event_id = 'e'",
        "UPDATE event_booking_daily SET event_id = 'x' WHERE event_id = 'e' AND day = '2025-12-02'",
        "UPDATE event_booking_daily SET day = '2025-11-01' WHERE event_id = 'e' AND day = '2025-12-02'",
        "DELETE FROM event_booking_daily WHERE event_id = 'e'",
    ]

    @Test(arguments: damages)
    func whatIsWrongIsNamedAndRebuilt(damage: String) async throws {
        var random = SeededGenerator(seed: 5)
        let messages = messages(300, &random)
        let expected = expected(messages)
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            // A rebuild is of days that have beacons: those of the messages, and the one that a row is moved to.
            for (number, time) in ["2025-11-01T12:00:00+09:00", "2025-12-05T12:00:00+09:00"].enumerated() {
                try await fixture.store([.at(time, message: "m\(number)")], seq: Int64(number + 1))
            }
            try await take(messages, pool)
            _ = try await fixture.rollup.run()
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            try await pool.execute("\(unescaped: damage)")
            let findings = try await fixture.rollup.verify(nil).findings
            #expect(
                !findings.isEmpty && findings.allSatisfy { $0.table == "event_booking_daily" }, "\(findings.prefix(3))")
            _ = try await fixture.rollup.rebuild(nil)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await stored(pool) == expected)
        }
    }

    /// What waits to be derived is not compared.
    @Test func aDayThatWaitsIsNoFinding() async throws {
        var random = SeededGenerator(seed: 6)
        let messages = messages(30, &random)
        try await withAnalyticsDatabase { _, pool in
            try await take(messages, pool)
            let report = try await RollupFixture(pool: pool).rollup.verify(nil)
            #expect(report.findings.filter { $0.table == "event_booking_daily" }.isEmpty)
            #expect(report.dirty > 0)
        }
    }

    /// Bookings stay, of nobody; who they were is in no table and no sketch any more.
    @Test func anErasedVisitorIsInNoBooking() async throws {
        var random = SeededGenerator()
        print("\(random)")
        let messages = messages(400, &random)
        let expected = expected(messages, erased: "v7")
        let visitor = Int64(bitPattern: Murmur3.hash64("v7"))
        try await withAnalyticsDatabase { _, pool in
            let fixture = RollupFixture(pool: pool)
            try await take(messages, pool)
            _ = try await fixture.rollup.run()
            let count = try await pool.count(
                """
                SELECT (SELECT count(*) FROM reservation_states WHERE visitor = \(visitor))
                    + (SELECT count(*) FROM revenue_ledger WHERE visitor = \(visitor))
                """)
            let money = try await pool.count("SELECT sum(gross)::bigint FROM revenue_monthly")
            #expect(try await fixture.rollup.findVisitor("v7").bookings == Int(count))
            #expect(try await fixture.rollup.erase(visitor: "v7", by: "test").bookings == Int(count))
            #expect(try await stored(pool) == expected)
            #expect(try await pool.count("SELECT sum(gross)::bigint FROM revenue_monthly") == money)
            #expect(try await fixture.rollup.verify(nil).findings.isEmpty)
            #expect(try await fixture.rollup.findVisitor("v7") == Erasure.Result())
        }
    }
}

extension String {
    /// Composed and decomposed are one `String`, and two events.
    fileprivate var bytes: String { Array(utf8).map { String($0, radix: 16) }.joined(separator: ",") }
}
