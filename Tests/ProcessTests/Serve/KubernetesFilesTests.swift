import Foundation
import Testing

/// What the Kubernetes files say of the services is so.
@Suite struct KubernetesFilesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let documents = OpenAPIDocumentsTests.documents

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func paths(_ document: String) throws -> [String] {
        try #require(try OpenAPIDocumentsTests.object(document)["paths"] as? [String: Any]).keys.sorted()
    }

    /// Prefixes and the services that they lead to.
    private static func ingress() throws -> [(prefix: String, service: String)] {
        let rule = /path: (\S+)\s+pathType: Prefix\s+backend:\s+service:\s+name: (\S+)/
        return try text("k8s/base/ingress.yaml").matches(of: rule).map { (String($0.1), String($0.2)) }
    }

    /// Whole segments, as a path type of Prefix is.
    private static func isPrefix(_ prefix: String, of path: String) -> Bool {
        path == prefix || path.hasPrefix(prefix + "/")
    }

    /// Trap 15: seats, tickets and all else that is public can be reached, at the service that has it.
    @Test func eachPublicRouteLeadsToItsService() throws {
        let routes = try Self.ingress()
        #expect(routes.count > 10)
        for (service, document) in Self.documents {
            for path in try Self.paths(document) where path.hasPrefix("/api/") {
                let longest = routes.filter { Self.isPrefix($0.prefix, of: path) }
                    .max { $0.prefix.count < $1.prefix.count }
                #expect(longest?.service == service, "\(path)")
            }
        }
    }

    /// Trap 15, the other way: what services ask one another, and what an operator asks, stays inside.
    @Test func nothingElseIsLetIn() throws {
        let routes = try Self.ingress()
        let inner = try Self.documents.values.flatMap(Self.paths).filter { !$0.hasPrefix("/api/") }
        #expect(inner.contains { $0.hasPrefix("/internal/") })
        for path in inner + ["/metrics", "/ready", "/health", "/openapi.json", "/"] {
            #expect(!routes.contains { Self.isPrefix($0.prefix, of: path) }, "\(path)")
        }
        for route in routes {
            let served = try Self.paths(try #require(Self.documents[route.service]))
            #expect(served.contains { Self.isPrefix(route.prefix, of: $0) }, "\(route.prefix) leads to nothing")
        }
    }

    /// Trap 9: whoever could sign tokens could be anybody.
    @Test func nobodyButUsersHasTheKeysThatSignTokens() throws {
        let folder = Self.root.appending(path: "k8s/base", directoryHint: .isDirectory)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let holders = try files.filter { file in
            let text = try String(contentsOf: file, encoding: .utf8)
            return text.contains(/name: JWT_\w*SIGNING_KEY|name: tiketi-tokens/)
        }
        #expect(holders.map(\.lastPathComponent) == ["users.yaml"])
    }

    @Test func eachSettingIsOneOfTheReference() throws {
        let reference = try Self.text("docs/reference.md")
        let folder = Self.root.appending(path: "k8s", directoryHint: .isDirectory)
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        for case let file as URL in files where file.pathExtension == "yaml" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /- (?:name: )?([A-Z][A-Z_]+)(?:=|\n)/) {
                let name = String(match.1)
                // The Postgres image's own.
                if name.hasPrefix("POSTGRES_") || name == "PGDATA" { continue }
                names.insert(name.hasSuffix("_FILE") ? String(name.dropLast("_FILE".count)) : name)
            }
        }
        #expect(names.count > 20)
        #expect(names.filter { !reference.contains("`\($0)`") } == [])
    }
}
