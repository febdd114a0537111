import Hummingbird
import Platform
import Storage

/// `/api/events/ID/images`
extension EventService {
    func addImageRoutes(_ open: Routes, _ admin: Routes) {
        open.get("events/:id/images") { request, context in
            _ = try parameters(request)
            let id = try Self.id("id", context)
            let json = try await cache.json(.images, id) {
                let images = try await database.pool.withConnection { connection in
                    guard try EventStore.find(id, on: connection) != nil else { throw CatalogueChange.notFound }
                    return try EventImage.list(of: id, on: connection)
                }
                var json = JSONWriter()
                json.object { json in
                    json.member("images", array: images) { json, image in image.write(to: &json) }
                }
                return CatalogueCache.Entry(json: json.text)
            }
            return Self.answer(json, to: request)
        }
        admin.post("events/:id/images") { request, context in
            let id = try Self.id("id", context)
            let image = try EventImage(try await RequestFields(of: request, known: EventImage.members))
            try await change { try image.insert(of: id, on: $0) }
            return Self.answer(.created, location: "/api/events/\(id)/images/\(image.id)") { image.write(to: &$0) }
        }
        admin.delete("events/:id/images/:imageId") { _, context in
            let id = try Self.id("id", context)
            let imageId = try Self.id("imageId", context)
            try await change { try EventImage.remove(imageId, of: id, on: $0) }
            return Response(status: .noContent)
        }
    }
}
