import Hummingbird
import Platform
import Storage

/// `/api/artists`, `/api/venues` and `/api/categories`
extension EventService {
    func addRoutes(of thing: NamedThing, _ open: Routes, _ admin: Routes) {
        let path = thing.table
        open.get("\(path)") { request, _ in
            let pages = thing != .category
            let parameters = try parameters(request, pages ? ["limit", "cursor"] : [])
            let limit = pages ? try Self.limit(parameters) : NamedThing.maxCategories
            let after = parameters["cursor"] ?? ""
            guard after.isEmpty || CatalogueID.isValid(after) else {
                throw Problem.invalid("cursor", "must be the nextCursor of an answer")
            }
            @Sendable func make() async throws -> CatalogueCache.Entry {
                let stored = try await database.pool.withConnection { connection in
                    try thing.list(after: after, limit: limit + 1, on: connection)
                }
                var json = JSONWriter()
                json.object { json in
                    json.member(path, array: stored.prefix(limit)) { json, one in thing.write(one, to: &json) }
                    if pages { json.member("nextCursor", stored.count > limit ? stored[limit - 1].id : nil) }
                }
                return CatalogueCache.Entry(json: json.text)
            }
            let json =
                after.isEmpty ? try await cache.json(.names, "\(path)?\(limit)", make: make) : try await make().json
            return Self.answer(json, to: request)
        }
        open.get("\(path)/:id") { request, context in
            _ = try parameters(request)
            let id = try Self.id("id", context)
            let json = try await cache.json(.names, "\(path)/\(id)") {
                guard let stored = try await database.pool.withConnection({ try thing.find(id, on: $0) }) else {
                    throw CatalogueChange.notFound
                }
                var json = JSONWriter()
                thing.write(stored, to: &json)
                return CatalogueCache.Entry(json: json.text)
            }
            return Self.answer(json, to: request)
        }
        admin.post("\(path)") { request, _ in
            let fields = try await RequestFields(of: request, known: thing.members.union(["id"]))
            let id = try CatalogueID.read(fields)
            let draft = try thing.draft(fields)
            let now = clock()
            let stored = try await change { connection in
                guard try thing.insert(id, draft, now: now, on: connection) else { throw CatalogueChange.idTaken }
                return try thing.find(id, on: connection)!
            }
            return Self.answer(.created, location: "/api/\(path)/\(id)") { thing.write(stored, to: &$0) }
        }
        admin.put("\(path)/:id") { request, context in
            let id = try Self.id("id", context)
            let fields = try await RequestFields(of: request, known: thing.members.union(["version"]))
            let draft = try thing.draft(fields)
            let version = try Self.version(fields)
            let now = clock()
            let stored = try await change { connection in
                try thing.update(id, draft, version: version, now: now, on: connection)
                return try thing.find(id, on: connection)!
            }
            return Self.answer(.ok) { thing.write(stored, to: &$0) }
        }
        guard thing == .category else { return }
        admin.delete("\(path)/:id") { _, context in
            let id = try Self.id("id", context)
            try await change { try thing.remove(id, on: $0) }
            return Response(status: .noContent)
        }
    }
}
