import HTTPTypes
import Hummingbird
import NIOCore
import Platform
import Storage

/// What the routes have in common.
extension EventService {
    typealias Routes = RouterGroup<ServiceContext>

    /// Nobody's own: proxies may keep it as long as browsers.
    static let cacheControl = "public, max-age=1"

    /// The id in the path; one that could be nobody's is that of nothing.
    static func id(
        _ name: String, _ context: ServiceContext, orElse problem: Problem = CatalogueChange.notFound
    ) throws -> String {
        let id = context.parameters.get(name) ?? ""
        guard CatalogueID.isValid(id) else { throw problem }
        return id
    }

    /// Answers what is read.
    static func answer(_ json: String, to request: Request) -> Response {
        var writer = JSONWriter()
        writer.raw(json)
        return JSONResponse.make(writer, to: request, cacheControl: cacheControl)
    }

    /// Answers a change with what it made.
    static func answer(
        _ status: HTTPResponse.Status, location: String? = nil, _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var json = JSONWriter()
        write(&json)
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if let location { headers[.location] = location }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }

    func parameters(_ request: Request, _ known: [String] = []) throws -> QueryParameters {
        try QueryParameters(query: request.uri.query, known: known)
    }

    /// One transaction; then nothing cached is answered any more.
    func change<R: Sendable>(_ body: @escaping @Sendable (PostgresConnection) throws -> R) async throws -> R {
        do {
            let result = try await database.pool.withConnection { try $0.transaction(body) }
            await cache.drop()
            return result
        } catch let error as PostgresError where error.kind == .unavailable {
            // It may have been committed.
            await cache.drop()
            throw error
        }
    }

    static func version(_ fields: RequestFields) throws -> Int64 { try fields.integer("version", in: 1 ... .max) }

    static func limit(_ parameters: QueryParameters) throws -> Int {
        try parameters.integer("limit", in: 1...EventList.maxLimit, default: EventList.defaultLimit)
    }

    static func write(
        _ events: [CatalogueEvent], next: String?, at now: Int64
    ) -> CatalogueCache.Entry {
        var json = JSONWriter()
        json.object { json in
            json.member("events", array: events) { json, event in event.write(to: &json, at: now) }
            json.member("nextCursor", next)
        }
        return CatalogueCache.Entry(json: json.text, staysUntil: events.compactMap { $0.staysUntil(now) }.min())
    }
}
