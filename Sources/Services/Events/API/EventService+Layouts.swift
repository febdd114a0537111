import Hummingbird
import Platform
import Storage

/// `/api/events/ID/layout`
extension EventService {
    static let maxLayoutBytes = 1024 * 1024

    func addLayoutRoutes(_ open: Routes, _ admin: Routes) {
        open.get("events/:id/layout") { request, context in
            _ = try parameters(request)
            let id = try Self.id("id", context)
            let json = try await cache.json(.layout, id) {
                let (event, layout) = try await database.pool.withConnection { connection in
                    try connection.transaction(isolation: .repeatableRead) { connection in
                        (try EventStore.find(id, on: connection), try EventStore.layout(of: id, on: connection))
                    }
                }
                guard let event, let layout else { throw CatalogueChange.notFound }
                return CatalogueCache.Entry(json: Self.json(layout, of: event))
            }
            return Self.answer(json, to: request)
        }
        admin.put("events/:id/layout") { request, context in
            let id = try Self.id("id", context)
            let fields = try await RequestFields(
                of: request, known: SeatLayout.members, maxBytes: Self.maxLayoutBytes)
            let layout = try SeatLayout(fields)
            let version = try fields.optionalInteger("version", in: 1 ... .max)
            let now = clock()
            let event = try await change { connection in
                try EventStore.replaceLayout(of: id, layout, version: version, now: now, on: connection)
                return try EventStore.find(id, on: connection)!
            }
            return Self.answer(.ok) { $0.raw(Self.json(layout, of: event)) }
        }
    }

    private static func json(_ layout: SeatLayout, of event: CatalogueEvent) -> String {
        var json = JSONWriter()
        layout.write(to: &json, eventId: event.id, currency: event.draft.currency, version: event.version)
        return json.text
    }
}
