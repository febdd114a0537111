import Foundation

/// OpenAPI documents of the parts of a process.
package enum OpenAPI {
    /// One document with the paths and components of all, and the title and the rest of the first. Where two have a
    /// component of one name, the first one's is taken.
    ///
    /// - Parameter documents: JSON objects, at least one. They are the program's own, so malformed ones end it.
    package static func merged(_ documents: [String]) -> String {
        let objects = documents.map { document in
            guard let object = try? JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any] else {
                preconditionFailure("an OpenAPI document is no JSON object")
            }
            return object
        }
        var merged = objects[0]
        for object in objects.dropFirst() {
            for key in ["paths", "components"] { merged[key] = union(merged[key], object[key]) }
        }
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: merged, options: options) else {
            preconditionFailure("no JSON of what was JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func union(_ one: Any?, _ other: Any?) -> Any? {
        guard let one = one as? [String: Any], let other = other as? [String: Any] else { return one ?? other }
        return one.merging(other) { union($0, $1) as Any }
    }
}
