/// Small numbers by 64-bit hashes that are spread evenly, by open addressing.
struct HashIndex {
    /// 0 where free; a power of two of places, at most half of them taken.
    private var hashes = [UInt64](repeating: 0, count: 1024)
    private var numbers = [Int32](repeating: 0, count: 1024)
    private var count = 0

    subscript(hash: UInt64) -> Int32? {
        let place = place(of: hash | 1)
        return hashes[place] == 0 ? nil : numbers[place]
    }

    /// False where the hash is known.
    mutating func insert(_ hash: UInt64, _ number: Int32) -> Bool {
        let place = place(of: hash | 1)
        guard hashes[place] == 0 else { return false }
        hashes[place] = hash | 1
        numbers[place] = number
        count += 1
        if count * 2 > hashes.count { grow() }
        return true
    }

    private func place(of hash: UInt64) -> Int {
        let mask = hashes.count - 1
        var place = Int(truncatingIfNeeded: hash >> 1) & mask
        while hashes[place] != 0, hashes[place] != hash { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let before = (hashes, numbers)
        hashes = [UInt64](repeating: 0, count: before.0.count * 2)
        numbers = [Int32](repeating: 0, count: before.0.count * 2)
        for (index, hash) in before.0.enumerated() where hash != 0 {
            let place = place(of: hash)
            hashes[place] = hash
            numbers[place] = before.1[index]
        }
    }
}
