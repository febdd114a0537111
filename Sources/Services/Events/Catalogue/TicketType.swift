import Foundation

/// A kind of ticket as it is announced: its name, and its price in minor units. What a seat costs, its layout says.
package struct TicketType: Codable, Sendable, Equatable {
    package static let maxTypes = 20
    package static let maxNameBytes = 60
    /// From the least that a card is charged with to a billion: no sum of seats comes near 64 bits.
    package static let prices: ClosedRange<Int64> = 100...1_000_000_000

    package var name: String
    package var price: Int64

    package init(name: String, price: Int64) {
        self.name = name
        self.price = price
    }
}

/// JSON that is kept in a column.
enum StoredJSON {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ text: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
