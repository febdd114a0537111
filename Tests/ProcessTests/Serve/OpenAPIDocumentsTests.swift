import EventService
import Foundation
import Ingest
import PaymentService
import Platform
import Query
import ReservationService
import Testing
import UserService

/// The documents of all services, alone and as one process serves them.
@Suite struct OpenAPIDocumentsTests {
    static let documents = [
        "tiketi-ingest": TrackOpenAPI.document, "tiketi-query": QueryAPI.openAPI, "tiketi-users": UserService.openAPI,
        "tiketi-events": EventService.openAPI, "tiketi-reservations": ReservationService.openAPI,
        "tiketi-payments": PaymentService.openAPI,
    ]

    static func object(_ document: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any])
    }

    private static func components(_ document: String) throws -> Set<String> {
        let components = try object(document)["components"] as? [String: [String: Any]] ?? [:]
        return Set(components.flatMap { kind, all in all.keys.map { "\(kind)/\($0)" } })
    }

    private static func references(_ document: String) -> Set<String> {
        Set(document.matches(of: /"#\/components\/([A-Za-z]+\/[A-Za-z0-9._-]+)/).map { String($0.1) })
    }

    /// A document's security is named, not referred to.
    private static func isReferredTo(_ component: String) -> Bool { !component.hasPrefix("securitySchemes/") }

    @Test func everyReferenceLeadsToAComponentAndEachComponentIsReferredTo() throws {
        for (service, document) in Self.documents {
            let merged = OpenAPI.merged([document])
            #expect(Self.references(merged).subtracting(try Self.components(merged)) == [], "\(service)")
            let own = try Self.components(document).filter(Self.isReferredTo)
            #expect(own.subtracting(Self.references(document)) == [], "\(service)")
        }
        let all = OpenAPI.merged(Array(Self.documents.values))
        let unused = try Self.components(all).filter(Self.isReferredTo).subtracting(Self.references(all))
        #expect(unused == [])
    }

    /// Served together, one of them would describe what the other has.
    @Test func noTwoHaveAComponentOfOneName() throws {
        var owners: [String: String] = [:]
        for (service, document) in Self.documents {
            for component in try Self.components(document) {
                #expect(owners[component] == nil, "\(component) is of \(service) and \(owners[component] ?? "")")
                owners[component] = service
            }
        }
    }
}
