import Foundation
import Testing

/// The OpenAPI document that a process serves.
struct ServedDocument {
    typealias Members = [String: Any]

    struct Operation {
        var method: String
        var path: String
        var members: Members
        /// With references resolved.
        var parameters: [Members]
        /// Of its JSON body; nil where it takes none.
        var bodySchema: Members?

        var route: String { "\(method) \(path)" }
    }

    let members: Members
    private(set) var operations: [Operation] = []

    init(_ text: String) throws {
        members = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Members)
        let paths = try #require(members["paths"] as? [String: [String: Members]])
        for (path, methods) in paths.sorted(by: { $0.key < $1.key }) {
            for (method, operation) in methods.sorted(by: { $0.key < $1.key }) {
                let body = operation["requestBody"] as? Members
                let json = (body?["content"] as? Members)?["application/json"] as? Members
                operations.append(
                    Operation(
                        method: method.uppercased(), path: path, members: operation,
                        parameters: (operation["parameters"] as? [Members] ?? []).map(resolved),
                        bodySchema: (json?["schema"] as? Members).map(resolved)))
            }
        }
    }

    /// What a reference leads to; the schema itself where it is none.
    func resolved(_ schema: Members) -> Members {
        guard let reference = schema["$ref"] as? String else { return schema }
        var place: Any? = members
        for step in reference.dropFirst(2).split(separator: "/") { place = (place as? Members)?[String(step)] }
        return (place as? Members).map(resolved) ?? [:]
    }

    /// The JSON types that a schema allows; nil where it doesn't say.
    func types(_ schema: Members) -> Set<String>? {
        let schema = resolved(schema)
        if let type = schema["type"] as? String { return [type] }
        if let types = schema["type"] as? [String] { return Set(types) }
        for name in ["anyOf", "oneOf"] {
            guard let alternatives = schema[name] as? [Members] else { continue }
            let types = alternatives.map(types)
            return types.contains { $0 == nil } ? nil : types.reduce(into: []) { $0.formUnion($1!) }
        }
        return nil
    }

    /// A member's schema, of whichever alternative has it.
    func property(_ name: String, of schema: Members) -> Members? {
        let schema = resolved(schema)
        if let property = (schema["properties"] as? [String: Members])?[name] { return resolved(property) }
        for alternatives in ["anyOf", "oneOf"] {
            for alternative in schema[alternatives] as? [Members] ?? [] {
                if let property = property(name, of: alternative) { return property }
            }
        }
        return nil
    }
}
