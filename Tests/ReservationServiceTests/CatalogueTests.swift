import Core
import Dispatch
import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct CatalogueTests {
    private func offered(_ test: ServiceUnderTest) async throws -> [String] {
        try await test.pool.withConnection {
            try $0.query("SELECT seat_id FROM seats WHERE is_offered ORDER BY position").map { try $0.get(0) }
        }
    }

    private func upserted(_ event: TestCatalogue.Event, at instant: Int64, id: String = UUID().uuidString) -> Message {
        Message(
            id: id, occurredAt: instant,
            body: .eventUpserted(.init(eventId: event.id, title: event.title, artistId: nil, startsAt: nil)))
    }

    @Test func anEventIsCopiedOnceForManyWhoAsk() async throws {
        try await ServiceUnderTest.run { test in
            let event = TestCatalogue.Event()
            test.catalogue.put(event)
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try await test.service.copies.require(event.id) } }
                try await group.waitForAll()
            }
            #expect(test.catalogue.asked == 1)
            #expect(try await offered(test) == event.seatIds)
        }
    }

    @Test func whatIsNoEventIsAskedForSeldom() async throws {
        try await ServiceUnderTest.run { test in
            let id = UUID().uuidString.lowercased()
            for _ in 0..<5 {
                await #expect(throws: EventCopies.notFound) { try await test.service.copies.require(id) }
            }
            #expect(test.catalogue.asked == 1)
            var event = TestCatalogue.Event()
            event.id = id
            test.catalogue.put(event)
            test.clock.advance(seconds: 6)
            try await test.service.copies.require(id)
        }
    }

    @Test func aCatalogueThatIsDownStopsOnlyWhatIsNotCopied() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            test.catalogue.breakDown(true)
            _ = try await test.held(event, "minji", ["A-1-1"])
            await #expect(throws: CatalogueSource.unavailable) {
                try await test.service.copies.require(UUID().uuidString.lowercased())
            }
        }
    }

    /// A way that leads elsewhere answers 404, too: that closes no event that is being sold.
    @Test func anEventIsClosedByEventsOwnWordAlone() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            test.catalogue.misroute(true)
            _ = try await ReservationService.store(
                [upserted(event, at: test.clock.now)], test.pool, now: test.clock.now)
            #expect(try await test.service.copies.copyStale() == 0)
            _ = try await test.held(event, "minji", ["A-1-1"])
            await #expect(throws: CatalogueSource.unavailable) {
                try await test.service.copies.require(UUID().uuidString.lowercased())
            }
            test.catalogue.misroute(false)
            test.catalogue.remove(event.id)
            test.clock.advance(seconds: 1)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await test.hold(event, "minji", ["A-1-2"]) == .salesClosed)
        }
    }

    /// A seat that is sold or held is never removed by a copy.
    @Test func aChangedLayoutKeepsWhatIsSold() async throws {
        try await ServiceUnderTest.run { test in
            var event = try await test.event()
            let (sold, _) = try await test.paid(event, "minji", ["A-2-10"])
            event.seatCount = 15
            event.price = 90_000
            event.version = 2
            test.catalogue.put(event)
            #expect(
                try await ReservationService.store(
                    [upserted(event, at: test.clock.now)], test.pool, now: test.clock.now) == 1)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await test.service.copies.copyStale() == 0)
            #expect(try await offered(test) == event.seatIds)
            #expect(try await test.claims() == ["A-2-10": "\(sold) sold"])
            #expect(try await test.store.tickets(of: sold).first?.price == 110_000)
            #expect(try await test.hold(event, "jisoo", ["A-2-9"]) == .unknownSeats(["A-2-9"]))
            let map = try await test.service.maps.snapshot(event.id, for: nil)
            #expect(map?.layout.indexes.count == 16)
            // It comes back.
            event.seatCount = 20
            event.version = 3
            test.catalogue.put(event)
            _ = try await test.service.copies.copy(event.id)
            _ = try await test.held(event, "jisoo", ["A-2-9"])
            #expect(try await test.hold(event, "jisoo", ["A-2-10"]) == .taken(["A-2-10"]))
        }
    }

    @Test func anOlderVersionChangesNothing() async throws {
        try await ServiceUnderTest.run { test in
            var event = try await test.event { $0.version = 5 }
            event.version = 4
            event.seatCount = 3
            test.catalogue.put(event)
            _ = try await test.service.copies.copy(event.id)
            #expect(try await offered(test).count == 20)
        }
    }

    /// Whatever the clock of Events says: each message that is new is a change.
    @Test func eachChangeIsCopiedOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let other = upserted(TestCatalogue.Event(), at: test.clock.now)
            _ = try await ReservationService.store([other], test.pool, now: test.clock.now)
            #expect(try await test.service.copies.copyStale() == 0)
            let messages = [-86_400_000, 0, 86_400_000].map { upserted(event, at: test.clock.now + $0) }
            #expect(try await ReservationService.store(messages, test.pool, now: test.clock.now) == 3)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await ReservationService.store(messages, test.pool, now: test.clock.now) == 0)
            #expect(try await test.service.copies.copyStale() == 0)
        }
    }

    // MARK: Told of while it is fetched

    private func staleSince(_ test: ServiceUnderTest, _ event: TestCatalogue.Event) async throws -> Int64? {
        try await test.pool.withConnection {
            try $0.query("SELECT stale_since FROM events WHERE event_id = \(event.id)")[0]
                .get(0, as: PostgresTimestamp?.self)?.ms
        }
    }

    /// What was asked for before the message came may be from before the change: whether it is the version that was
    /// copied already, a later one or an older one, the event is copied again.
    @Test(arguments: [1, 2, 3] as [Int64]) func whatWasAskedForBeforeAMessageLeavesItsEventStale(
        _ version: Int64
    ) async throws {
        try await ServiceUnderTest.run { test in
            var event = try await test.event { $0.version = 2 }
            event.version = version
            let answer = try CatalogueEvent(event.json.utf8)
            // Whoever has asked has a clock that is ahead; that of Events is behind.
            let (now, asked) = (test.clock.now, test.clock.now + 3_600_000)
            let told = try await test.pool.withConnection { [id = event.id] in try EventCopies.told(of: id, on: $0) }
            _ = try await ReservationService.store([upserted(event, at: now - 3_600_000)], test.pool, now: now)
            try await test.pool.withConnection { connection in
                try connection.transaction { try EventCopies.store(answer, told: told, askedAt: asked, on: $0) }
            }
            #expect(try await staleSince(test, event) == now)
            event.version = 4
            test.catalogue.put(event)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await staleSince(test, event) == nil)
        }
    }

    /// Its copy comes about after the message, and from before the change: no other message would ever tell of it.
    @Test func aChangeThatIsToldOfDuringTheFirstCopyIsNotLost() async throws {
        try await ServiceUnderTest.run { test in
            let event = TestCatalogue.Event()
            test.catalogue.put(event)
            test.catalogue.holdBack(event.id, true)
            async let first: Void = test.service.copies.require(event.id)
            while test.catalogue.asked(for: event.id) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            var changed = event
            changed.status = "canceled"
            changed.version = 2
            test.catalogue.put(changed)
            _ = try await ReservationService.store(
                [upserted(event, at: test.clock.now)], test.pool, now: test.clock.now)
            test.catalogue.holdBack(event.id, false)
            try await first
            #expect(try await staleSince(test, event) != nil)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await staleSince(test, event) == nil)
            #expect(try await test.hold(event, "minji", ["A-1-1"]) == .salesClosed)
        }
    }

    /// Told of by a process whose clock is ahead.
    @Test func aStalenessThatIsStillToComeEndsWithTheCopy() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            _ = try await ReservationService.store(
                [upserted(event, at: test.clock.now)], test.pool, now: test.clock.now + 3_600_000)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await staleSince(test, event) == nil)
        }
    }

    /// What Events says it has no more is closed, and stays to be asked for where it was told of meanwhile.
    @Test func anEventThatIsGoneAndToldOfMeanwhileIsAskedForAgain() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let told = try await test.pool.withConnection { [id = event.id] in try EventCopies.told(of: id, on: $0) }
            let now = test.clock.now
            _ = try await ReservationService.store([upserted(event, at: now)], test.pool, now: now)
            try await test.pool.withConnection { connection in
                try connection.transaction { try EventCopies.close(event.id, told: told, now: now, on: $0) }
            }
            #expect(try await test.hold(event, "minji", ["A-1-1"]) == .salesClosed)
            #expect(try await staleSince(test, event) == now)
        }
    }

    // MARK: What can't be copied

    @Test func anEventThatCannotBeCopiedStopsNoOther() async throws {
        try await ServiceUnderTest.run { test in
            // More than a step takes, and all before the good one.
            var events: [TestCatalogue.Event] = []
            for number in 0...EventCopies.maxStale {
                events.append(try await test.event { $0.id = "a\(number)" })
                test.catalogue.breakDown("a\(number)", true)
            }
            var good = try await test.event { $0.id = "z" }
            good.version = 2
            good.title = "Winter night"
            test.catalogue.put(good)
            let told = (events + [good]).map { upserted($0, at: test.clock.now) }
            #expect(try await ReservationService.store(told, test.pool, now: test.clock.now) == told.count)
            #expect(try await test.service.copies.copyStale() == 0)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(try await staleSince(test, good) == nil)
            // Each waits twice as long as before, up to the bound.
            func asked() -> Int { test.catalogue.asked(for: "a0") }
            func step() async throws {
                for _ in 0..<2 { #expect(try await test.service.copies.copyStale() == 0) }
            }
            #expect(asked() == 2)
            var wait = EventCopies.retryMs.lowerBound
            for attempt in 3...14 {
                test.clock.turn(to: test.clock.now + wait - 1)
                try await step()
                #expect(asked() == attempt - 1)
                test.clock.turn(to: test.clock.now + 1)
                try await step()
                #expect(asked() == attempt)
                wait = min(2 * wait, EventCopies.retryMs.upperBound)
            }
            #expect(wait == EventCopies.retryMs.upperBound)
            // Told of again it may be mended: it doesn't wait.
            test.catalogue.breakDown("a0", false)
            _ = try await ReservationService.store(
                [upserted(events[0], at: test.clock.now)], test.pool, now: test.clock.now)
            #expect(try await test.service.copies.copyStale() == 1)
            #expect(asked() == 15)
            #expect(try await staleSince(test, events[0]) == nil)
        }
    }

    // MARK: Ids that were made up

    /// However many are asked for, and however long Events takes to say no: what it has told of is copied.
    @Test func idsThatWereMadeUpTakeNothingFromEvents() async throws {
        try await ServiceUnderTest.run { test in
            let old = try await test.event()
            let new = TestCatalogue.Event()
            test.catalogue.put(new)
            let told = [old, new].map { upserted($0, at: test.clock.now) }
            _ = try await ReservationService.store(told, test.pool, now: test.clock.now)
            test.catalogue.stall(true)
            let ids = (0..<20).map { "made-up-\($0)" }
            try await withThrowingTaskGroup(of: (String, Problem?).self) { group in
                for id in ids {
                    // Two ask for each: it is one question.
                    for _ in 0..<2 {
                        group.addTask {
                            do {
                                try await test.service.copies.require(id)
                                return (id, nil)
                            } catch let problem as Problem {
                                return (id, problem)
                            }
                        }
                    }
                }
                var refused: Set<String> = []
                while refused.count < ids.count - EventCopies.maxGuesses,
                    case (let id, let problem)? = try await group.next()
                {
                    #expect(problem == .overloaded)
                    refused.insert(id)
                }
                // The first copy of an event, and the new copy of another.
                try await test.service.copies.require(new.id)
                #expect(try await test.service.copies.copyStale() == 1)
                test.catalogue.stall(false)
                let guessed = Set(ids).subtracting(refused)
                #expect(guessed.count == EventCopies.maxGuesses)
                for try await (id, problem) in group where guessed.contains(id) {
                    #expect(problem == EventCopies.notFound)
                }
                // That they are none is remembered for a while.
                for id in guessed {
                    await #expect(throws: EventCopies.notFound) { try await test.service.copies.require(id) }
                    #expect(test.catalogue.asked(for: id) == 1)
                }
            }
        }
    }

    /// Nor do they wait for the database in a crowd: those who hold seats do.
    @Test func lookupsAreBounded() async throws {
        try await ServiceUnderTest.run { test in
            let excess = 5
            try await withThrowingTaskGroup(of: Problem?.self) { group in
                let end = DispatchSemaphore(value: 0)
                let (locked, isLocked) = AsyncStream.makeStream(of: Void.self)
                async let locking: Void = test.pool.withConnection { connection in
                    try connection.transaction { connection in
                        try connection.execute("LOCK TABLE announced_events IN ACCESS EXCLUSIVE MODE")
                        isLocked.yield()
                        end.wait()
                    }
                }
                _ = await locked.first { true }
                for number in 0..<(EventCopies.maxLookups + excess) {
                    group.addTask {
                        do {
                            try await test.service.copies.require("made-up-\(number)")
                            return nil
                        } catch let problem as Problem {
                            return problem
                        }
                    }
                }
                for _ in 0..<excess { #expect(try await group.next() == .overloaded) }
                end.signal()
                try await locking
                var others = 0
                for try await problem in group {
                    #expect(problem == EventCopies.notFound || problem == .overloaded)
                    others += 1
                }
                #expect(others == EventCopies.maxLookups)
            }
        }
    }

    /// Over the stream, as it comes in a running service.
    @Test func aChangeArrivesOverTheBus() async throws {
        try await ServiceUnderTest.run { test in
            var event = try await test.event()
            event.title = "Winter night"
            event.version = 2
            test.catalogue.put(event)
            try await test.redis.pool.withConnection { [change = upserted(event, at: test.clock.now)] in
                try MessageStream.publish([change], on: $0)
            }
            let running = Task { await test.service.run() }
            var title = ""
            for _ in 0..<1000 where title != event.title {
                try await Task.sleep(for: .milliseconds(20))
                title = try await test.pool.withConnection {
                    try $0.query("SELECT title FROM events")[0].get(0)
                }
            }
            running.cancel()
            await running.value
            #expect(title == event.title)
        }
    }

    @Test(arguments: [
        #""id":"x""#, #""currency":"won""#, #""maxSeatsPerBuyer":0"#, #""price":-1"#, #""startsAt":"soon""#,
        #""section":"""#,
    ]) func whatCannotBeUnderstoodIsRefused(_ wrong: String) throws {
        let key = wrong.split(separator: ":")[0]
        var event = TestCatalogue.Event()
        event.seatCount = 1
        let pattern = try Regex("\(key):(\"[^\"]*\"|[0-9]+)")
        let json = event.json.replacing(pattern, with: wrong)
        if let read = try? CatalogueEvent(json.utf8) {
            // Whose id it is the source compares.
            #expect(wrong.hasPrefix("\"id\"") && read.id == "x")
        }
        #expect(try CatalogueEvent(event.json.utf8).seats.count == 1)
    }

    @Test func moreSeatsThanTheBoundAreRefused() throws {
        var event = TestCatalogue.Event()
        event.seatCount = CatalogueEvent.maxSeats + 1
        #expect(throws: CatalogueEvent.Malformed.self) { try CatalogueEvent(event.json.utf8) }
    }
}
