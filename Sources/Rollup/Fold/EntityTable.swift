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
    /// By open addressing: numbers + 1, 0 where free; a power of two of places, at most half of them taken.
    private var places = [Int32](repeating: 0, count: 64)
    /// By number what places are found by.
    private var placeHashes: [UInt64] = []
    private let hash = TextHash()

    mutating func number(of entity: Entity) -> Int32 {
        var id = entity.id.string
        return id.withUTF8 { number(of: UnsafeRawBufferPointer($0), family: entity.family) }
    }

    /// - Parameter id: UTF-8.
    mutating func number(of id: UnsafeRawBufferPointer, family: TrafficFamily) -> Int32 {
        let placeHash = placeHash(of: id, family)
        let place = place(of: id, family, placeHash)
        if places[place] != 0 { return places[place] - 1 }
        let entity = Entity(family: family, id: ExactText(String(decoding: id, as: UTF8.self)))
        let number = Int32(entities.count)
        entities.append(entity)
        hashes.append(Murmur3.hash64("\(family.rawValue):\(entity.id)"))
        placeHashes.append(placeHash)
        places[place] = number + 1
        if entities.count * 2 > places.count { grow() }
        return number
    }

    /// Those of a column's values, in their order.
    mutating func numbers(of column: TextColumn, family: TrafficFamily) -> [Int32] {
        column.bytes.withUnsafeBytes { bytes in
            (0..<column.valueCount).map {
                number(of: UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)]), family: family)
            }
        }
    }

    /// Nil where it has none.
    func knownNumber(of id: UnsafeRawBufferPointer, family: TrafficFamily) -> Int32? {
        let number = places[place(of: id, family, placeHash(of: id, family))]
        return number == 0 ? nil : number - 1
    }

    private func placeHash(of id: UnsafeRawBufferPointer, _ family: TrafficFamily) -> UInt64 {
        hash(id) &+ (family == .artist ? 0 : family == .event ? 0x9e37_79b9_7f4a_7c15 : 0x3c6e_f372_fe94_f82a)
    }

    /// Where the entity is, or would go.
    private func place(of id: UnsafeRawBufferPointer, _ family: TrafficFamily, _ placeHash: UInt64) -> Int {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: placeHash >> 16) & mask
        while places[place] != 0 {
            let number = Int(places[place] - 1)
            if placeHashes[number] == placeHash, entities[number].family == family, entities[number].id.equals(id) {
                return place
            }
            place = (place + 1) & mask
        }
        return place
    }

    private mutating func grow() {
        places = [Int32](repeating: 0, count: places.count * 2)
        let mask = places.count - 1
        for number in entities.indices {
            var place = Int(truncatingIfNeeded: placeHashes[number] >> 16) & mask
            while places[place] != 0 { place = (place + 1) & mask }
            places[place] = Int32(number) + 1
        }
    }

    /// The family's entities by number, and their places in order of ids.
    func ranks(of family: TrafficFamily) -> [Int32: Int32] {
        let ordered = entities.indices.filter { entities[$0].family == family }
            .sorted { entities[$0].id < entities[$1].id }
        return Dictionary(uniqueKeysWithValues: zip(ordered.map(Int32.init), 0...))
    }

    subscript(number: Int32) -> Entity { entities[Int(number)] }
}
