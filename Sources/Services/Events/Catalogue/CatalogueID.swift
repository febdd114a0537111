import Core
import Foundation
import Platform

/// Ids of events, artists, venues and categories: UUIDs of ours, or what an admin named them.
enum CatalogueID {
    static let maxCharacters = 64
    /// For people.
    static let letters = "a-z, 0-9, - and _"

    static func isValid(_ text: some StringProtocol) -> Bool {
        (1...maxCharacters).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }

    static func make() -> String { UUID().uuidString.lowercased() }

    /// An admin's own `id`, or a new one.
    ///
    /// - Parameter reserved: what the path of another route is.
    static func read(_ fields: RequestFields, reserved: Set<String> = []) throws(Problem) -> String {
        guard let id = try fields.optionalText("id", bytes: 1...maxCharacters) else { return make() }
        guard isValid(id), !reserved.contains(id) else {
            throw fields.invalid("id", "must be 1 to \(maxCharacters) of \(letters), and not the name of a route")
        }
        return id
    }

    /// A member that refers to another thing.
    static func readReference(_ name: String, _ fields: RequestFields) throws(Problem) -> String? {
        guard let id = try fields.optionalText(name, bytes: 1...maxCharacters) else { return nil }
        guard isValid(id) else { throw fields.invalid(name, "must be 1 to \(maxCharacters) of \(letters)") }
        return id
    }
}
