/// 64-bit hashes that are spread evenly, by open addressing.
struct HashSet {
    /// A power of two of places; 0 where free. More than are in use may be there.
    private var places = [UInt64](repeating: 0, count: 64)
    private var mask = 63
    /// In the order in which they came.
    private(set) var hashes: [UInt64] = []

    /// Makes it empty, with room for so many.
    mutating func removeAll(for count: Int) {
        let size = max(64, 1 << (Int.bitWidth - (count * 2 - 1).leadingZeroBitCount))
        mask = size - 1
        hashes.removeAll(keepingCapacity: true)
        if places.count < size {
            places = [UInt64](repeating: 0, count: size)
        } else {
            for index in 0..<size { places[index] = 0 }
        }
    }

    /// False where it is known.
    ///
    /// - Precondition: there is room, as was asked for.
    @inline(__always)
    mutating func insert(_ hash: UInt64) -> Bool {
        // That of 0 by such a chance that it may stand for another.
        let hash = max(hash, 1)
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] != 0 {
            if places[place] == hash { return false }
            place = (place + 1) & mask
        }
        places[place] = hash
        hashes.append(hash)
        return true
    }

    @inline(__always)
    func contains(_ hash: UInt64) -> Bool {
        let hash = max(hash, 1)
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] != 0 {
            if places[place] == hash { return true }
            place = (place + 1) & mask
        }
        return false
    }
}
