import Core
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
            _ = try await ReservationService.store([upserted(event, at: test.clock.now)], test.pool)
            await #expect(throws: Problem.self) { try await test.service.copies.copyStale() }
            _ = try await test.held(event, "minji", ["A-1-1"])
            await #expect(throws: CatalogueSource.unavailable) {
                try await test.service.copies.require(UUID().uuidString.lowercased())
            }
            test.catalogue.misroute(false)
            test.catalogue.remove(event.id)
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
            #expect(try await ReservationService.store([upserted(event, at: test.clock.now)], test.pool) == 1)
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

    @Test func onlyLaterChangesAreCopiedAgain() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let old = upserted(event, at: test.clock.now - EventCopies.leewayMs - 1)
            let other = upserted(TestCatalogue.Event(), at: test.clock.now)
            _ = try await ReservationService.store([old, other], test.pool)
            #expect(try await test.service.copies.copyStale() == 0)
            let new = upserted(event, at: test.clock.now + 1)
            #expect(try await ReservationService.store([new, new, old], test.pool) == 1)
            test.clock.advance(seconds: 1)
            #expect(try await test.service.copies.copyStale() == 1)
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
