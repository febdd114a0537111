import Foundation

/// OpenAPI documents of the parts of a process.
///
/// A part writes what is its own; what all have in common is added here: the components of `shared`, and for each
/// status of an operation's `x-problems` the response that tells of it.
package enum OpenAPI {
    /// One document with the paths and components of all, and the title and the rest of the first. Where two have a
    /// component of one name, the first one's is taken.
    ///
    /// - Parameter documents: JSON objects, at least one. They are the program's own, so malformed ones end it.
    package static func merged(_ documents: [String]) -> String {
        let objects = documents.map { expanded(object($0)) }
        var merged = objects[0]
        for object in objects.dropFirst() + [expanded(object(shared))] {
            for key in ["paths", "components"] { merged[key] = union(merged[key], object[key]) }
        }
        merged["components"] = union(merged["components"], ["responses": problemResponses])
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: merged, options: options) else {
            preconditionFailure("no JSON of what was JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func object(_ document: String) -> [String: Any] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any] else {
            preconditionFailure("an OpenAPI document is no JSON object")
        }
        return object
    }

    private static func union(_ one: Any?, _ other: Any?) -> Any? {
        guard let one = one as? [String: Any], let other = other as? [String: Any] else { return one ?? other }
        return one.merging(other) { union($0, $1) as Any }
    }

    /// Its operations each with its own security and responses, as they stand among those of other documents.
    private static func expanded(_ document: [String: Any]) -> [String: Any] {
        var document = document
        let security = document.removeValue(forKey: "security")
        if var components = document["components"] as? [String: [String: Any]] {
            components["parameters"] = components["parameters"]?.mapValues { parameter in
                (parameter as? [String: Any]).map(expanded(parameter:)) ?? parameter
            }
            document["components"] = components
        }
        guard let paths = document["paths"] as? [String: [String: [String: Any]]] else { return document }
        document["paths"] = paths.mapValues { operations in
            operations.mapValues { operation in
                var operation = operation
                if operation["security"] == nil { operation["security"] = security }
                if let parameters = operation["parameters"] as? [[String: Any]] {
                    operation["parameters"] = parameters.map(expanded(parameter:))
                }
                var responses = operation["responses"] as? [String: Any] ?? [:]
                for status in operation.removeValue(forKey: "x-problems") as? [Int] ?? [] {
                    precondition(problems[status] != nil, "no problem is described for \(status)")
                    responses[String(status)] = ["$ref": "#/components/responses/Problem\(status)"]
                }
                operation["responses"] = responses
                return operation
            }
        }
        return document
    }

    /// `QueryParameters` takes one with an empty value for one that isn't there.
    private static func expanded(parameter: [String: Any]) -> [String: Any] {
        guard parameter["in"] as? String == "query", parameter["required"] as? Bool != true,
            parameter["allowEmptyValue"] == nil
        else { return parameter }
        return parameter.merging(["allowEmptyValue": true]) { $1 }
    }

    private static let problems = [
        400: "No JSON object, or no request", 401: "No token, or none of ours",
        402: "No money was taken: the payment was refused", 403: "Not for this role, or not from here",
        404: "There is none, or it is somebody else's", 405: "Not this method",
        409: "It has changed, or is no longer so: `code` says why", 413: "The body is too large",
        415: "The body has another content type", 422: "A parameter or member breaks its rule: `field` names it",
        429: "Too often: try again later", 503: "Try again later",
        504: "The answer took too long to find: ask for less",
    ]

    /// `Problem404` and the like.
    private static var problemResponses: [String: Any] {
        var responses: [String: Any] = [:]
        for (status, description) in problems {
            var response: [String: Any] = [
                "description": description,
                "content": [Problem.contentType: ["schema": ["$ref": "#/components/schemas/Problem"]]],
            ]
            if [429, 503].contains(status) {
                response["headers"] = ["Retry-After": ["$ref": "#/components/headers/RetryAfter"]]
            }
            responses["Problem\(status)"] = response
        }
        return responses
    }
}
