/// Tells whether 64-bit hashes that are spread evenly are all different. Looks at them at the end, some at a time: a set that
/// all are in would be waited for with each of them.
struct DistinctHashes {
    /// About so many are looked at together.
    private static let meanTogether = 256

    private var hashes: [UInt64] = []

    mutating func add(_ hash: UInt64) { hashes.append(hash) }

    func areDistinct() -> Bool {
        let bits = UInt64(max(1, Int.bitWidth - (hashes.count / Self.meanTogether).leadingZeroBitCount))
        let shift = 64 - bits
        var ends = [Int](repeating: 0, count: 1 << Int(bits) + 1)
        for hash in hashes { ends[Int(hash >> shift) + 1] += 1 }
        for place in 1..<ends.count { ends[place] += ends[place - 1] }
        var ordered = [UInt64](repeating: 0, count: hashes.count)
        // Here they are starts, which move to the ends as the hashes are dealt out.
        for hash in hashes {
            let place = Int(hash >> shift)
            ordered[ends[place]] = hash
            ends[place] += 1
        }
        var known = HashSet()
        var start = 0
        for end in ends.dropLast() {
            known.removeAll(for: end - start)
            for index in start..<end where !known.insert(ordered[index]) { return false }
            start = end
        }
        return true
    }
}
