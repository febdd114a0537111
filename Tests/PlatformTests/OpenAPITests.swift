import Foundation
import Platform
import Testing

@Suite struct OpenAPITests {
    private typealias Members = [String: Any]

    private func merged(_ documents: String...) throws -> Members {
        try #require(
            try JSONSerialization.jsonObject(with: Data(OpenAPI.merged(documents).utf8)) as? Members)
    }

    @Test func theDocumentOfAProcessHasWhatEachPartOfItServes() throws {
        let merged = try merged(
            #"{"info":{"title":"one"},"paths":{"/a":{"get":{}},"/c":{"get":{}}},"components":{"schemas":{"A":{"x":1}}}}"#,
            #"{"info":{"title":"two"},"paths":{"/b":{"get":{}},"/c":{"post":{}}},"components":{"schemas":{"A":{"x":2}},"responses":{"P":{}}}}"#
        )
        #expect(merged["info"] as? [String: String] == ["title": "one"])
        let paths = try #require(merged["paths"] as? [String: Members])
        let own = ["/health", "/metrics", "/openapi.json", "/ready"]
        #expect(paths.keys.sorted() == ["/a", "/b", "/c"] + own)
        #expect(try #require(paths["/c"]).keys.sorted() == ["get", "post"])
        let components = try #require(merged["components"] as? [String: [String: Members]])
        #expect(components["schemas"]?["A"]?["x"] as? Int == 1)
        #expect(components["responses"]?["P"] != nil)
    }

    @Test func anOperationsProblemsBecomeItsResponses() throws {
        let merged = try merged(#"{"paths":{"/a":{"get":{"responses":{"200":{}},"x-problems":[404,503]}}}}"#)
        let paths = try #require(merged["paths"] as? [String: [String: Members]])
        let operation = try #require(paths["/a"]?["get"])
        #expect(operation["x-problems"] == nil)
        let responses = try #require(operation["responses"] as? [String: [String: String]])
        #expect(responses.keys.sorted() == ["200", "404", "503"])
        let components = try #require(merged["components"] as? [String: [String: Members]])
        for status in ["404", "503"] {
            let reference = try #require(responses[status]?["$ref"])
            let name = String(try #require(reference.split(separator: "/").last))
            let content = try #require(components["responses"]?[name]?["content"] as? Members)
            #expect(content.keys.sorted() == ["application/problem+json"])
        }
    }

    /// It stands beside those of documents with none, or another.
    @Test func aDocumentsSecurityIsThatOfItsOperations() throws {
        let merged = try merged(
            #"{"security":[{"bearer":[]}],"paths":{"/a":{"get":{}},"/open":{"get":{"security":[]}}}}"#,
            #"{"paths":{"/b":{"get":{}}}}"#)
        #expect(merged["security"] == nil)
        let paths = try #require(merged["paths"] as? [String: [String: Members]])
        #expect((paths["/a"]?["get"]?["security"] as? [Any])?.count == 1)
        #expect((paths["/open"]?["get"]?["security"] as? [Any])?.count == 0)
        #expect(paths["/b"]?["get"]?["security"] == nil)
    }
}
