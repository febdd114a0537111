import HTTPTypes
import Hummingbird
import Platform

/// Ids in paths: what is no id as we write them names nothing.
enum PathId {
    static let maxEventBytes = 64

    /// - Throws: 404.
    static func uuid(_ name: String, _ context: ServiceContext) throws -> String {
        guard let text = context.parameters.get(name), isUUID(text) else { throw Problem(.notFound, "not_found") }
        return text
    }

    /// - Throws: 404.
    static func event(_ name: String, _ context: ServiceContext) throws -> String {
        guard let text = context.parameters.get(name), isEvent(text) else { throw Problem(.notFound, "not_found") }
        return text
    }

    /// As Events names them: 1 to 64 of a-z, 0-9 and -.
    static func isEvent(_ text: String) -> Bool {
        (1...maxEventBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    /// Lower-case, with hyphens.
    static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            switch index {
            case 8, 13, 18, 23: byte == UInt8(ascii: "-")
            default: (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            }
        }
    }
}
