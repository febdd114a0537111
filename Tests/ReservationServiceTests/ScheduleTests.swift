import Core
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

/// Random schedules of everything that may happen, against a model that fits on a page.
@Suite(.timeLimit(.minutes(5))) struct ScheduleTests {
    /// What the service should say, worked out the simple way: one thing after the other.
    private struct Model {
        struct Reservation {
            var buyer: String
            var seats: [String]
            var state: ReservationService_State
            var expiresAt: Int64
            var payment: String?
        }

        var reservations: [String: Reservation] = [:]
        var expired: Set<String> = []
        /// Attempts to pay that were given up.
        var released: Set<String> = []
        let holdMs: Int64
        let maxSeats: Int

        func live(_ r: Reservation, _ now: Int64) -> Bool {
            switch r.state {
            case .held: now < r.expiresAt
            case .confirming, .paid: true
            case .expired, .canceled: false
            }
        }

        func owner(_ seat: String) -> (id: String, reservation: Reservation)? {
            reservations.first {
                [.held, .confirming, .paid].contains($0.value.state) && $0.value.seats.contains(seat)
            }
            .map { ($0.key, $0.value) }
        }

        /// Nil where the seats can be had: then whoever's time is over has been ended.
        mutating func refusal(_ seats: [String], _ now: Int64) -> [String]? {
            let taken = seats.filter { seat in owner(seat).map { live($0.reservation, now) } ?? false }
            if !taken.isEmpty { return taken.sorted() }
            for seat in seats { if let (id, _) = owner(seat) { expire(id) } }
            return nil
        }

        mutating func expire(_ id: String) {
            reservations[id]!.state = .expired
            expired.insert(id)
        }
    }

    @Test(arguments: 0..<6) func whatHappensIsWhatTheModelSays(_ round: Int) async throws {
        try await ServiceUnderTest.run(holdSeconds: 60) { test in
            var random = SeededGenerator()
            print("schedule \(round): \(random)")
            let event = try await test.event { $0.seatCount = 8 }
            var model = Model(holdMs: 60_000, maxSeats: event.maxSeatsPerBuyer)
            for step in 0..<150 {
                let now = test.clock.now
                let any = model.reservations.keys.sorted().randomElement(using: &random)
                // Each attempt is one reservation's.
                let payment = "p\(Int.random(in: 0...2, using: &random)) \(any ?? "")"
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<35:
                    let buyer = "b\(Int.random(in: 0..<4, using: &random))"
                    let seats = event.seatIds.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
                        .sorted()
                    let own = model.reservations.values.filter { $0.buyer == buyer && model.live($0, now) }
                        .reduce(0) { $0 + $1.seats.count }
                    let outcome = try await test.hold(event, buyer, seats)
                    if own + seats.count > model.maxSeats {
                        #expect(outcome == .tooManySeats, "step \(step)")
                    } else if let taken = model.refusal(seats, now) {
                        #expect(outcome == .taken(taken), "step \(step)")
                    } else if case .held(let held) = outcome {
                        model.reservations[held.id] = .init(
                            buyer: buyer, seats: seats, state: .held, expiresAt: held.expiresAt)
                    } else {
                        Issue.record("step \(step): \(outcome)")
                    }
                case 35..<50:
                    guard let id = any else { continue }
                    let r = model.reservations[id]!
                    let code = try await code {
                        try await test.store.confirming(
                            id, paymentId: payment, amount: Int64(r.seats.count) * event.price)
                    }
                    if !model.released.contains(payment),
                        r.state == .held && now < r.expiresAt || r.state == .confirming && r.payment == payment
                    {
                        #expect(code == nil, "step \(step)")
                        model.reservations[id]!.state = .confirming
                        model.reservations[id]!.payment = payment
                    } else {
                        #expect(code == "not_held", "step \(step)")
                    }
                case 50..<60:
                    guard let id = any else { continue }
                    let r = model.reservations[id]!
                    try await test.store.release(id, paymentId: payment)
                    model.released.insert(payment)
                    if r.state == .confirming && r.payment == payment {
                        model.reservations[id]!.payment = nil
                        if now < r.expiresAt { model.reservations[id]!.state = .held } else { model.expire(id) }
                    }
                case 60..<72:
                    guard let id = any else { continue }
                    let r = model.reservations[id]!
                    let code = try await code {
                        _ = try await test.store.sold(id, paymentId: payment, approvedAt: now)
                    }
                    let isSold: Bool
                    switch r.state {
                    case .paid: isSold = r.payment == payment
                    case .confirming: isSold = r.payment == payment
                    case .held: isSold = true
                    case .canceled: isSold = r.payment == payment
                    case .expired: isSold = model.refusal(r.seats, now) == nil
                    }
                    #expect(code == (isSold ? nil : "seats_lost"), "step \(step) \(r.state)")
                    if isSold, r.state != .canceled {
                        model.reservations[id]!.state = .paid
                        model.reservations[id]!.payment = payment
                    }
                case 72..<84:
                    guard let id = any else { continue }
                    let r = model.reservations[id]!
                    let code = try await code { _ = try await test.store.cancel(id) { _ in true } }
                    switch r.state {
                    case .held, .paid:
                        #expect(code == nil, "step \(step)")
                        if r.state == .held { model.reservations[id]!.payment = nil }
                        model.reservations[id]!.state = .canceled
                    case .confirming: #expect(code == "confirming", "step \(step)")
                    case .expired: #expect(code == "expired", "step \(step)")
                    case .canceled: #expect(code == nil, "step \(step)")
                    }
                case 84..<92:
                    _ = try await Sweeper(store: test.store).step()
                    for (id, r) in model.reservations where r.state == .held && now >= r.expiresAt { model.expire(id) }
                default: test.clock.advance(seconds: .random(in: 1...40, using: &random))
                }
                for (id, r) in model.reservations { #expect(try await test.state(id) == r.state, "step \(step)") }
            }
            #expect(try await test.brokenInvariants() == [])
            let messages = try await test.messages()
            #expect(Set(messages).count == messages.count)
            #expect(
                Set(messages.filter { $0.hasPrefix("reservation.expired:") })
                    == Set(model.expired.map { "reservation.expired:\($0)" }))
        }
    }

    /// The same steps from many sides at once: nobody knows what comes out, but what must hold does.
    @Test func whateverMeetsTheInvariantsHold() async throws {
        try await ServiceUnderTest.run(holdSeconds: 60) { test in
            var random = SeededGenerator()
            print("meeting: \(random)")
            let event = try await test.event { $0.seatCount = 12 }
            let seeds = (0..<12).map { _ in random.next() }
            try await withThrowingTaskGroup { group in
                for seed in seeds {
                    group.addTask {
                        var random = SeededGenerator(exactly: seed)
                        var own: [String] = []
                        for _ in 0..<60 {
                            let payment = "p\(Int.random(in: 0...1, using: &random))"
                            let id = own.randomElement(using: &random) ?? ""
                            switch Int.random(in: 0..<10, using: &random) {
                            case 0..<4:
                                let seats = event.seatIds.shuffled(using: &random).prefix(2).sorted()
                                if case .held(let held) = try await test.hold(
                                    event, "b\(Int.random(in: 0..<6, using: &random))", seats)
                                {
                                    own.append(held.id)
                                }
                            case 4, 5:
                                _ = try await code {
                                    try await test.store.confirming(id, paymentId: payment, amount: 220_000)
                                }
                            case 6:
                                _ = try await code {
                                    _ = try await test.store.sold(id, paymentId: payment, approvedAt: test.clock.now)
                                }
                            case 7: _ = try await code { try await test.store.release(id, paymentId: payment) }
                            case 8: _ = try await code { _ = try await test.store.cancel(id) { _ in true } }
                            default:
                                test.clock.advance(seconds: 20)
                                _ = try await Sweeper(store: test.store).step()
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await test.brokenInvariants() == [])
            let messages = try await test.messages()
            #expect(Set(messages).count == messages.count)
        }
    }

    /// Of a problem; anything else is thrown.
    private func code(_ body: () async throws -> Void) async throws -> String? {
        do {
            try await body()
            return nil
        } catch let problem as Problem {
            return problem.code
        }
    }
}

private typealias ReservationService_State = Reservation.State
