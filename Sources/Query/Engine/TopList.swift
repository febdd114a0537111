/// The best of many, in bounded memory: highest value first, equal ones by key.
struct TopList<Key: Comparable & Sendable> {
    let maxCount: Int
    private(set) var items: [(key: Key, value: Int64)] = []

    init(maxCount: Int) {
        self.maxCount = maxCount
    }

    mutating func add(_ key: Key, _ value: Int64) {
        if items.count == maxCount, let last = items.last, !Self.precedes((key, value), last) { return }
        let place = items.firstIndex { Self.precedes((key, value), $0) } ?? items.count
        items.insert((key, value), at: place)
        if items.count > maxCount { items.removeLast() }
    }

    private static func precedes(_ left: (key: Key, value: Int64), _ right: (key: Key, value: Int64)) -> Bool {
        left.value != right.value ? left.value > right.value : left.key < right.key
    }
}
