import Foundation
import NIOHTTP1
import Testing

/// Everybody tries everything.
@Suite(.timeLimit(.minutes(10))) struct AuthorizationTests {
    @Test func eachRouteAnswersEachPersonAsTheTableSays() async throws {
        try await ShopUnderTest.run { shop in
            // First, while nothing has changed: they may do nothing.
            try await keysOpenTheirOwnDoorsOnly(shop)
            let document = try await shop.document()
            // A route that the table says nothing of is nobody's yet.
            #expect(Set(document.operations.map(\.route)) == Set(AuthorizationTable.rows.map(\.route)))
            for row in AuthorizationTable.rows {
                for person in AuthorizationTable.Person.allCases {
                    let answer = try await shop.send(row, by: person)
                    #expect(
                        answer.status == row.status(person), "\(row.route) by \(person): \(answer.text.prefix(300))")
                    guard answer.status >= 400 else { continue }
                    let type = answer.headers.first(name: "Content-Type")
                    #expect(type == "application/problem+json", "\(row.route) by \(person)")
                }
            }
        }
    }

    /// Trap 9: a key opens its own service's doors, whatever role its tokens claim.
    private func keysOpenTheirOwnDoorsOnly(_ shop: ShopUnderTest) async throws {
        for row in AuthorizationTable.rows where row.status(.nobody) == 401 {
            let request = try await shop.request(row.route)
            let isInner = row.path.hasPrefix("/internal/reservations")
            let token = isInner ? shop.token(of: .service) : shop.paymentsToken
            var headers = request.headers
            headers.add(name: "Authorization", value: "Bearer \(token)")
            let answer = try await shop.send(row.method, request.path, request.body, by: .nobody, headers: headers)
            #expect(answer.status == 401, "\(row.route): \(answer.text.prefix(300))")
        }
    }
}
