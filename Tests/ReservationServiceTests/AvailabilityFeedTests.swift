import Core
import Dispatch
import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

/// Events is told when an event sells out, and when it no longer is: each once, and never of what has been overtaken.
@Suite(.timeLimit(.minutes(5))) struct AvailabilityFeedTests {
    private struct Told: Equatable {
        var soldOut: Bool
        var at: Int64
    }

    private func told(_ test: ServiceUnderTest, _ event: TestCatalogue.Event) async throws -> [Told] {
        try await test.pool.withConnection { connection in
            try connection.query(
                """
                SELECT (data::json ->> 'soldOut')::boolean, occurred_at FROM outbox
                WHERE type = 'event.availability' AND data::json ->> 'eventId' = \(event.id) ORDER BY seq
                """
            ).map { Told(soldOut: try $0.get(0), at: try $0.get(1, as: PostgresTimestamp.self).ms) }
        }
    }

    /// What the outbox has said comes back over the stream.
    private func hear(_ test: ServiceUnderTest) async throws {
        let messages = try await test.pool.withConnection { connection in
            try connection.query("SELECT message_id, type, data FROM outbox ORDER BY seq").map { row in
                try MessageDecoder.decode([
                    "id": try row.get(0), "type": try row.get(1), "occurredAt": Instant.iso8601(TestClock.start),
                    "data": try row.get(2),
                ])
            }
        }
        _ = try await ReservationService.store(messages, test.pool, now: test.clock.now)
    }

    @Test func itIsToldOnceWhenTheAnswerIsAnother() async throws {
        try await ServiceUnderTest.run { test in
            let feed = AvailabilityFeed(store: test.store)
            let event = try await test.event { $0.seatCount = 4 }
            let other = try await test.event()
            // Looked at, as they are new: there is nothing to tell.
            #expect(try await feed.step() == 2)
            #expect(try await feed.step() == 0)
            let first = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            _ = try await test.held(other, "minji", ["A-1-1"])
            try await hear(test)
            #expect(try await feed.step() == 2)
            #expect(try await told(test, event) == [])
            // The last seats are held: whether they will be paid or not, there is none to be had.
            let (second, tickets) = try await test.paid(event, "jisoo", ["A-1-3", "A-1-4"])
            let start = test.clock.now
            for _ in 0..<3 {
                try await hear(test)
                _ = try await feed.step()
            }
            #expect(try await told(test, event) == [Told(soldOut: true, at: start)])
            // One ticket of two is given back, which no message of the reservation's says. The clock has gone back.
            test.clock.turn(to: start - 5_000)
            _ = try await test.store.cancel(second, ticketIds: [tickets[0]]) { _ in true }
            #expect(try await feed.step() == 1)
            let free = Told(soldOut: false, at: start + 1)
            #expect(try await told(test, event).dropFirst() == [free])
            _ = try await test.held(event, "hana", ["A-1-3"])
            try await hear(test)
            _ = try await feed.step()
            #expect(try await told(test, event).dropFirst(2) == [Told(soldOut: true, at: start + 2)])
            // A hold ends: swept, and told of by its message.
            test.clock.advance(seconds: 3_600)
            #expect(try await Sweeper(store: test.store).step() > 0)
            #expect(try await test.state(first) == .expired)
            try await hear(test)
            _ = try await feed.step()
            #expect(try await told(test, event).last == Told(soldOut: false, at: test.clock.now))
            #expect(try await told(test, event).count == 4)
            #expect(try await told(test, other) == [])
        }
    }

    /// Seats are added, and others are no longer offered.
    @Test func anotherLayoutIsAnotherAnswer() async throws {
        try await ServiceUnderTest.run { test in
            let feed = AvailabilityFeed(store: test.store)
            var event = try await test.event { $0.seatCount = 3 }
            _ = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            for (seats, soldOut) in [(2, [true]), (3, [true, false]), (0, [true, false])] {
                event.seatCount = seats
                event.version += 1
                test.catalogue.put(event)
                _ = try await test.service.copies.copy(event.id)
                _ = try await feed.step()
                // Without any seat there is none that is taken.
                #expect(try await told(test, event).map(\.soldOut) == soldOut)
            }
        }
    }

    @Test func aStepLooksAtNoMoreThanItsBound() async throws {
        try await ServiceUnderTest.run { test in
            for _ in 0...AvailabilityFeed.maxBatch { _ = try await test.event { $0.seatCount = 1 } }
            let feed = AvailabilityFeed(store: test.store)
            #expect(try await feed.step() == AvailabilityFeed.maxBatch)
            #expect(try await feed.step() == 1)
            #expect(try await feed.step() == 0)
        }
    }

    /// Somebody looks at an event while it is marked: what is marked may be what the look has not seen.
    @Test func aMarkIsNotLostToWhoeverIsLooking() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let end = DispatchSemaphore(value: 0)
            let (steps, looked) = AsyncStream.makeStream(of: Void.self)
            async let looking: Void = test.pool.withConnection { connection in
                try connection.transaction { connection in
                    _ = try connection.query(AvailabilityFeed.due)
                    try connection.execute("UPDATE events SET availability_due = false")
                    looked.yield()
                    end.wait()
                }
            }
            _ = await steps.first { true }
            async let marking: Void = test.pool.withConnection { connection in
                try connection.transaction { try AvailabilityFeed.mark([event.id], on: $0) }
                looked.yield()
            }
            // It waits, or it is done.
            let waiting = Task {
                while !Task.isCancelled {
                    let count = try await test.pool.withConnection { connection in
                        try connection.query(
                            """
                            SELECT count(*) FROM pg_stat_activity
                            WHERE datname = current_database() AND wait_event_type = 'Lock'
                            """)[0].get(0, as: Int64.self)
                    }
                    if count > 0 { looked.yield() }
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            _ = await steps.first { true }
            waiting.cancel()
            end.signal()
            try await looking
            try await marking
            #expect(try await AvailabilityFeed(store: test.store).step() == 1)
        }
    }

    /// In a running service, over the stream: buyers take all seats, and one gives his back.
    @Test func aRunningServiceTells() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = 4 }
            let running = Task { await test.service.run() }
            func until(_ soldOut: [Bool]) async throws {
                for _ in 0..<1000 where try await told(test, event).map(\.soldOut) != soldOut {
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try await told(test, event).map(\.soldOut) == soldOut)
            }
            let id = try await test.held(event, "minji", ["A-1-1"])
            _ = try await test.held(event, "jisoo", ["A-1-2", "A-1-3", "A-1-4"])
            try await until([true])
            _ = try await test.store.cancel(id) { _ in true }
            try await until([true, false])
            running.cancel()
            await running.value
        }
    }
}
