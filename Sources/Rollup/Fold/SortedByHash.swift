extension Array where Element: BitwiseCopyable {
    /// The elements by ascending hash, those of equal hashes as `areInIncreasingOrder` wants them.
    ///
    /// A hash's leading bits deal the elements out evenly: what is left to sort are buckets of about eight, which fit the
    /// caches. Linear as long as hashes are spread.
    func sorted(
        byHash hash: (Element) -> UInt64, then areInIncreasingOrder: (Element, Element) -> Bool
    ) -> [Element] {
        let bits = Swift.max(1, Swift.min(20, 64 - UInt64(count / 8).leadingZeroBitCount))
        let shift = UInt64(64 - bits)
        return [Element](unsafeUninitializedCapacity: count) { sorted, initialized in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: 1 << bits) { ends in
                ends.initialize(repeating: 0)
                for element in self { ends[Int(truncatingIfNeeded: hash(element) >> shift)] += 1 }
                var end = 0
                for bucket in ends.indices {
                    let count = ends[bucket]
                    ends[bucket] = end
                    end += count
                }
                // Here `ends` holds starts, which move to the ends as the buckets fill.
                for element in self {
                    let bucket = Int(truncatingIfNeeded: hash(element) >> shift)
                    sorted.initializeElement(at: ends[bucket], to: element)
                    ends[bucket] += 1
                }
                initialized = count
                var start = 0
                for end in ends {
                    sort(sorted, start..<end, hash, areInIncreasingOrder)
                    start = end
                }
            }
        }
    }

    /// By insertion, which is best for a handful; more than that are of hashes that aren't spread.
    private func sort(
        _ elements: UnsafeMutableBufferPointer<Element>, _ range: Range<Int>, _ hash: (Element) -> UInt64,
        _ areInIncreasingOrder: (Element, Element) -> Bool
    ) {
        func isBefore(_ left: Element, _ right: Element) -> Bool {
            let (leftHash, rightHash) = (hash(left), hash(right))
            return leftHash == rightHash ? areInIncreasingOrder(left, right) : leftHash < rightHash
        }
        guard range.count <= 32 else {
            var bucket = UnsafeMutableBufferPointer(rebasing: elements[range])
            bucket.sort(by: isBefore)
            return
        }
        for index in range.dropFirst() {
            let element = elements[index]
            var place = index
            while place > range.lowerBound, isBefore(element, elements[place - 1]) {
                elements[place] = elements[place - 1]
                place -= 1
            }
            elements[place] = element
        }
    }
}
