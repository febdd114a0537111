import Core
import Platform
import Storage
import TestSupport
import Testing

@testable import EventService

/// Whether an event is sold out follows what Reservations tells last, whatever comes when and how often.
@Suite(.timeLimit(.minutes(5))) struct AvailabilityTests {
    @Test func theLatestHoldsInWhateverOrderTheyCome() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            for id in ["a", "b"] { try await lab.addEvent(id, "밤") }
            func soldOut() async throws -> [String] { try await lab.get("/api/events?status=sold_out").ids }
            // All at once: a's latest comes first, b's last, and one is of no event.
            let messages = [
                Lab.availability("a", soldOut: true, at: 7), Lab.availability("a", soldOut: false, at: 5),
                Lab.availability("b", soldOut: false, at: 5), Lab.availability("b", soldOut: true, at: 7),
                Lab.availability("nothing", soldOut: true, at: 7),
            ]
            #expect(try await EventService.store(messages, lab.pool, lab.service.cache) == 5)
            #expect(try await soldOut() == ["a", "b"])
            // One after the other: an older one changes nothing, nor one of the same instant.
            try await lab.tell("a", soldOut: false, at: 6)
            try await lab.tell("a", soldOut: false, at: 7)
            #expect(try await soldOut() == ["a", "b"])
            try await lab.tell("a", soldOut: false, at: 8)
            #expect(try await soldOut() == ["b"])
            // Again: they are repeats.
            #expect(try await EventService.store(messages, lab.pool, lab.service.cache) == 0)
            #expect(try await soldOut() == ["b"])
        }
    }

    /// Whoever tells the same again doesn't empty the cache.
    @Test func onlyAnotherAnswerDropsWhatIsCached() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            #expect(try await lab.get("/api/events/a").text("status") == "on_sale")
            // Behind the service's back: it answers from the cache.
            try await lab.pool.withConnection { _ = try $0.execute("UPDATE events SET title = '낮'") }
            try await lab.tell("a", soldOut: false, at: 1)
            #expect(try await lab.get("/api/events/a").text("title") == "밤")
            try await lab.tell("a", soldOut: true, at: 2)
            #expect(try await lab.get("/api/events/a").text("title") == "낮")
        }
    }

    /// Over the stream, as it comes in a running service. What else is said there means nothing here.
    @Test func itArrivesOverTheBus() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            let other = Message(
                id: "other", occurredAt: Lab.start, body: .userRegistered(UserRegistered(userId: "minji")))
            let told = Lab.availability("a", soldOut: true, at: 1)
            try await lab.redis.pool.withConnection { try MessageStream.publish([other, told], on: $0) }
            let running = Task { await lab.service.run() }
            var status: String?
            for _ in 0..<1000 where status != "sold_out" {
                try await Task.sleep(for: .milliseconds(20))
                status = try await lab.get("/api/events/a").text("status")
            }
            running.cancel()
            await running.value
            #expect(status == "sold_out")
        }
    }
}
