import Foundation
import Hummingbird
import Platform
import TestSupport
import Testing

@testable import EventService

@Suite(.timeLimit(.minutes(5))) struct EventOpenAPITests {
    private func document() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(EventService.openAPI.utf8)) as? [String: Any])
    }

    @Test func itHasEveryRouteAndNoOther() async throws {
        let paths = try #require(try document()["paths"] as? [String: [String: Any]])
        let said = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        try await Lab.with { lab in
            let router = Router(context: ServiceContext.self)
            lab.service.addRoutes(to: router)
            let served = Set(
                router.routes.map { route in
                    let path = route.path.description.split(separator: "/").map { part in
                        part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part)
                    }
                    return "\(route.method.rawValue) /\(path.joined(separator: "/"))"
                })
            #expect(said == served)
        }
    }

    @Test func itsMembersAreThoseThatAreRead() throws {
        let components = try #require(try document()["components"] as? [String: [String: Any]])
        func members(_ name: String) -> Set<String> {
            let schema = components["schemas"]?["Catalogue\(name)"] as? [String: Any]
            return Set((schema?["properties"] as? [String: Any] ?? [:]).keys)
        }
        #expect(members("NewEvent") == EventDraft.members.union(["id"]))
        #expect(members("ChangedEvent") == EventDraft.members.union(["version"]))
        #expect(members("NewImage") == EventImage.members)
        #expect(members("NewArtist") == NamedThing.artist.members.union(["id"]))
        #expect(members("ChangedVenue") == NamedThing.venue.members.union(["version"]))
        #expect(members("NewCategory") == NamedThing.category.members.union(["id"]))
    }
}
