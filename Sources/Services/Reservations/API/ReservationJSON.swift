import Core
import Platform

/// How reservations and tickets are told.
enum ReservationJSON {
    static func text(_ reservation: Reservation, now: Int64) -> JSONWriter {
        var json = JSONWriter()
        write(reservation, now: now, to: &json)
        return json
    }

    static func write(_ reservation: Reservation, now: Int64, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", reservation.id)
            json.member("userId", reservation.userId)
            json.member("eventId", reservation.eventId)
            json.member("artistId", reservation.artistId)
            json.member("title", reservation.title)
            json.member("startsAt", Instant.iso8601(reservation.startsAt))
            json.member("state", reservation.told(now: now).rawValue)
            json.member("amount", reservation.amount)
            json.member("currency", reservation.currency)
            json.member("seats", array: zip(reservation.seatIds, reservation.prices)) { json, seat in
                json.object { json in
                    json.member("id", seat.0)
                    json.member("price", seat.1)
                }
            }
            json.member("expiresAt", Instant.iso8601(reservation.expiresAt))
            json.member("createdAt", Instant.iso8601(reservation.createdAt))
            json.member("paymentId", reservation.paymentId)
            json.member("paidAt", reservation.paidAt.map(Instant.iso8601))
        }
    }

    /// What Payments is told (docs/booking.md).
    static func internalText(_ reservation: Reservation, now: Int64) -> JSONWriter {
        var json = JSONWriter()
        json.object { json in
            json.member("id", reservation.id)
            json.member("userId", reservation.userId)
            json.member("eventId", reservation.eventId)
            json.member("artistId", reservation.artistId)
            json.member("title", reservation.title)
            json.member("state", reservation.told(now: now).rawValue)
            json.member("amount", reservation.amount)
            json.member("currency", reservation.currency)
            json.member("tickets", Int64(reservation.seatIds.count))
            json.member("expiresAt", Instant.iso8601(reservation.expiresAt))
            json.member("visitorId", reservation.visitorId)
        }
        return json
    }

    static func write(_ tickets: [Ticket], _ key: TicketKey, to json: inout JSONWriter) throws {
        let payloads = try tickets.map { $0.state == .void ? nil : try $0.payload(key) }
        json.object { json in
            json.member("tickets", array: zip(tickets, payloads)) { write($1.0, payload: $1.1, to: &$0) }
        }
    }

    /// - Parameter payload: nil for one that opens no gate any more.
    static func write(_ ticket: Ticket, payload: String?, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", ticket.id)
            json.member("reservationId", ticket.reservationId)
            json.member("eventId", ticket.eventId)
            json.member("title", ticket.title)
            json.member("startsAt", Instant.iso8601(ticket.startsAt))
            json.member("seatId", ticket.seatId)
            json.member("section", ticket.section)
            json.member("row", ticket.row)
            json.member("number", ticket.number)
            json.member("price", ticket.price)
            json.member("currency", ticket.currency)
            json.member("state", ticket.state.rawValue)
            json.member("usedAt", ticket.usedAt.map(Instant.iso8601))
            json.member("payload", payload)
        }
    }
}

extension Reservation {
    /// A hold whose time is over is none, whether it has been swept or not.
    func told(now: Int64) -> State { state == .held && now >= expiresAt ? .expired : state }
}
