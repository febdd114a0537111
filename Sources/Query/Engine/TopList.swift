/// The best of many, in bounded memory: highest value first, equal ones by key.
struct TopList<Key: Comparable & Sendable> {
    let maxCount: Int
    private(set) var items: [(key: Key, value: Int64)] = []

    init(maxCount: Int) {
        self.maxCount = maxCount
    }

    mutating func add(_ key: Key, _ value: Int64) {
        if items.count == maxCount, let last = items.last, !Self.precedes((key, value), last) { return }
        var (low, place) = (0, items.count)
        while low < place {
            let middle = (low + place) / 2
            if Self.precedes((key, value), items[middle]) { place = middle } else { low = middle + 1 }
        }
        items.insert((key, value), at: place)
        if items.count > maxCount { items.removeLast() }
    }

    private static func precedes(_ left: (key: Key, value: Int64), _ right: (key: Key, value: Int64)) -> Bool {
        left.value != right.value ? left.value > right.value : left.key < right.key
    }
}
