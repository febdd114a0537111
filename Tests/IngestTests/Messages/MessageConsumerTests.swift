import Core
import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Every message is stored once with its effect, whoever reads it how often, and none stops another.
@Suite(.timeLimit(.minutes(5))) struct MessageConsumerTests {
    // MARK: Effects

    @Test func everyTypeHasItsEffect() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.add(id: "m1", MessageFixture.payment("p1", amount: 110_000))
            try await fixture.add(
                id: "m2", type: "payment.refunded", at: "2025-12-03T01:30:00+09:00",
                """
                {"refundId":"r1","paymentId":"p1","eventId":"event_1","artistId":"artist_1","amount":55000,
                 "currency":"KRW","tickets":1}
                """)
            let reservation = #"{"reservationId":"res1","eventId":"event_1","artistId":"artist_1"}"#
            try await fixture.add(
                id: "m3", type: "reservation.confirmed", at: "2025-12-01T13:00:01+09:00", reservation)
            try await fixture.add(
                id: "m4", type: "reservation.canceled", at: "2025-12-02T13:00:01+09:00", reservation)
            try await fixture.add(id: "m5", type: "artist.upserted", #"{"artistId":"artist_1","name":"아이유 🎤"}"#)
            try await fixture.add(
                id: "m6", type: "event.upserted",
                #"{"eventId":"event_1","title":"Concert","artistId":"artist_1","startsAt":"2026-01-01T19:00:00+09:00"}"#
            )
            try await fixture.add(id: "m7", type: "user.registered", #"{"userId":"user_1"}"#)
            // Nothing is derived of it, and it is no dead letter.
            try await fixture.add(id: "m8", type: "event.availability", #"{"eventId":"event_1","soldOut":true}"#)
            try await fixture.consuming { try await fixture.untilAllConfirmed() }

            #expect(
                try await fixture.rows("TABLE revenue_ledger ORDER BY message_id") == [
                    "(m1,payment,\"2025-12-01 04:00:00+00\",artist_1,event_1,KRW,p1,1,2,110000,)",
                    "(m2,refund,\"2025-12-02 16:30:00+00\",artist_1,event_1,KRW,p1,0,-1,-55000,)",
                ])
            #expect(
                try await fixture.rows("SELECT grain, family, bucket FROM rollup_dirty ORDER BY bucket, family") == [
                    "(hour,booking,\"2025-12-01 04:00:00+00\")", "(hour,revenue,\"2025-12-01 04:00:00+00\")",
                    "(hour,revenue,\"2025-12-02 16:00:00+00\")",
                ])
            #expect(
                try await fixture.rows("TABLE reservation_states") == [
                    "(res1,event_1,artist_1,\"2025-12-01 04:00:01+00\",\"2025-12-02 04:00:01+00\",)"
                ])
            #expect(try await fixture.rows("SELECT artist_id, name FROM artist_names") == ["(artist_1,\"아이유 🎤\")"])
            #expect(
                try await fixture.rows("SELECT event_id, title, artist_id, starts_at FROM event_names") == [
                    "(event_1,Concert,artist_1,\"2026-01-01 10:00:00+00\")"
                ])
            #expect(
                try await fixture.rows("TABLE registrations") == ["(user_1,\"2025-12-01 04:00:00+00\")"])
            #expect(try await fixture.rows("SELECT 1 FROM inbox").count == 8)
            #expect(try await fixture.dead().isEmpty)
        }
    }

    /// Of the visitor the hash that sketches take, and the id itself in no table.
    @Test func aVisitorIsStoredAsAHash() async throws {
        let visitor = "b3c1-visitor"
        let hash = Int64(bitPattern: Murmur3.hash64(visitor))
        try await MessageFixture.with { fixture in
            let whose = #","visitorId":"\#(visitor)"}"#
            try await fixture.add(id: "m1", MessageFixture.payment("p1").dropLast() + whose)
            try await fixture.add(
                id: "m2", type: "payment.refunded",
                #"{"refundId":"r","paymentId":"p1","eventId":"e","artistId":"a","amount":1,"currency":"KRW","tickets":1"#
                    + whose)
            try await fixture.add(
                id: "m3", type: "reservation.confirmed",
                #"{"reservationId":"res1","eventId":"e","artistId":"a""# + whose)
            try await fixture.consuming { try await fixture.untilAllConfirmed() }
            #expect(try await fixture.rows("SELECT visitor FROM revenue_ledger") == ["(\(hash))", "(\(hash))"])
            #expect(try await fixture.rows("SELECT visitor FROM reservation_states") == ["(\(hash))"])
            for table in ["revenue_ledger", "reservation_states", "inbox", "rollup_dirty"] {
                let rows = try await fixture.rows("TABLE \(unescaped: table)")
                #expect(!rows.isEmpty && !rows.contains { $0.contains(visitor) }, "\(table)")
            }
        }
    }

    /// A reservation is whose its confirmation says, else whose its cancellation says, in whichever order they come.
    @Test(
        arguments: [
            ("a", "b", "a"), ("a", nil, "a"), (nil, "b", "b"), (nil, nil, nil),
        ] as [(String?, String?, String?)])
    func whoReservedDoesNotDependOnTheOrder(confirmed: String?, canceled: String?, expected: String?) async throws {
        func message(_ id: String, _ isConfirmed: Bool, _ visitor: String?) -> Message {
            let body = ReservationChanged(reservationId: "r", eventId: "e", artistId: "a", visitorId: visitor)
            return Message(
                id: id, occurredAt: isConfirmed ? 1_764_514_800_000 : 1_764_601_200_000,
                body: isConfirmed ? .reservationConfirmed(body) : .reservationCanceled(body))
        }
        let messages = [message("1", true, confirmed), message("2", false, canceled)]
        for order in [messages, messages.reversed()] {
            try await MessageFixture.with { fixture in
                try await fixture.pool.withConnection { connection in
                    for message in order {
                        try connection.execute("DELETE FROM rollup_dirty")
                        let stored = try connection.transaction { try MessageEffects.store([message], on: $0) }
                        #expect(stored == 1)
                    }
                }
                let hash = expected.map { "\(Int64(bitPattern: Murmur3.hash64($0)))" } ?? ""
                #expect(try await fixture.rows("SELECT visitor FROM reservation_states") == ["(\(hash))"])
                // The second message has its day derived again, unless it is a cancellation that says nothing of it.
                let isChanged = order[1].kind == .reservationConfirmed || canceled != nil
                #expect(
                    try await fixture.rows("SELECT bucket FROM rollup_dirty")
                        == (isChanged ? ["(\"2025-11-30 15:00:00+00\")"] : []))
            }
        }
    }

    @Test func namesNeverGoBackInTime() async throws {
        try await MessageFixture.with { fixture in
            for (number, (time, name)) in [("13:00", "second"), ("12:00", "first"), ("14:00", "third")].enumerated() {
                try await fixture.add(
                    id: "a\(number)", type: "artist.upserted", at: "2025-12-01T\(time):00Z",
                    "{\"artistId\":\"artist_1\",\"name\":\"\(name)\"}")
                try await fixture.add(
                    id: "e\(number)", type: "event.upserted", at: "2025-12-01T\(time):00Z",
                    "{\"eventId\":\"event_1\",\"title\":\"\(name)\"}")
                try await fixture.consuming { try await fixture.untilAllConfirmed() }
                let expected = number < 2 ? "second" : "third"
                #expect(try await fixture.rows("SELECT name FROM artist_names") == ["(\(expected))"])
                #expect(try await fixture.rows("SELECT title FROM event_names") == ["(\(expected))"])
            }
        }
    }

    // MARK: Once

    @Test func oneIdDeliveredManyTimesToTwoConsumersCountsOnce() async throws {
        try await MessageFixture.with { fixture in
            for round in 0..<30 {
                for number in 0..<20 {
                    try await fixture.add(
                        id: "m\(number)", at: "2025-12-01T\(10 + number % 5):00:00Z",
                        MessageFixture.payment("p\((number + round) % 20)"))
                }
            }
            try await fixture.consuming(as: "a") {
                try await fixture.consuming(as: "b") {
                    try await fixture.untilAllConfirmed()
                }
            }
            #expect(try await fixture.rows("SELECT message_id FROM revenue_ledger").count == 20)
            #expect(fixture.metrics.exposition().contains("tiketi_messages_stored_total 20"))
            #expect(fixture.metrics.exposition().contains("tiketi_messages_repeated_total 580"))
        }
    }

    /// Killed after the commit, before the confirmation: the entry comes again, and has no further effect.
    @Test func whatWasCommittedAndNotConfirmedHasNoSecondEffect() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.makeGroup()
            try await fixture.add(id: "m1", MessageFixture.payment())
            try await fixture.command([
                "XREADGROUP", "GROUP", .init(MessageConsumer.group), "a", "STREAMS", .init(Message.stream), ">",
            ])
            try await fixture.pool.withConnection { connection in
                let message = try MessageDecoder.decode([
                    "id": "m1", "type": "payment.completed", "occurredAt": "2025-12-01T13:00:00+09:00",
                    "data": MessageFixture.payment(),
                ])
                #expect(try connection.transaction { try MessageEffects.store([message], on: $0) } == 1)
                _ = try connection.execute("DELETE FROM rollup_dirty")
            }
            #expect(try await fixture.unconfirmed() == 1)
            try await fixture.consuming(as: "a") { try await fixture.untilAllConfirmed() }
            #expect(try await fixture.rows("TABLE revenue_ledger").count == 1)
            #expect(try await fixture.rows("TABLE rollup_dirty").isEmpty, "nothing is derived again for it")
        }
    }

    @Test func whatEveryGroupHasConfirmedIsRemovedFromTheStream() async throws {
        try await MessageFixture.with { fixture in
            var ids: [String] = []
            for number in 0..<10 {
                ids.append(try await fixture.add(id: "m\(number)", MessageFixture.payment("p\(number)")))
            }
            func left() async throws -> [String] {
                try await fixture.command(["XRANGE", .init(Message.stream), "-", "+"]).array!.map {
                    $0.array![0].string!
                }
            }
            try await fixture.consuming { try await fixture.untilAllConfirmed() }
            let consumer = fixture.consumer(redis: fixture.redis.pool)
            // Another group has been given six of them, and confirmed all but the fourth.
            try await fixture.command(["XGROUP", "CREATE", .init(Message.stream), "other", "0"])
            try await consumer.settle(keepingMs: 0)
            #expect(try await left() == ids, "it has read none")
            try await fixture.command([
                "XREADGROUP", "GROUP", "other", "x", "COUNT", "6", "STREAMS", .init(Message.stream), ">",
            ])
            try await fixture.command(
                ["XACK", .init(Message.stream), "other"] + [0, 1, 2, 4, 5].map { .init(ids[$0]) })
            try await consumer.settle(keepingMs: 0)
            #expect(try await left() == Array(ids[3...]))
            try await fixture.command(["XACK", .init(Message.stream), "other", .init(ids[3])])
            try await consumer.settle(keepingMs: 0)
            #expect(try await left() == Array(ids[5...]), "the last that was read stays, it costs nothing")
            try await fixture.add(id: "m9", MessageFixture.payment("p9"))
            try await consumer.settle()
            #expect(try await left().count == 6, "an hour of them is kept")
            // What is new is still read by both.
            try await fixture.add(id: "m10", MessageFixture.payment("p10"))
            try await fixture.consuming {
                try await fixture.until { try await fixture.rows("TABLE revenue_ledger").count == 11 }
            }
        }
    }

    @Test func howFarTheGroupIsIsKnown() async throws {
        try await MessageFixture.with { fixture in
            let consumer = fixture.consumer(redis: fixture.redis.pool)
            func through() async throws -> Int64 {
                try await consumer.settle()
                return try await fixture.pool.withConnection { connection in
                    try connection.query("SELECT handled_through FROM message_progress")[0]
                        .get(0, as: PostgresTimestamp.self).ms
                }
            }
            func milliseconds(_ id: String) -> Int64 { Int64(id.prefix { $0 != "-" })! }
            func take(_ count: Int) async throws {
                try await fixture.command([
                    "XREADGROUP", "GROUP", .init(MessageConsumer.group), "x", "COUNT", .init(Int64(count)), "STREAMS",
                    .init(Message.stream), ">",
                ])
            }
            try await fixture.makeGroup()
            // Nothing was ever added: all of it is in.
            let before = Int64(Date().timeIntervalSince1970 * 1000)
            #expect(try await through() >= before)
            var ids: [String] = []
            for number in 0..<4 {
                ids.append(try await fixture.add(id: "m\(number)", MessageFixture.payment("p\(number)")))
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await through() == 0, "none was read")
            try await take(3)
            #expect(try await through() == milliseconds(ids[0]), "none of these was handled")
            try await fixture.command(["XACK", .init(Message.stream), .init(MessageConsumer.group), .init(ids[0])])
            try await fixture.command(["XACK", .init(Message.stream), .init(MessageConsumer.group), .init(ids[2])])
            #expect(try await through() == milliseconds(ids[1]))
            try await fixture.command(["XACK", .init(Message.stream), .init(MessageConsumer.group), .init(ids[1])])
            #expect(try await through() == milliseconds(ids[2]), "the fourth was not read")
            try await take(1)
            try await fixture.command(["XACK", .init(Message.stream), .init(MessageConsumer.group), .init(ids[3])])
            #expect(try await through() >= milliseconds(ids[3]))
        }
    }

    /// More than one read's worth, some of which can't be stored: all the rest is, after a restart too.
    @Test func whatAConsumerHadTakenBeforeARestartComesFirst() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.makeGroup()
            for number in 0..<(GroupReader.maxEntries * 2 + 10) {
                try await fixture.add(id: "m\(number)", number % 7 == 0 ? "{}" : MessageFixture.payment("p\(number)"))
            }
            try await fixture.command([
                "XREADGROUP", "GROUP", .init(MessageConsumer.group), "a", "COUNT", "10000", "STREAMS",
                .init(Message.stream), ">",
            ])
            try await fixture.add(id: "after", MessageFixture.payment("after"))
            try await fixture.consuming(as: "a") { try await fixture.untilAllConfirmed() }
            #expect(try await fixture.rows("TABLE revenue_ledger").count == 523 - 75)
            #expect(try await fixture.dead().count == 75)
        }
    }

    @Test func entriesOfAConsumerThatDiedAreTakenOver() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.makeGroup()
            let ids = [
                try await fixture.add(id: "m1", MessageFixture.payment("p1")),
                try await fixture.add(id: "m2", MessageFixture.payment("p2")),
            ]
            try await fixture.command([
                "XREADGROUP", "GROUP", .init(MessageConsumer.group), "dead", "STREAMS", .init(Message.stream), ">",
            ])
            // As if that had been long ago, for the first of them.
            try await fixture.command([
                "XCLAIM", .init(Message.stream), .init(MessageConsumer.group), "dead", "0", .init(ids[0]), "IDLE",
                .init(Int64(GroupReader.takeOverMs * 2)),
            ])
            try await fixture.consuming(as: "alive") {
                try await fixture.until { try await fixture.unconfirmed() == 1 }
            }
            #expect(try await fixture.rows("SELECT message_id FROM revenue_ledger") == ["(m1)"])
        }
    }

    // MARK: Trouble

    @Test func aStreamThatIsFlushedIsReadAgainFromItsBeginning() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.add(id: "m1", MessageFixture.payment("p1"))
            try await fixture.consuming {
                try await fixture.untilAllConfirmed()
                try await fixture.command(["FLUSHDB"])
                // The outbox sends what it has not seen confirmed again.
                try await fixture.add(id: "m1", MessageFixture.payment("p1"))
                try await fixture.add(id: "m2", MessageFixture.payment("p2"))
                try await fixture.untilAllConfirmed()
                try await fixture.command(["DEL", .init(Message.stream)])
                try await fixture.add(id: "m3", MessageFixture.payment("p3"))
                try await fixture.untilAllConfirmed()
            }
            #expect(
                try await fixture.rows("SELECT message_id FROM revenue_ledger ORDER BY 1") == ["(m1)", "(m2)", "(m3)"])
        }
    }

    @Test func malformedOnesAreBuriedWithTheirReasonAndTheRestIsStored() async throws {
        try await MessageFixture.with { fixture in
            var buried: [String: String] = [:]
            try await fixture.add(id: "first", MessageFixture.payment("p1"))
            buried[try await fixture.add([("nothing", "at all")])] = "id is missing"
            buried[try await fixture.add(id: "m", type: "payment.exploded", "{}")] = "unknown type payment.exploded"
            buried[try await fixture.add(id: "m", "{}")] = "data.paymentId is missing"
            buried[try await fixture.add(id: "m", MessageFixture.payment(amount: -5))] =
                "data.amount is not between 0 and 1000000000000"
            buried[try await fixture.add(id: "m", at: "noon", MessageFixture.payment())] =
                "occurredAt is not an ISO 8601 date-time with an offset"
            let huge = String(repeating: "x", count: 200_000)
            let hugeEntry = try await fixture.add(id: "m", huge)
            buried[hugeEntry] = "data is over 65536 bytes"
            let bytes = try await fixture.add([
                ("id", RedisArgument([0x61, 0xff, 0xfe])), ("type", "user.registered"),
                ("occurredAt", "2025-12-01T13:00:00Z"), ("data", #"{"userId":"u"}"#),
            ])
            buried[bytes] = "id is not UTF-8"
            buried[
                try await fixture.add((0..<500).map { ("field\($0)", "value") })] = "id is missing"
            try await fixture.add(id: "last", MessageFixture.payment("p2"))
            try await fixture.consuming { try await fixture.untilAllConfirmed() }

            #expect(
                try await fixture.rows("SELECT message_id FROM revenue_ledger ORDER BY 1") == ["(first)", "(last)"])
            let dead = try await fixture.dead()
            #expect(Dictionary(uniqueKeysWithValues: dead.map { ($0.entry, $0.reason) }) == buried)
            #expect(dead.first { $0.entry == bytes }?.fields["original.id"] == [0x61, 0xff, 0xfe], "as it came")
            #expect(
                dead.first { $0.entry == hugeEntry }?.fields["original.data"]?.count == GroupReader.maxDeadBytes)
            #expect(dead.allSatisfy { $0.fields.count <= GroupReader.maxDeadFields + 2 })
        }
    }

    @Test func oneThatPostgresRefusesIsBuriedAloneAndItsNeighboursAreKept() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.pool.withConnection { connection in
                _ = try connection.execute("ALTER TABLE artist_names ADD CHECK (name <> 'refused')")
            }
            try await fixture.add(id: "m1", MessageFixture.payment("p1"))
            try await fixture.add(id: "m2", type: "artist.upserted", #"{"artistId":"a","name":"fine"}"#)
            let refused = try await fixture.add(
                id: "m3", type: "artist.upserted", #"{"artistId":"b","name":"refused"}"#)
            try await fixture.add(id: "m4", MessageFixture.payment("p4"))
            try await fixture.consuming { try await fixture.untilAllConfirmed() }
            #expect(
                try await fixture.rows("SELECT message_id FROM inbox ORDER BY 1") == ["(m1)", "(m2)", "(m4)"],
                "what was refused may be sent again, mended")
            #expect(try await fixture.rows("SELECT artist_id FROM artist_names") == ["(a)"])
            let dead = try await fixture.dead()
            #expect(dead.map(\.entry) == [refused])
            #expect(dead[0].reason.hasPrefix("Postgres refused it: "))
        }
    }

    /// The dead-letter stream itself can't be written to: what can be read is stored all the same, the rest waits.
    @Test func aDeadLetterThatCannotBeWrittenStopsNothing() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.command(["SET", .init(Message.deadLetterStream), "no stream"])
            try await fixture.add(id: "bad", "{}")
            try await fixture.add(id: "m1", MessageFixture.payment("p1"))
            try await fixture.consuming {
                try await fixture.until {
                    let stored = try await fixture.rows("TABLE inbox").count
                    let left = try await fixture.unconfirmed()
                    return stored == 1 && left == 1
                }
                try await fixture.add(id: "m2", MessageFixture.payment("p2"))
                try await fixture.until {
                    let stored = try await fixture.rows("TABLE inbox").count
                    let left = try await fixture.unconfirmed()
                    return stored == 2 && left == 1
                }
            }
            try await fixture.command(["DEL", .init(Message.deadLetterStream)])
            try await fixture.consuming { try await fixture.untilAllConfirmed() }
            #expect(try await fixture.dead().map(\.reason) == ["data.paymentId is missing"])
        }
    }

    /// Postgres fails a statement for reasons of its own: nothing is buried, and it is tried again.
    @Test func whatIsNotTheMessagesFaultIsTriedAgain() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.pool.withConnection { connection in
                _ = try connection.execute("ALTER TABLE revenue_ledger RENAME TO elsewhere")
            }
            try await fixture.add(id: "m1", MessageFixture.payment("p1"))
            try await fixture.consuming {
                try await fixture.until { try await fixture.unconfirmed() == 1 }
                try await fixture.pool.withConnection { connection in
                    _ = try connection.execute("ALTER TABLE elsewhere RENAME TO revenue_ledger")
                }
                try await fixture.untilAllConfirmed()
            }
            #expect(try await fixture.rows("TABLE revenue_ledger").count == 1)
            #expect(try await fixture.dead().isEmpty)
        }
    }
}
