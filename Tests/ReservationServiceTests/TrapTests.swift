import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

/// Traps of the plan that this service steps over and no other test names, each by its number.
@Suite(.timeLimit(.minutes(5))) struct TrapTests {
    /// Trap 13: who is let in is no set with one end for all. Each admission ends by itself, whoever comes after it.
    @Test func trap13EachAdmissionEndsByItself() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.needsAdmission = true }
            let (minji, jisoo) = (try await test.token("minji"), try await test.token("jisoo"))
            let early = try test.admission("minji", event.id, seconds: 60)
            test.clock.advance(seconds: 40)
            let late = try test.admission("jisoo", event.id, seconds: 60)
            test.clock.advance(seconds: 30)
            try await test.application().test(.router) { client in
                func ask(_ buyer: HTTPFields, _ token: String, _ seat: String) async throws -> TestAnswer {
                    try await client.ask(
                        .post, "/api/reservations", buyer,
                        body: #"{"eventId":"\#(event.id)","seatIds":["\#(seat)"],"admissionToken":"\#(token)"}"#)
                }
                let answers = [try await ask(minji, early, "A-1-1"), try await ask(jisoo, late, "A-1-2")]
                #expect(answers.map(\.status) == [403, 201])
                #expect(answers[0].code == "admission_invalid")
            }
        }
    }

    /// Trap 14: each key in Redis is named, lies in its event's slot, and ends by itself. None is looked for by a pattern.
    @Test func trap14TheKeysInRedisAreKnownAndEnd() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let minji = try await test.token("minji")
            try await test.application().test(.router) { client in
                let held = try await client.ask(
                    .post, "/api/reservations", minji,
                    body: #"{"eventId":"\#(event.id)","seatIds":["A-1-1","A-1-2"]}"#)
                #expect(held.status == 201)
            }
            let ends = try await test.redis.pool.withConnection { connection in
                let keys = try connection.command(["KEYS", "*"]).array?.compactMap(\.string) ?? []
                return try keys.reduce(into: [String: Int64]()) {
                    $0[$1] = try connection.command(["PTTL", .init($1)]).int
                }
            }
            #expect(Set(ends.keys) == Set(["A-1-1", "A-1-2"].map { "{seats:\(event.id)}:taken:\($0)" }))
            #expect(ends.values.allSatisfy { (1...TakenSeats.maxNoteMs).contains($0) })
        }
    }

    /// Trap 15: a path that no ingress knows is reached by nobody. These are the ones of docs/booking.md.
    @Test func trap15EveryPathIsBelowThoseThatAreRouted() async throws {
        try await ServiceUnderTest.run { test in
            let router = Router(context: ServiceContext.self)
            test.service.addRoutes(to: router)
            let heads = router.routes.map { route in
                route.path.description.split(separator: "/").prefix(2).joined(separator: "/")
            }
            #expect(
                Set(heads) == ["api/reservations", "api/seats", "api/tickets", "internal/reservations"])
        }
    }
}
