import Core
import Foundation
import HTTPTypes
import Platform
import Storage

/// Lets in whoever shows a ticket, once.
struct CheckIn: Sendable {
    let postgres: PostgresPool
    let clock: @Sendable () -> Int64
    let key: TicketKey

    /// - Parameter event: whose gate it is; nil for one that takes tickets of any event.
    func take(_ text: String, to event: String?) async throws -> Ticket {
        guard let payload = TicketPayload(text, key: key) else {
            throw Problem.invalid("payload", "is no ticket of ours")
        }
        if let event, payload.eventId != event {
            throw Problem(.conflict, "other_event", detail: "it is a ticket of \(payload.eventId): it was not used")
        }
        let now = clock()
        let id = payload.ticketId.uuidString.lowercased()
        return try await postgres.withConnection { connection in
            // Both decide and write in one statement: of two gates at once, one wins.
            let changed = try connection.execute(
                """
                UPDATE tickets SET state = 'used', used_at = \(PostgresTimestamp(ms: now))
                WHERE id = \(id) AND event_id = \(payload.eventId)
                    AND seat_id = \(payload.seatId) AND issue = \(Int32(payload.issue)) AND state = 'valid'
                """)
            guard let ticket = try Ticket.find(id, on: connection) else {
                throw Problem(.notFound, "not_found", detail: "there is no such ticket")
            }
            if changed == 1 { return ticket }
            switch ticket.state {
            case .used:
                throw Problem(
                    .conflict, "ticket_used",
                    detail: "it was used at \(Instant.iso8601(ticket.usedAt ?? 0))")
            case .void: throw Problem(.conflict, "ticket_void", detail: "it was canceled")
            case .valid: throw Problem(.conflict, "ticket_reissued", detail: "it was issued anew: this one is void")
            }
        }
    }
}
