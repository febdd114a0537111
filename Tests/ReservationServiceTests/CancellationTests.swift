import Core
import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct CancellationTests {
    private func refunds(_ test: ServiceUnderTest) async throws -> [[String: Any]] {
        try await test.pool.withConnection { connection in
            try connection.query("SELECT data FROM outbox WHERE type = 'refund.due' ORDER BY seq").map {
                try $0.get(0, as: String.self)
            }
        }.compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }

    @Test func aHoldIsGivenBackForNothing() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let id = try await test.held(event, "minji", ["A-1-1"])
            for _ in 0..<2 { #expect(try await test.store.cancel(id) { _ in true }.amount == 0) }
            #expect(try await test.state(id) == .canceled)
            #expect(try await test.messages() == ["reservation.held:\(id)", "reservation.canceled:\(id)"])
            _ = try await test.held(event, "jisoo", ["A-1-1"])
            #expect(try await test.brokenInvariants() == [])
        }
    }

    @Test func aPaidReservationIsRefundedByItsPolicyOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (id, tickets) = try await test.paid(event, "minji", ["A-1-1", "A-1-2"])
            // Eight days before the start: a tenth is kept.
            test.clock.turn(to: event.startsAt - 8 * 86_400_000)
            let canceled = try await test.store.cancel(id) { _ in true }
            #expect(canceled.amount == 198_000)
            #expect(Set(canceled.ticketIds) == Set(tickets))
            #expect(try await test.store.cancel(id) { _ in true } == .init())
            #expect(try await test.state(id) == .canceled)
            #expect(try await test.claims().isEmpty)
            let due = try await refunds(test)
            #expect(due.count == 1)
            #expect(due.first?["amount"] as? Int == 198_000)
            #expect(due.first?["paymentId"] as? String == "payment-1")
            #expect(due.first?["tickets"] as? Int == 2)
            #expect(due.first?["cancellationId"] as? String == canceled.id)
            #expect(try await test.messages().count { $0 == "reservation.canceled:\(id)" } == 1)
            // Payments may ask again, late: it was sold.
            #expect(try await test.store.sold(id, paymentId: "payment-1", approvedAt: 0).count == 2)
            #expect(try await test.brokenInvariants() == [])
        }
    }

    @Test func someOfTheTicketsAreCanceled() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (id, tickets) = try await test.paid(event, "minji", ["A-1-1", "A-1-2", "A-1-3"])
            let part = try await test.store.cancel(id, ticketIds: [tickets[1]]) { _ in true }
            #expect(part.amount == 110_000 && part.freedSeats == ["A-1-2"])
            #expect(try await test.state(id) == .paid)
            #expect(try await test.claims().keys.sorted() == ["A-1-1", "A-1-3"])
            // The seat is for sale, and another's now.
            _ = try await test.paid(event, "jisoo", ["A-1-2"], payment: "payment-2")
            #expect(try await test.store.cancel(id, ticketIds: [tickets[1]]) { _ in true } == .init())
            await #expect(throws: Problem.self) {
                try await test.store.cancel(id, ticketIds: [UUID().uuidString]) { _ in true }
            }
            let rest = try await test.store.cancel(id) { _ in true }
            #expect(rest.amount == 220_000)
            #expect(try await test.state(id) == .canceled)
            #expect(try await refunds(test).count == 2)
            #expect(try await test.brokenInvariants() == [])
        }
    }

    @Test func manyWhoCancelAtOnceAreRefundedOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (id, tickets) = try await test.paid(event, "minji", ["A-1-1", "A-1-2"])
            let amount = try await withThrowingTaskGroup(of: Int64.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await test.store.cancel(
                            id, ticketIds: index % 2 == 0 ? nil : [tickets[index / 2 % 2]]
                        ) { _ in true }.amount
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(amount == 220_000)
            #expect(try await test.state(id) == .canceled)
            #expect(try await test.brokenInvariants() == [])
        }
    }

    @Test func onceItHasBegunOnlyAnAdminGivesBack() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (id, _) = try await test.paid(event, "minji", ["A-1-1"])
            test.clock.turn(to: event.startsAt)
            await #expect(throws: Problem.self) { try await test.store.cancel(id) { _ in true } }
            let full = try await test.store.cancel(id, isFull: true) { _ in true }
            #expect(full.amount == 110_000)
        }
    }

    @Test func aTicketLetsInOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (id, tickets) = try await test.paid(event, "minji", ["A-1-1", "A-1-2"])
            let payload = try await test.store.ticket(tickets[0])!.payload(test.service.ticketKey)
            // Another event's gate uses nothing up.
            await #expect(throws: Problem.self) { try await test.service.checkIn.take(payload, to: "another") }
            let outcomes = await withTaskGroup(of: Result<Ticket, any Error>.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        do { return .success(try await test.service.checkIn.take(payload, to: event.id)) } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { (try? $0.get()) != nil } == 1)
            for case .failure(let error) in outcomes {
                let problem = error as? Problem
                #expect(problem?.code == "ticket_used")
                #expect(problem?.detail?.contains(Instant.iso8601(test.clock.now)) == true)
            }
            // Used is used: the buyer can't give it back, the other one goes.
            await #expect(throws: Problem.self) { try await test.store.cancel(id) { _ in true } }
            #expect(try await test.store.cancel(id, ticketIds: [tickets[1]]) { _ in true }.amount == 110_000)
            let other = try await test.store.ticket(tickets[1])!.payload(test.service.ticketKey)
            await #expect(throws: Problem.self) { try await test.service.checkIn.take(other, to: nil) }
        }
    }

    /// A gate is letting the ticket in while it is canceled: whoever was let in has no money back for it.
    @Test func aCancellationWaitsForAGateAndThenGivesNothingBack() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (id, tickets) = try await test.paid(event, "minji", ["A-1-1"])
            let cancelling = try await test.pool.withConnection { gate in
                try gate.transaction { gate in
                    try gate.execute(
                        """
                        UPDATE tickets SET state = 'used', used_at = \(PostgresTimestamp(ms: test.clock.now))
                        WHERE id = \(tickets[0])
                        """)
                    let cancelling = Task { try await test.store.cancel(id) { _ in true } }
                    // It has begun, and waits for what the gate has.
                    while try gate.query(
                        "SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
                    ).isEmpty { continue }
                    return cancelling
                }
            }
            do {
                let given = try await cancelling.value
                Issue.record("given back: \(given)")
            } catch let problem as Problem {
                #expect(problem.code == "ticket_used")
            }
            #expect(try await test.store.ticket(tickets[0])?.state == .used)
            #expect(try await refunds(test).isEmpty)
        }
    }

    // MARK: By the organiser

    @Test func aCanceledEventGivesAllBackInBatches() async throws {
        try await ServiceUnderTest.run { test in
            var event = try await test.event { $0.seatCount = OrganizerCancellation.maxBatch + 30 }
            for (index, seat) in event.seatIds.dropLast(3).enumerated() {
                _ = try await test.paid(event, "buyer \(index)", [seat], payment: "payment \(index)")
            }
            let last = Array(event.seatIds.suffix(3))
            let (part, tickets) = try await test.paid(event, "part", [last[0], last[1]], payment: "part")
            let held = try await test.held(event, "holder", [last[2]])
            // Some was given back before, at the day's price: only the rest is due.
            test.clock.turn(to: event.startsAt - 8 * 86_400_000)
            _ = try await test.store.cancel(part, ticketIds: [tickets[0]]) { _ in true }
            let paying = try await test.held(event, "payer", [last[0]])
            try await test.store.confirming(paying, paymentId: "late", amount: 110_000)
            event.status = "canceled"
            event.version += 1
            test.catalogue.put(event)
            _ = try await test.service.copies.copy(event.id)
            let cancellation = OrganizerCancellation(store: test.store)
            #expect(try await cancellation.step() == OrganizerCancellation.maxBatch)
            var ended = OrganizerCancellation.maxBatch
            while true {
                let step = try await cancellation.step()
                if step == 0 { break }
                ended += step
            }
            // The hold had expired at that time, and is ended all the same.
            #expect(ended == event.seatCount - 3 + 2)
            #expect(try await test.state(held) == .canceled)
            #expect(try await test.state(paying) == .confirming)
            #expect(try await test.claims() == [last[0]: "\(paying) confirming"])
            // What is approved meanwhile is given back, too.
            _ = try await test.store.sold(paying, paymentId: "late", approvedAt: test.clock.now)
            #expect(try await cancellation.step() == 1)
            let due = try await refunds(test)
            #expect(
                due.compactMap { $0["amount"] as? Int }.reduce(0, +) == 110_000 * (event.seatCount - 3 + 2) + 99_000)
            #expect(due.count { $0["reason"] as? String == "organizer" } == event.seatCount - 3 + 2)
            let messages = try await test.messages()
            #expect(Set(messages).count == messages.count)
            #expect(try await test.brokenInvariants() == [])
            // Once nothing is left, and nothing can come any more, it rests.
            test.clock.advance(seconds: 61)
            _ = try await cancellation.step()
            let resting = try await test.pool.withConnection {
                try $0.query("SELECT canceling FROM events")[0].get(0, as: Bool.self)
            }
            #expect(!resting)
        }
    }
}
