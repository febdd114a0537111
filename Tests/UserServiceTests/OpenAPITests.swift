import Foundation
import HTTPTypes
import Hummingbird
import Platform
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct OpenAPITests {
    private static func document() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(UserService.openAPI.utf8)) as? [String: Any])
    }

    @Test func itHasEveryRouteAndNoOther() async throws {
        let paths = try #require(Self.document()["paths"] as? [String: [String: Any]])
        let documented = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        let routes = try await withUsers { users in
            let router = Router(context: ServiceContext.self)
            users.service.addRoutes(to: router)
            return Set(router.routes.map { "\($0.method) \($0.path)" })
        }
        #expect(documented == routes)
    }

    @Test func itsBoundsAreThoseOfTheCode() throws {
        let components = try #require(Self.document()["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        #expect(schemas["Email"]?["pattern"] as? String == EmailAddress.pattern)
        #expect(schemas["Email"]?["maxLength"] as? Int == EmailAddress.lengths.upperBound)
        #expect(schemas["Email"]?["minLength"] as? Int == EmailAddress.lengths.lowerBound)
        #expect(schemas["NewPassword"]?["minLength"] as? Int == PasswordRule.lengths.lowerBound)
        #expect(schemas["NewPassword"]?["maxLength"] as? Int == PasswordRule.lengths.upperBound)
        #expect(schemas["Code"]?["maxLength"] as? Int == Secret.textLength)
        let pattern = try Regex(try #require(schemas["Code"]?["pattern"] as? String))
        for _ in 0..<100 { #expect(Secret.random().text.wholeMatch(of: pattern) != nil) }
    }
}
