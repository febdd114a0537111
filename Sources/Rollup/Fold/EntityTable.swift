import Core
import Storage

/// Small numbers for artists, events and the site.
struct EntityTable {
    struct Entity: Hashable {
        var family: TrafficFamily
        var id: ExactText
    }

    private(set) var entities: [Entity] = []
    /// Murmur3 of family and id, by number: sessions of different entities never share a key.
    private(set) var hashes: [UInt64] = []
    private var numbers: [Entity: Int32] = [:]

    mutating func number(of entity: Entity) -> Int32 {
        if let number = numbers[entity] { return number }
        let number = Int32(entities.count)
        numbers[entity] = number
        entities.append(entity)
        hashes.append(Murmur3.hash64("\(entity.family.rawValue):\(entity.id)"))
        return number
    }

    /// Those of a column's values, in their order.
    mutating func numbers(of column: TextColumn, family: TrafficFamily) -> [Int32] {
        (0..<column.valueCount).map { number(of: Entity(family: family, id: ExactText(column.string(ofValue: $0)))) }
    }

    /// The family's entities by number, and their places in order of ids.
    func ranks(of family: TrafficFamily) -> [Int32: Int32] {
        let ordered = entities.indices.filter { entities[$0].family == family }
            .sorted { entities[$0].id < entities[$1].id }
        return Dictionary(uniqueKeysWithValues: zip(ordered.map(Int32.init), 0...))
    }

    subscript(number: Int32) -> Entity { entities[Int(number)] }
}
