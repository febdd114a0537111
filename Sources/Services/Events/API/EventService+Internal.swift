import Core
import Hummingbird
import Platform
import Storage

/// `/internal/events`, for the other services.
extension EventService {
    func addInternalRoutes(_ open: Routes, _ service: Routes) {
        // Never from the cache: who asks because of a message must see the change that it tells of, and asks once.
        open.get("events/:id") { _, context in
            let id = try Self.id("id", context, orElse: CatalogueChange.unknownEvent)
            let (event, layout) = try await database.pool.withConnection { connection in
                try connection.transaction(isolation: .repeatableRead) { connection in
                    (try EventStore.find(id, on: connection), try EventStore.layout(of: id, on: connection))
                }
            }
            guard let event else { throw CatalogueChange.unknownEvent }
            return Self.answer(.ok) { Self.write(event, layout, to: &$0) }
        }
        service.put("events/:id/availability") { request, context in
            let id = try Self.id("id", context)
            let fields = try await RequestFields(of: request, known: ["seatsLeft"])
            let seatsLeft = try fields.integer("seatsLeft", in: 0...SeatLayout.maxSeats)
            let isOther = try await database.pool.withConnection { connection in
                try connection.transaction { try EventStore.setSeatsLeft(seatsLeft, of: id, on: $0) }
            }
            // As often as seats are sold; only this changes what is answered.
            if isOther { await cache.drop() }
            return Response(status: .noContent)
        }
    }

    /// As docs/booking.md has it.
    private static func write(_ event: CatalogueEvent, _ layout: SeatLayout?, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", event.id)
            json.member("title", event.draft.title)
            json.member("artistId", event.draft.artistId)
            // What the organiser decided: time is the reader's own.
            json.member("status", event.isCanceled ? "canceled" : "scheduled")
            json.member("salesOpenAt", Instant.iso8601(event.draft.salesOpenAt))
            json.member("salesCloseAt", Instant.iso8601(event.draft.salesCloseAt))
            json.member("startsAt", Instant.iso8601(event.draft.startsAt))
            json.member("currency", event.draft.currency)
            json.member("maxSeatsPerBuyer", event.draft.maxSeatsPerBuyer)
            json.member("needsAdmission", event.draft.needsAdmission)
            json.member("taxable", event.draft.taxable)
            json.member("version", event.version)
            json.member("seats", array: layout?.seats ?? []) { json, seat in
                json.object { json in
                    json.member("id", seat.id)
                    json.member("section", seat.section)
                    json.member("row", seat.row)
                    json.member("number", seat.number)
                    json.member("price", seat.price)
                }
            }
        }
    }
}
