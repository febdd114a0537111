import Core
import HTTPTypes
import HummingbirdTesting
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct FastRefusalTests {
    /// It waits for a machine that is busy with other tests.
    private static func patient(_ configuration: RedisConfiguration) -> TakenSeats {
        TakenSeats(configuration, maxWait: .seconds(10), now: { 0 }, logger: testLogger)
    }

    @Test func whatWasTakenIsRefusedWithoutPostgres() async throws {
        try await withRedis { redis in
            let taken = Self.patient(redis.configuration)
            #expect(await taken.among(["a", "b"], of: "e") == [])
            await taken.note(["a", "c"], of: "e")
            #expect(await taken.among(["a", "b", "c"], of: "e") == ["a", "c"])
            #expect(await taken.among(["a"], of: "other") == [])
            await taken.forget(["a"], of: "e")
            #expect(await taken.among(["a", "c"], of: "e") == ["c"])
            await taken.shutdown()
        }
    }

    /// However wrong: a free seat is refused for no longer than a few seconds, by Redis's own clock.
    @Test func everyNoteEndsByItself() async throws {
        try await withRedis { redis in
            let taken = Self.patient(redis.configuration)
            await taken.note(["a"], of: "e")
            await taken.note(["b"], of: "e", lastingMs: 600_000)
            await taken.note(["c"], of: "e", lastingMs: 1_000)
            await taken.note(["d"], of: "e", lastingMs: 0)
            let left = try await redis.pool.withConnection { connection in
                try ["a", "b", "c", "d"].map {
                    try connection.command(["PTTL", RedisArgument("{seats:e}:taken:\($0)")]).int ?? 0
                }
            }
            #expect((1...TakenSeats.maxNoteMs).contains(left[0]))
            #expect((1...TakenSeats.maxNoteMs).contains(left[1]))
            #expect((1...1_000).contains(left[2]))
            #expect(left[3] == -2)
            await taken.shutdown()
        }
    }

    /// A stale note refuses; once it is gone the seat is sold.
    @Test func aStaleNoteIsNotAskedTwice() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let minji = try await test.token("minji")
            await test.service.taken.note(["A-1-1"], of: event.id, lastingMs: 200)
            try await test.application().test(.router) { client in
                let body = #"{"eventId":"\#(event.id)","seatIds":["A-1-1"]}"#
                var answer = try await client.ask(.post, "/api/reservations", minji, body: body)
                var refused = 0
                while answer.code == "seat_taken", refused < 1000 {
                    refused += 1
                    try await Task.sleep(for: .milliseconds(10))
                    answer = try await client.ask(.post, "/api/reservations", minji, body: body)
                }
                #expect(answer.status == 201)
            }
        }
    }

    /// Entries of another kind by the same name are no word of ours that counts.
    @Test func aWrongAnswerRefusesNobody() async throws {
        try await withRedis { redis in
            let taken = Self.patient(redis.configuration)
            try await redis.pool.withConnection { _ = try $0.command(["LPUSH", "{seats:e}:taken:a", "x"]) }
            #expect(await taken.among(["a"], of: "e") == [])
            await taken.shutdown()
        }
    }

    @Test func afterAFailureNobodyAsksForAWhile() async throws {
        let time = TestClock()
        time.turn(to: 0)
        let taken = TakenSeats(
            try RedisConfiguration(url: "redis+unix:///nowhere/redis.sock"), now: { time.now }, logger: testLogger)
        #expect(taken.isAwake)
        #expect(await taken.among(["a"], of: "e") == [])
        #expect(!taken.isAwake)
        time.turn(to: TakenSeats.restMs - 1)
        #expect(!taken.isAwake)
        time.turn(to: TakenSeats.restMs)
        #expect(taken.isAwake)
        await taken.shutdown()
    }
}
