/// Small numbers by 64-bit hashes that are spread evenly, by open addressing.
struct HashIndex {
    private struct Entry {
        /// 0 where free.
        var hash: UInt64 = 0
        var number: Int32 = 0
    }

    /// A power of two of places, at most half of them taken.
    private var entries = [Entry](repeating: Entry(), count: 64)
    private var count = 0

    subscript(hash: UInt64) -> Int32? {
        let entry = entries[place(of: hash | 1)]
        return entry.hash == 0 ? nil : entry.number
    }

    /// Where among all a hash is, in so many bits: those with the same are near each other.
    func order(of hash: UInt64, bits: UInt64) -> Int {
        let place = Int(truncatingIfNeeded: hash >> 1) & (entries.count - 1)
        return Int(truncatingIfNeeded: UInt64(place) << bits / UInt64(entries.count))
    }

    /// False where the hash is known.
    mutating func insert(_ hash: UInt64, _ number: Int32) -> Bool {
        let place = place(of: hash | 1)
        guard entries[place].hash == 0 else { return false }
        entries[place] = Entry(hash: hash | 1, number: number)
        count += 1
        if count * 2 > entries.count { grow() }
        return true
    }

    private func place(of hash: UInt64) -> Int {
        let entries = entries.span
        let mask = entries.count - 1
        var place = Int(truncatingIfNeeded: hash >> 1) & mask
        while entries[place].hash != 0, entries[place].hash != hash { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let before = entries
        entries = [Entry](repeating: Entry(), count: before.count * 2)
        for entry in before where entry.hash != 0 { entries[place(of: entry.hash)] = entry }
    }
}
