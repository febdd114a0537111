import HTTPTypes
import Platform

/// What cancelling tickets of a paid reservation gives back at an instant.
struct CancellationQuote: Sendable, Equatable {
    struct Part: Sendable, Equatable {
        var ticket: Ticket
        var refund: Int64
    }

    /// Percent that is kept.
    var feePercent: Int64
    var parts: [Part]
    /// All that is given back.
    var amount: Int64 { parts.reduce(0) { $0 + $1.refund } }

    /// Nothing is left to give back.
    init(nothingFor tickets: [Ticket]) {
        feePercent = 100
        parts = tickets.map { Part(ticket: $0, refund: 0) }
    }

    /// - Parameter isFull: by the organiser or an admin, at any time.
    /// - Throws: 409 where it has begun.
    init(_ reservation: Reservation, _ tickets: [Ticket], isFull: Bool, now: Int64) throws {
        var fee: Int64 = 0
        if !isFull {
            let policy = try RefundPolicy(json: reservation.policy)
            guard
                let percent = policy.feePercent(
                    startsAt: reservation.startsAt, bookedAt: reservation.paidAt ?? reservation.createdAt, now: now)
            else {
                throw Problem(.conflict, "started", detail: "the event has begun: nothing is given back any more")
            }
            fee = percent
        }
        feePercent = fee
        parts = tickets.map { Part(ticket: $0, refund: RefundPolicy.refund(of: $0.price, feePercent: fee)) }
    }
}
