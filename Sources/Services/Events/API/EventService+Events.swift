import Core
import Hummingbird
import Platform
import Storage

/// `/api/events`
extension EventService {
    /// Paths of other routes, which no event can have.
    static let reservedIds: Set<String> = ["search", "keywords"]
    static let listParameters = ["category", "artistId", "venueId", "status", "from", "to", "cursor", "limit"]

    func addEventRoutes(_ open: Routes, _ admin: Routes) {
        open.get("events") { request, _ in
            let list = try Self.list(try parameters(request, Self.listParameters))
            return Self.answer(try await json(list), to: request)
        }
        open.get("events/:id") { request, context in
            _ = try parameters(request)
            let id = try Self.id("id", context)
            let json = try await cache.json(.event, id) {
                guard let event = try await database.pool.withConnection({ try EventStore.find(id, on: $0) }) else {
                    throw CatalogueChange.notFound
                }
                let now = clock()
                var json = JSONWriter()
                event.write(to: &json, at: now)
                return CatalogueCache.Entry(json: json.text, staysUntil: event.staysUntil(now))
            }
            return Self.answer(json, to: request)
        }
        admin.post("events") { request, _ in
            let fields = try await RequestFields(of: request, known: EventDraft.members.union(["id"]))
            let id = try CatalogueID.read(fields, reserved: Self.reservedIds)
            let draft = try EventDraft(fields)
            let now = clock()
            let event = try await change { connection in
                guard try EventStore.insert(id, draft, now: now, on: connection) else { throw CatalogueChange.idTaken }
                return try EventStore.find(id, on: connection)!
            }
            return Self.answer(.created, location: "/api/events/\(id)") { event.write(to: &$0, at: now) }
        }
        admin.put("events/:id") { request, context in
            let id = try Self.id("id", context)
            let fields = try await RequestFields(of: request, known: EventDraft.members.union(["version"]))
            let draft = try EventDraft(fields)
            let version = try Self.version(fields)
            let now = clock()
            let event = try await change { connection in
                try EventStore.update(id, draft, version: version, now: now, on: connection)
                return try EventStore.find(id, on: connection)!
            }
            return Self.answer(.ok) { event.write(to: &$0, at: now) }
        }
        admin.delete("events/:id") { _, context in
            let id = try Self.id("id", context)
            let now = clock()
            try await change { try EventStore.cancel(id, now: now, on: $0) }
            return Response(status: .noContent)
        }
    }

    static func list(_ parameters: QueryParameters) throws -> EventList {
        func id(_ name: String) throws -> String? {
            guard let id = parameters[name] else { return nil }
            guard CatalogueID.isValid(id) else {
                throw Problem.invalid(name, "must be 1 to \(CatalogueID.maxCharacters) of \(CatalogueID.letters)")
            }
            return id
        }
        func instant(_ name: String) throws -> Int64? {
            guard let text = parameters[name] else { return nil }
            // A plus that isn't percent-encoded is a blank.
            guard let instant = Instant.parse(text) ?? Instant.parse(text.replacing(" ", with: "+")),
                EventDraft.instants.contains(instant)
            else {
                throw Problem.invalid(
                    name, "must be an ISO 8601 date-time with an offset, such as 2026-01-31T19:00:00+09:00")
            }
            return instant
        }
        var list = EventList()
        list.categoryId = try id("category")
        list.artistId = try id("artistId")
        list.venueId = try id("venueId")
        if let text = parameters["status"] {
            guard let status = EventStatus(rawValue: text) else {
                let allowed = EventStatus.allCases.map(\.rawValue)
                throw Problem.invalid("status", "must be one of \(allowed.joined(separator: ", "))", allowed: allowed)
            }
            list.status = status
        }
        list.from = try instant("from")
        list.until = try instant("to")
        if let text = parameters["cursor"] {
            guard let cursor = ListCursor(text) else {
                throw Problem.invalid("cursor", "must be the nextCursor of an answer")
            }
            list.after = cursor
        }
        list.limit = try limit(parameters)
        return list
    }

    private func json(_ list: EventList) async throws -> String {
        @Sendable func make() async throws -> CatalogueCache.Entry {
            let now = clock()
            let (events, next) = try await database.pool.withConnection { try list.events(at: now, on: $0) }
            var entry = Self.write(events, next: next?.text, at: now)
            // Which events a list by status has follows from time, too.
            if list.status != nil { entry.staysUntil = min(entry.staysUntil ?? .max, now + Self.maxListAgeMs) }
            return entry
        }
        guard list.isCommon else { return try await make().json }
        return try await cache.json(.list, "\(list)", make: make)
    }

    /// Of a list by status: an event comes into it this late.
    static let maxListAgeMs: Int64 = 1000
}
