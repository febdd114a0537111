import Core
import Dispatch
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct PaymentStepTests {
    private func code(_ body: () async throws -> Void) async throws -> String? {
        do {
            try await body()
            return nil
        } catch let problem as Problem {
            return problem.code
        }
    }

    @Test func aHoldIsPaidOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            for _ in 0..<2 { try await test.store.confirming(id, paymentId: "p1", amount: 220_000) }
            let tickets = try await test.store.sold(id, paymentId: "p1", approvedAt: test.clock.now)
            #expect(tickets.count == 2)
            #expect(try await test.store.sold(id, paymentId: "p1", approvedAt: test.clock.now) == tickets)
            #expect(try await test.claims() == ["A-1-1": "\(id) sold", "A-1-2": "\(id) sold"])
            #expect(try await test.messages() == ["reservation.held:\(id)", "reservation.confirmed:\(id)"])
            #expect(try await test.brokenInvariants() == [])
            // Another's money buys nothing here.
            #expect(
                try await code { _ = try await test.store.sold(id, paymentId: "p2", approvedAt: 0) } == "seats_lost")
            #expect(
                try await code { try await test.store.confirming(id, paymentId: "p1", amount: 220_000) } == "not_held")
        }
    }

    /// Trap 2: only the reservation's own amount is ever charged.
    @Test func anotherAmountIsRefused() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            for amount: Int64 in [0, 110_000, 219_999, 220_001] {
                #expect(
                    try await code { try await test.store.confirming(id, paymentId: "p", amount: amount) }
                        == "amount_differs")
            }
            #expect(try await test.state(id) == .held)
        }
    }

    /// Trap 16: paying late is normal. Before the deadline the seats are kept for it, after it Toss is not asked.
    @Test func seatsAreKeptFromTheCallOnAndNotBeforeIt() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let late = try await test.held(event, "minji", ["A-1-1"])
            let inTime = try await test.held(event, "jisoo", ["A-1-2"])
            test.clock.advance(seconds: 599)
            try await test.store.confirming(inTime, paymentId: "p1", amount: 110_000)
            test.clock.advance(seconds: 1)
            // Not swept, and too late all the same.
            #expect(
                try await code { try await test.store.confirming(late, paymentId: "p2", amount: 110_000) } == "not_held"
            )
            test.clock.advance(seconds: 14 * 60)
            _ = try await Sweeper(store: test.store).step()
            #expect(try await test.store.sold(inTime, paymentId: "p1", approvedAt: test.clock.now).count == 1)
        }
    }

    @Test func onlyOneAttemptIsConfirmed() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            try await test.store.confirming(id, paymentId: "p1", amount: 110_000)
            #expect(
                try await code { try await test.store.confirming(id, paymentId: "p2", amount: 110_000) } == "not_held")
            // Another attempt's failure says nothing about this one.
            try await test.store.release(id, paymentId: "p2")
            #expect(try await test.state(id) == .confirming)
            try await test.store.release(id, paymentId: "p1")
            #expect(try await test.state(id) == .held)
            #expect(try await test.claims() == ["A-1-1": "\(id) held"])
            try await test.store.confirming(id, paymentId: "p3", amount: 110_000)
            try await test.store.release(id, paymentId: "p1")
            #expect(try await test.state(id) == .confirming)
            _ = try await test.store.sold(id, paymentId: "p3", approvedAt: test.clock.now)
            try await test.store.release(id, paymentId: "p3")
            #expect(try await test.state(id) == .paid)
        }
    }

    @Test func aReleaseAfterTheDeadlineEndsIt() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            try await test.store.confirming(id, paymentId: "p1", amount: 110_000)
            test.clock.advance(seconds: 600)
            for _ in 0..<2 { try await test.store.release(id, paymentId: "p1") }
            #expect(try await test.state(id) == .expired)
            #expect(try await test.claims().isEmpty)
            #expect(try await test.messages() == ["reservation.held:\(id)", "reservation.expired:\(id)"])
        }
    }

    /// A call may be on its way for long: after the release of its own attempt nobody would let the seats go again.
    @Test func aLateCallOfAReleasedAttemptKeepsNoSeats() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            func confirming(_ payment: String) async throws -> String? {
                try await code { try await test.store.confirming(id, paymentId: payment, amount: 110_000) }
            }
            // One that had begun, and one whose call comes only after its release.
            #expect(try await confirming("p1") == nil)
            for payment in ["p1", "p2", "p1"] { try await test.store.release(id, paymentId: payment) }
            for payment in ["p1", "p2"] { #expect(try await confirming(payment) == "not_held") }
            #expect(try await test.state(id) == .held)
            // Another attempt is not concerned; and money that was taken after all still buys.
            #expect(try await confirming("p3") == nil)
            try await test.store.release(id, paymentId: "p3")
            #expect(try await test.store.sold(id, paymentId: "p1", approvedAt: test.clock.now).count == 1)
        }
    }

    /// The call waits for the row that the release has locked: what it knew before it waited counts no more.
    @Test func aCallThatMeetsTheReleaseOfItsOwnAttemptKeepsNoSeats() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            let now = test.clock.now
            let end = DispatchSemaphore(value: 0)
            let (noted, isNoted) = AsyncStream.makeStream(of: Void.self)
            async let releasing: Void = test.pool.withConnection { connection in
                try connection.transaction { connection in
                    // As `release` does it to one that is held.
                    _ = try Reservation.find(id, isLocked: true, on: connection)
                    try ReleasedPayments.note("p1", now: now, on: connection)
                    isNoted.yield()
                    end.wait()
                }
            }
            _ = await noted.first { true }
            async let answer = code { try await test.store.confirming(id, paymentId: "p1", amount: 110_000) }
            var isWaiting = false
            while !isWaiting {
                try await Task.sleep(for: .milliseconds(5))
                isWaiting = try await test.pool.withConnection { connection in
                    try !connection.query(
                        """
                        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                            AND query LIKE '%keep_seats%'
                        """
                    ).isEmpty
                }
            }
            end.signal()
            try await releasing
            #expect(try await answer == "not_held")
            #expect(try await test.state(id) == .held)
            #expect(try await test.claims() == ["A-1-1": "\(id) held"])
        }
    }

    // MARK: Given back whole

    @Test func whatWasGivenBackWholeHasNoTicketsAndNoSeats() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            try await test.store.confirming(id, paymentId: "p1", amount: 220_000)
            #expect(try await test.store.sold(id, paymentId: "p1", approvedAt: test.clock.now).count == 2)
            // Another attempt's money is no business of this one's.
            try await test.store.returned(id, paymentId: "p2")
            #expect(try await test.state(id) == .paid)
            for _ in 0..<2 { try await test.store.returned(id, paymentId: "p1") }
            #expect(try await test.state(id) == .canceled)
            #expect(try await test.claims().isEmpty)
            let states = try await test.pool.withConnection {
                try $0.query("SELECT state FROM tickets").map { try $0.get(0, as: String.self) }
            }
            #expect(states == ["void", "void"])
            // What goes back has gone back: no refund is due for it.
            #expect(
                try await test.messages() == [
                    "reservation.held:\(id)", "reservation.confirmed:\(id)", "reservation.canceled:\(id)",
                ])
        }
    }

    /// The call that makes the tickets may have been on its way for long.
    @Test func aLateSaleForMoneyThatIsGoneSellsNothing() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            try await test.store.confirming(id, paymentId: "p1", amount: 110_000)
            try await test.store.release(id, paymentId: "p1")
            try await test.store.returned(id, paymentId: "p1")
            #expect(try await test.state(id) == .held)
            func sold() async throws -> String? {
                try await code { _ = try await test.store.sold(id, paymentId: "p1", approvedAt: test.clock.now) }
            }
            #expect(try await sold() == "seats_lost")
            test.clock.advance(seconds: 600)
            #expect(try await sold() == "seats_lost")
            // The buyer pays anew.
            let other = try await test.held(event, "minji", ["A-1-1"])
            try await test.store.confirming(other, paymentId: "p2", amount: 110_000)
            #expect(try await test.store.sold(other, paymentId: "p2", approvedAt: test.clock.now).count == 1)
        }
    }

    @Test func releasesAreForgottenInTimeAndSomeAtOnce() async throws {
        try await ServiceUnderTest.run { test in
            let maxBatch = ReleasedPayments.maxBatch
            let start = test.clock.now
            try await test.pool.withConnection { connection in
                for number in 0..<(maxBatch + 2) {
                    try ReleasedPayments.note("p\(number)", now: start, on: connection)
                }
                try ReleasedPayments.note("young", now: start + 1, on: connection)
                let end = start + ReleasedPayments.retentionMs
                #expect(try ReleasedPayments.forget(now: end - 1, on: connection) == 0)
                #expect(try ReleasedPayments.forget(now: end, on: connection) == maxBatch)
                #expect(try ReleasedPayments.forget(now: end, on: connection) == 2)
                #expect(try ReleasedPayments.contain("young", on: connection))
                #expect(try !ReleasedPayments.contain("p1", on: connection))
            }
        }
    }

    @Test func moneyThatComesAfterTheEndClaimsTheSeatsAgainWhereTheyAreFree() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let free = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            let lost = try await test.held(event, "jisoo", ["A-1-3", "A-1-4"])
            test.clock.advance(seconds: 600)
            _ = try await Sweeper(store: test.store).step()
            let other = try await test.held(event, "somin", ["A-1-4"])
            #expect(try await test.store.sold(free, paymentId: "p1", approvedAt: test.clock.now).count == 2)
            #expect(
                try await code { _ = try await test.store.sold(lost, paymentId: "p2", approvedAt: test.clock.now) }
                    == "seats_lost")
            #expect(try await test.state(free) == .paid)
            #expect(try await test.state(lost) == .expired)
            #expect(
                try await test.claims() == [
                    "A-1-1": "\(free) sold", "A-1-2": "\(free) sold", "A-1-4": "\(other) held",
                ])
            // A hold that is over, too, makes way.
            test.clock.advance(seconds: 600)
            #expect(try await test.store.sold(lost, paymentId: "p2", approvedAt: test.clock.now).count == 2)
            #expect(try await test.state(other) == .expired)
            #expect(try await test.brokenInvariants() == [])
        }
    }

    /// A claim that an operator's hand has removed: the sale of the others goes back with it.
    @Test func aSaleThatLacksAClaimStoresNothing() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1", "A-1-2"])
            try await test.store.confirming(id, paymentId: "p1", amount: 220_000)
            try await test.pool.withConnection {
                _ = try $0.execute("DELETE FROM seat_claims WHERE seat_id = 'A-1-2'")
            }
            #expect(
                try await code { _ = try await test.store.sold(id, paymentId: "p1", approvedAt: test.clock.now) }
                    == "seats_lost")
            #expect(try await test.state(id) == .confirming)
            #expect(try await test.claims() == ["A-1-1": "\(id) confirming"])
            #expect(try await test.store.tickets(of: id).isEmpty)
            #expect(try await test.messages() == ["reservation.held:\(id)"])
        }
    }

    @Test func moneyForWhatItsBuyerGaveUpGoesBack() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            _ = try await test.store.cancel(id) { _ in true }
            #expect(
                try await code { _ = try await test.store.sold(id, paymentId: "p", approvedAt: 0) } == "seats_lost")
            #expect(
                try await code { _ = try await test.store.sold("none", paymentId: "p", approvedAt: 0) }
                    == "reservation_not_found")
        }
    }

    /// The steps as pure decisions: every state, with this attempt's id and with another's.
    @Test func everyStateHasItsAnswer() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            var reservation = try await test.store.find(id)!
            let now = test.clock.now
            for state in Reservation.State.allCases {
                for isOurs in [true, false] {
                    reservation.state = state
                    reservation.paymentId = isOurs ? "p" : "other"
                    reservation.paidAt = state == .paid ? now : nil
                    let confirming = reservation.confirming(paymentId: "p", amount: reservation.amount, now: now)
                    let sale = reservation.sale(paymentId: "p")
                    let release = reservation.release(paymentId: "p", now: now)
                    switch (state, isOurs) {
                    case (.held, _):
                        #expect(confirming == .keep && sale == .sell && release == .nothing)
                    case (.confirming, true):
                        #expect(confirming == .keep && sale == .sell && release == .holdAgain)
                        #expect(reservation.release(paymentId: "p", now: reservation.expiresAt) == .expire)
                    case (.confirming, false), (.paid, false):
                        #expect(confirming == .notHeld && sale == .lost && release == .nothing)
                    case (.paid, true):
                        #expect(confirming == .notHeld && sale == .isSold && release == .nothing)
                    case (.expired, _):
                        #expect(confirming == .notHeld && sale == .claimAgain && release == .nothing)
                    case (.canceled, _):
                        #expect(confirming == .notHeld && sale == .lost && release == .nothing)
                    }
                }
            }
            // Of a canceled event nothing new is paid.
            reservation.isEventCanceled = true
            reservation.state = .held
            #expect(reservation.confirming(paymentId: "p", amount: reservation.amount, now: now) == .notHeld)
            reservation.state = .expired
            #expect(reservation.sale(paymentId: "p") == .lost)
        }
    }
}
