import HTTPTypes
import Hummingbird
import Platform

/// Ids in paths: what is no id as we write them names nothing.
enum PathId {
    static let maxEventBytes = 64

    /// - Throws: 404.
    static func uuid(
        _ name: String, _ context: ServiceContext, orElse problem: Problem = Problem(.notFound, "not_found")
    ) throws -> String {
        guard let text = context.parameters.get(name), isUUID(text) else { throw problem }
        return text
    }

    /// - Throws: 404.
    static func event(_ name: String, _ context: ServiceContext) throws -> String {
        guard let text = context.parameters.get(name), isEvent(text) else { throw Problem(.notFound, "not_found") }
        return text
    }

    /// As Events names them: 1 to 64 of a-z, 0-9, - and _.
    static func isEvent(_ text: String) -> Bool {
        (1...maxEventBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}
