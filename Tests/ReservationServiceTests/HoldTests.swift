import Core
import HTTPTypes
import HummingbirdTesting
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct HoldTests {
    @Test func seatsAreHeldTogetherWithTheirPrices() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let outcome = try await test.hold(event, "minji", ["A-1-2", "A-1-1"])
            guard case .held(var held) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            let id = held.id
            #expect(held.amount == 220_000)
            #expect(held.expiresAt == test.clock.now + 600_000)
            let reservation = try await test.store.find(id)
            // What the buyer is told is what is stored; JSON may be written in other words.
            #expect(try RefundPolicy(json: held.policy) == .v1)
            held.policy = reservation?.policy ?? ""
            #expect(held == reservation)
            #expect(reservation?.seatIds == ["A-1-1", "A-1-2"])
            #expect(reservation?.prices == [110_000, 110_000])
            #expect(try RefundPolicy(json: reservation?.policy ?? "") == .v1)
            #expect(try await test.claims() == ["A-1-1": "\(id) held", "A-1-2": "\(id) held"])
            #expect(try await test.messages() == ["reservation.held:\(id)"])
        }
    }

    @Test func aHoldIsAllOrNothing() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            _ = try await test.held(event, "minji", ["A-1-2", "A-1-4"])
            let outcome = try await test.hold(event, "jisoo", ["A-1-1", "A-1-2", "A-1-3", "A-1-4"])
            #expect(outcome == .taken(["A-1-2", "A-1-4"]))
            #expect(try await test.claims().count == 2)
            #expect(try await test.messages().count == 1)
            #expect(try await test.hold(event, "jisoo", ["A-1-1", "A-9-9"]) == .unknownSeats(["A-9-9"]))
            #expect(try await test.claims().count == 2)
        }
    }

    @Test func aBuyerHasAtMostSoManySeats() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.maxSeatsPerBuyer = 3 }
            #expect(try await test.hold(event, "minji", ["A-1-1", "A-1-2", "A-1-3", "A-1-4"]) == .tooManySeats)
            _ = try await test.paid(event, "minji", ["A-1-1", "A-1-2"])
            #expect(try await test.hold(event, "minji", ["A-1-3", "A-1-4"]) == .tooManySeats)
            _ = try await test.held(event, "minji", ["A-1-3"])
            // Others are not concerned, nor is another event.
            _ = try await test.held(event, "jisoo", ["A-1-4", "A-1-5", "A-1-6"])
            _ = try await test.held(try await test.event(), "minji", ["A-1-1", "A-1-2", "A-1-3"])
            // What has expired counts no more, swept or not.
            test.clock.advance(seconds: 601)
            _ = try await test.held(event, "minji", ["A-1-7"])
        }
    }

    /// Each alone is allowed: at once they must not be.
    @Test func theMostSeatsHoldUnderConcurrency() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event {
                $0.maxSeatsPerBuyer = 4
                $0.seatCount = 60
            }
            let held = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<30 {
                    group.addTask {
                        let seats = [event.seatIds[index * 2], event.seatIds[index * 2 + 1]]
                        switch try await test.hold(event, "minji", seats) {
                        case .held: return 1
                        case .tooManySeats: return 0
                        case let other: throw ServiceUnderTest.Unexpected(what: "\(other)")
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(held == 2)
            #expect(try await test.claims().count == 4)
        }
    }

    /// Accounts cost nothing: one alone must not keep a hall from the others, by one event or by many.
    @Test func unpaidReservationsOfABuyerAreBounded() async throws {
        try await ServiceUnderTest.run(maxLiveReservations: 3) { test in
            let event = try await test.event { $0.maxSeatsPerBuyer = 100 }
            let others = [try await test.event(), try await test.event()]
            // Each alone is allowed: at once they must not be.
            let held = try await withThrowingTaskGroup(of: String?.self) { group in
                for index in 0..<24 {
                    group.addTask {
                        let event = ([event] + others)[index % 3]
                        switch try await test.hold(event, "minji", [event.seatIds[index / 3]]) {
                        case .held(let held): return held.id
                        case .tooManyReservations, .tooManySeats: return nil
                        case let other: throw ServiceUnderTest.Unexpected(what: "\(other)")
                        }
                    }
                }
                return try await group.reduce(into: [String]()) { if let id = $1 { $0.append(id) } }
            }
            #expect(held.count == 3)
            #expect(try await test.hold(event, "minji", ["A-2-10"]) == .tooManyReservations)
            _ = try await test.held(event, "jisoo", ["A-2-10"])
            // What is being paid counts, what is paid or canceled doesn't.
            try await test.store.confirming(held[0], paymentId: "p", amount: 110_000)
            #expect(try await test.hold(event, "minji", ["A-2-9"]) == .tooManyReservations)
            _ = try await test.store.sold(held[0], paymentId: "p", approvedAt: test.clock.now)
            _ = try await test.held(event, "minji", ["A-2-9"])
            _ = try await test.store.cancel(held[1]) { _ in true }
            _ = try await test.held(event, "minji", ["A-2-8"])
            #expect(try await test.hold(event, "minji", ["A-2-7"]) == .tooManyReservations)
            // Nor does what is over, swept or not.
            test.clock.advance(seconds: 600)
            _ = try await test.held(event, "minji", ["A-2-7"])
        }
    }

    @Test func holdsOfABuyerWithinAnHourAreBounded() async throws {
        try await ServiceUnderTest.run(maxHoldsPerHour: 4) { test in
            let event = try await test.event()
            let first = test.clock.now
            for _ in 0..<4 {
                let id = try await test.held(event, "minji", ["A-1-1"])
                _ = try await test.store.cancel(id) { _ in true }
                test.clock.advance(seconds: 60)
            }
            let again = first + 3_600_000
            #expect(try await test.hold(event, "minji", ["A-1-1"]) == .tooManyHolds(againAt: again))
            _ = try await test.held(event, "jisoo", ["A-1-2"])
            let headers = try await test.token("minji")
            try await test.application().test(.router) { client in
                let answer = try await client.ask(
                    .post, "/api/reservations", headers, body: #"{"eventId":"\#(event.id)","seatIds":["A-1-1"]}"#)
                #expect(answer.status == 429 && answer.code == "too_many_holds")
                #expect(answer.headers[.retryAfter] == "\((again - test.clock.now) / 1000)")
            }
            test.clock.turn(to: again)
            _ = try await test.held(event, "minji", ["A-1-1"])
            #expect(try await test.hold(event, "minji", ["A-1-3"]) == .tooManyHolds(againAt: again + 60_000))
        }
    }

    @Test func nothingIsSoldOutsideItsTime() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event {
                $0.salesOpenAt = TestClock.start + 10_000
                $0.salesCloseAt = TestClock.start + 20_000
            }
            #expect(try await test.hold(event, "minji", ["A-1-1"]) == .salesClosed)
            test.clock.turn(to: TestClock.start + 10_000)
            _ = try await test.held(event, "minji", ["A-1-1"])
            test.clock.turn(to: TestClock.start + 20_000)
            #expect(try await test.hold(event, "minji", ["A-1-2"]) == .salesClosed)
            let canceled = try await test.event { $0.status = "canceled" }
            #expect(try await test.hold(canceled, "minji", ["A-1-2"]) == .salesClosed)
            let draft = try await test.event { $0.status = "draft" }
            #expect(try await test.hold(draft, "minji", ["A-1-2"]) == .salesClosed)
            #expect(
                try await test.store.hold(.init(eventId: "none", buyer: "minji", seatIds: ["A-1-1"])) == .unknownEvent)
        }
    }

    // MARK: Takeover

    /// Trap 11: the sweeper frees nothing of whoever has a seat now, and tells of each end once.
    @Test func anExpiredHoldIsTakenOverWhole() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let first = try await test.held(event, "minji", ["A-1-1", "A-1-2", "A-1-3"])
            #expect(try await test.hold(event, "jisoo", ["A-1-2"]) == .taken(["A-1-2"]))
            test.clock.advance(seconds: 600)
            let second = try await test.held(event, "jisoo", ["A-1-2"])
            #expect(try await test.state(first) == .expired)
            // Its other seats are free: a reservation with some of its seats would be none.
            #expect(try await test.claims() == ["A-1-2": "\(second) held"])
            for _ in 0..<3 { _ = try await Sweeper(store: test.store).step() }
            #expect(try await test.claims() == ["A-1-2": "\(second) held"])
            #expect(
                try await test.messages() == [
                    "reservation.held:\(first)", "reservation.expired:\(first)", "reservation.held:\(second)",
                ])
            let version = try await test.pool.withConnection {
                try $0.query("SELECT version FROM seat_claims WHERE seat_id = 'A-1-2'")[0].get(0, as: Int64.self)
            }
            #expect(version == 2)
            #expect(try await test.brokenInvariants() == [])
        }
    }

    /// Trap 12: locks are taken in one order.
    @Test func twoWhoTakeOverCrosswiseDoNotWaitForEachOther() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = 40 }
            for round in 0..<10 {
                let seats = Array(event.seatIds.prefix(4))
                _ = try await test.hold(event, "a\(round)", [seats[0], seats[1]])
                _ = try await test.hold(event, "b\(round)", [seats[2], seats[3]])
                test.clock.advance(seconds: 601)
                async let one = test.hold(event, "b\(round)", [seats[0], seats[3]])
                async let other = test.hold(event, "a\(round)", [seats[3], seats[0]])
                async let swept = Sweeper(store: test.store).step()
                let outcomes = try await [one, other]
                _ = try await swept
                let held = outcomes.filter { if case .held = $0 { true } else { false } }
                #expect(held.count == 1)
                #expect(try await test.brokenInvariants() == [])
            }
            let messages = try await test.messages()
            #expect(Set(messages).count == messages.count)
        }
    }

    @Test func theSweeperEndsWhatIsOverAndNothingElse() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let over = try await test.held(event, "minji", ["A-1-1"])
            let paying = try await test.held(event, "jisoo", ["A-1-2"])
            try await test.store.confirming(paying, paymentId: "p", amount: 110_000)
            test.clock.advance(seconds: 599)
            let young = try await test.held(event, "somin", ["A-1-3"])
            #expect(try await Sweeper(store: test.store).step() == 0)
            test.clock.advance(seconds: 1)
            #expect(try await Sweeper(store: test.store).step() == 1)
            #expect(try await test.state(over) == .expired)
            // Also long after the fifteen minutes: whether it is paid is Payments' to say.
            test.clock.advance(seconds: 3600)
            #expect(try await Sweeper(store: test.store).step() == 1)
            #expect(try await test.state(young) == .expired)
            #expect(try await test.state(paying) == .confirming)
            #expect(try await test.hold(event, "other", ["A-1-2"]) == .taken(["A-1-2"]))
            #expect(try await test.claims() == ["A-1-2": "\(paying) confirming"])
        }
    }

    @Test func aSweepEndsNoMoreThanItsBound() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = Sweeper.maxBatch + 5 }
            for seat in event.seatIds { _ = try await test.held(event, "buyer \(seat)", [seat]) }
            test.clock.advance(seconds: 600)
            #expect(try await Sweeper(store: test.store).step() == Sweeper.maxBatch)
            #expect(try await Sweeper(store: test.store).step() == 5)
            #expect(try await test.claims().isEmpty)
        }
    }

    @Test func twoSweepersEndEachHoldOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = 100 }
            for seat in event.seatIds { _ = try await test.held(event, "buyer \(seat)", [seat]) }
            test.clock.advance(seconds: 600)
            let found = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { try await Sweeper(store: test.store).step() } }
                return try await group.reduce(0, +)
            }
            #expect(found <= 100)
            _ = try await Sweeper(store: test.store).step()
            #expect(try await test.messages().count { $0.hasPrefix("reservation.expired:") } == 100)
        }
    }
}
