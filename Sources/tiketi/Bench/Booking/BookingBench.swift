import EventService
import Foundation
import Platform
import Storage

/// Tickets sold over HTTP, from the hold to the ticket, by the real services against the sandbox: a stampede for a few
/// seats, and as many bookings a second as there can be.
///
/// It fails where a seat is sold twice, where the books differ, or where anybody gets an answer that isn't clean.
struct BookingBench {
    static let stampedeBuyers = 10_000
    static let stampedeSeats = 1_000
    static let stampedeConnections = 512
    static let steadyConnections = 64

    struct NotAgreed: Error, CustomStringConvertible {
        var differences: [String]
        var description: String { "the books of the bookings don't agree: " + differences.joined(separator: "; ") }
    }

    let seed: UInt64

    func run(_ progress: (String) -> Void) async throws -> [BenchReport] {
        try await BookingStage.with { stage in
            progress("warming up")
            var told = try await warmUp(stage)
            progress("\(grouped(Self.stampedeBuyers)) buyers")
            let stampede = try await stampede(stage, told: &told)
            progress("bookings")
            return [stampede, try await steady(stage, told: &told)]
        }
    }

    /// So that connections are open and statements prepared.
    private func warmUp(_ stage: BookingStage) async throws -> Int {
        let seats = try await stage.announce("warm-up", LayoutTemplate.small.layout { _ in BookingStage.price })
        let buyers = try await stage.buyers("warm-up", count: seats.count).enumerated().map {
            Buyer(number: $0.offset, token: $0.element, seat: $0.offset)
        }
        let result = try await stage.load(
            "warm-up", seats, buyers, connections: Self.steadyConnections, seed: seed
        ).run()
        return try await stage.check(result, told: 0)
    }

    private func stampede(_ stage: BookingStage, told: inout Int) async throws -> BenchReport {
        let rows = (1...20).map { SeatLayout.Row(name: String($0), seats: Int64(Self.stampedeSeats / 20)) }
        let seats = try await stage.announce(
            "stampede",
            SeatLayout(sections: [SeatLayout.Section(name: "FLOOR", price: BookingStage.price, rows: rows)]))
        var random = SplitMix64(seed: seed)
        let buyers = try await stage.buyers("stampede", count: Self.stampedeBuyers).enumerated().map {
            Buyer(number: $0.offset, token: $0.element, seat: seats.indices.randomElement(using: &random)!)
        }
        let load = stage.load("stampede", seats, buyers, connections: Self.stampedeConnections, seed: seed)
        let before = stage.time()
        let result = try await load.run()
        let spent = stage.time() - before
        told = try await stage.check(result, told: told)
        return BenchReport(
            name: "booking, stampede",
            conditions:
                "\(grouped(buyers.count)) buyers for \(grouped(seats.count)) seats, \(Self.stampedeConnections) at a time, each with a token of his own; who is refused looks at the seats and tries another, \(Buyer.maxTries) in all; \(BookingStage.conditions)",
            figures: [
                Figure("seats sold", Double(result.tickets), "of \(grouped(seats.count))", better: .higher),
                // More than none has thrown already.
                Figure("seats sold twice", 0, "", better: .lower, peers: Peers.soldTwice),
                Figure("errors", Double(result.serverErrors), "answers", better: .lower),
                Figure("sold out after", result.seconds, "s", better: .lower),
                Figure("all answered after", result.wholeSeconds, "s", better: .lower),
                Figure(
                    "requests answered", Double(result.requests) / result.wholeSeconds, "req/s", better: .higher),
                Figure("holds refused (409)", Double(result.refused.count), "answers", better: .lower),
                Figure("hold: p50", result.held.milliseconds(0.5), "ms", better: .lower),
                Figure("  p99", result.held.milliseconds(0.99), "ms", better: .lower),
                Figure("refusal: p50", result.refused.milliseconds(0.5), "ms", better: .lower),
                Figure("  p99", result.refused.milliseconds(0.99), "ms", better: .lower),
                Figure("whole booking: p50", result.bookings.milliseconds(0.5), "ms", better: .lower),
                Figure("  p99", result.bookings.milliseconds(0.99), "ms", better: .lower),
            ] + spent.figures(each: buyers.count, "buyer"))
    }

    private func steady(_ stage: BookingStage, told: inout Int) async throws -> BenchReport {
        let seats = try await stage.announce("steady", LayoutTemplate.arena.layout { _ in BookingStage.price })
        var random = SplitMix64(seed: seed)
        let buyers = zip(
            try await stage.buyers("steady", count: seats.count), seats.indices.shuffled(using: &random)
        ).enumerated().map { Buyer(number: $0.offset, token: $0.element.0, seat: $0.element.1, maxTries: 1) }
        let load = stage.load("steady", seats, buyers, connections: Self.steadyConnections, seed: seed)
        let before = stage.time()
        let transactionsBefore = try await stage.writingTransactions()
        let result = try await load.run()
        let transactions = try await stage.writingTransactions() - transactionsBefore
        let spent = stage.time() - before
        told = try await stage.check(result, told: told)
        return BenchReport(
            name: "booking, complete",
            conditions:
                "\(grouped(seats.count)) seats, one for each buyer, \(Self.steadyConnections) buyers at a time: hold, order, payment at the sandbox, confirmation, ticket; \(BookingStage.conditions)",
            figures: [
                Figure(
                    "bookings", Double(result.tickets) / result.seconds, "/s", better: .higher, peers: Peers.bookings),
                Figure("hold: p50", result.held.milliseconds(0.5), "ms", better: .lower),
                Figure("  p99", result.held.milliseconds(0.99), "ms", better: .lower),
                Figure("whole booking: p50", result.bookings.milliseconds(0.5), "ms", better: .lower),
                Figure("  p99", result.bookings.milliseconds(0.99), "ms", better: .lower),
                Figure("confirmed later (202)", Double(result.answeredLater), "answers", better: .lower),
                Figure(
                    "transactions that write", Double(transactions) / Double(seats.count), "a booking", better: .lower),
            ] + spent.figures(each: seats.count, "booking"))
    }
}
