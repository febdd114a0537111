import Core
import HTTPTypes
import Hummingbird
import NIOCore
import Platform
import Storage

/// `/internal/events`, for the other services.
extension EventService {
    func addInternalRoutes(_ open: Routes) {
        open.get("events/:id") { _, context in
            let id = try Self.id("id", context, orElse: CatalogueChange.unknownEvent)
            // Who asks because of a message must see the change that it tells of, so the database is always asked: for
            // one number, by the event's key. The rest is read once for each version.
            let version = try await database.pool.withConnection { try EventStore.version(of: id, on: $0) }
            guard let version else { throw CatalogueChange.unknownEvent }
            let json = try await copied.json(of: id, version: version) {
                let (event, layout) = try await database.pool.withConnection { connection in
                    try connection.transaction(isolation: .repeatableRead) { connection in
                        (try EventStore.find(id, on: connection), try EventStore.layout(of: id, on: connection))
                    }
                }
                guard let event else { throw CatalogueChange.unknownEvent }
                var json = JSONWriter()
                Self.write(event, layout, to: &json)
                return CopiedEvents.Copy(version: event.version, json: ByteBuffer(bytes: json.bytes))
            }
            return Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: json))
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
