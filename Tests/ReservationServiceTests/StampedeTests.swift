import Core
import Foundation
import HTTPTypes
import HummingbirdTesting
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

/// Many buyers for few seats, all at once.
@Suite(.timeLimit(.minutes(5))) struct StampedeTests {
    static let buyers = 300

    private struct Tally {
        var held: [String] = []
        var taken = 0
    }

    /// Everybody wants some seats of their own choice, over the routes.
    private func stampede(_ test: ServiceUnderTest, _ event: TestCatalogue.Event) async throws -> Tally {
        var random = SeededGenerator()
        print("stampede: \(random)")
        let wishes = (0..<Self.buyers).map { buyer in
            (buyer, Array(event.seatIds.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))))
        }
        return try await test.application().test(.router) { client in
            try await withThrowingTaskGroup(of: TestAnswer.self) { group in
                for (buyer, seats) in wishes {
                    let token = try await test.token("buyer \(buyer)")
                    group.addTask {
                        let list = seats.map { "\"\($0)\"" }.joined(separator: ",")
                        return try await client.ask(
                            .post, "/api/reservations", token,
                            body: #"{"eventId":"\#(event.id)","seatIds":[\#(list)]}"#)
                    }
                }
                var tally = Tally()
                for try await answer in group {
                    switch (answer.status, answer.code) {
                    case (201, _): tally.held.append(answer.json["id"] as? String ?? "")
                    case (409, "seat_taken"):
                        #expect((answer.json["seats"] as? [String])?.isEmpty == false)
                        tally.taken += 1
                    default: Issue.record("\(answer.status) \(answer.text)")
                    }
                }
                return tally
            }
        }
    }

    @Test func noSeatIsSoldTwiceAndEveryRefusalIsClean() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = 50 }
            let tally = try await stampede(test, event)
            #expect(tally.held.count + tally.taken == Self.buyers)
            #expect(tally.held.count > 10)
            // All of them pay, at once.
            try await withThrowingTaskGroup { group in
                for id in tally.held {
                    group.addTask {
                        let amount = try await test.store.find(id)!.amount
                        try await test.store.confirming(id, paymentId: "pay \(id)", amount: amount)
                        _ = try await test.store.sold(id, paymentId: "pay \(id)", approvedAt: test.clock.now)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await test.brokenInvariants() == [])
            let messages = try await test.messages()
            #expect(messages.count == 2 * tally.held.count && Set(messages).count == messages.count)
        }
    }

    /// Redis only refuses fast: without it, and with one that hangs, the same comes out.
    @Test(arguments: [false, true]) func theSameComesOutWithoutRedis(_ hangs: Bool) async throws {
        try await withTemporaryFolder { folder in
            // One that takes connections and never answers; or none at all.
            let socket = folder.appending(path: "redis.sock").path
            let mute = hangs ? try MuteServer(path: socket) : nil
            try await ServiceUnderTest.run(redisURL: "redis+unix://\(socket)") { test in
                let event = try await test.event { $0.seatCount = 50 }
                let tally = try await stampede(test, event)
                #expect(tally.held.count + tally.taken == Self.buyers)
                #expect(try await test.brokenInvariants() == [])
                #expect(test.service.metrics.refusedFast.value == 0)
            }
            try await mute?.stop()
        }
    }

    /// Redis ends in the middle of it.
    @Test func aRedisThatEndsMeanwhileStopsNothing() async throws {
        try await withTemporaryFolder { folder in
            let redis = try PrivateRedis(folder: folder, isPersistent: false)
            try await onOwnThread { try redis.startBlocking() }
            try await ServiceUnderTest.run(redisURL: redis.url()) { test in
                let event = try await test.event { $0.seatCount = 50 }
                async let ended: Void = onOwnThread { redis.stopBlocking() }
                let tally = try await stampede(test, event)
                try await ended
                #expect(tally.held.count + tally.taken == Self.buyers)
                #expect(try await test.brokenInvariants() == [])
            }
        }
    }

    // MARK: What the guard is for

    /// The negative control: the same statement, of which only the index and what asks it are taken away, sells seats twice in
    /// the same stampede.
    @Test func withoutTheGuardSeatsAreSoldTwice() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = 5 }
            try await test.pool.withConnection { connection in
                let definition = try connection.query("SELECT pg_get_functiondef('claim_seats'::regproc)")[0]
                    .get(0, as: String.self)
                let guarded = try #require(definition.firstMatch(of: /ON CONFLICT(?s:.*?)(?=RETURNING seat_id)/))
                let unguarded = definition.replacing(guarded.0, with: "")
                try connection.execute("\(unescaped: unguarded)")
                try connection.execute("DROP INDEX seat_claims_live")
            }
            for round in 0..<40 {
                await withTaskGroup { group in
                    for buyer in 0..<40 {
                        group.addTask {
                            // Two, side by side: a single one that nobody has isn't looked up before.
                            let seats = [0, 1].map { event.seatIds[(buyer + $0) % event.seatCount] }
                            _ = try? await test.hold(event, "\(round)-\(buyer)", seats)
                        }
                    }
                }
                if try await test.brokenInvariants().contains(where: { $0.hasPrefix("a seat that two have") }) {
                    return
                }
                try await test.pool.withConnection { _ = try $0.execute("TRUNCATE seat_claims, reservations CASCADE") }
            }
            Issue.record("no seat was sold twice without the guard: the test above proves nothing")
        }
    }
}
