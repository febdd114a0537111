import Core

/// The lists of values that have rows of their own, of an artist or the site and a dimension, and what all other values have:
/// these must be no better than those that were chosen.
struct BreakdownLists {
    /// Where a day has more values than this without rows of their own, the exact comparison counts them part by part.
    static let maxOthers = 2_000_000

    private struct List {
        /// How many values may have a row.
        var maxChosen: Int
        var chosen = 0
        var worst: Breakdown.Chosen?
        var hasRemainder = false
    }

    private struct Other: BitwiseCopyable {
        /// The row that the value would have.
        var row: UInt64
        var value: UInt64
        var list: Int
        var pageViews: Int64
        var beacons: Int64
    }

    /// Counts that are added together: each is somewhere else in memory.
    private static let maxPending = 1 << 14
    /// They are added in the order of so many bits of their rows.
    private static let orderBits: UInt64 = 10

    private var lists: [Int: List] = [:]
    /// The list that the last row was of: the next one is of it, too, mostly.
    private var current: (key: Int, list: List)?
    /// The rows of values, and their lists; until everything stored is known.
    private var valueRows: [(list: Int, row: UInt64)] = []
    /// By artist, a bit for each dimension of which not all values have rows.
    private var cut: [UInt8] = []
    /// Of lists of which not all values have rows: the rows of those that do.
    private var chosen = HashSet()
    private var others: [Other] = []
    /// By the hash of the row that a value would have.
    private var otherNumbers = HashIndex()
    private var pending: [Other] = []

    private static func key(_ artist: Int32, _ dimension: Int) -> Int { Int(artist) * 8 + dimension }

    // MARK: What is stored

    mutating func add(
        _ artist: Int32, _ dimension: Dimension, _ kind: BreakdownRows.Kind, _ value: Breakdown.Chosen, row: UInt64,
        maxChosen: Int
    ) {
        let key = Self.key(artist, Int(dimension.rawValue))
        if current?.key != key {
            keepCurrent()
            current = (key, lists[key] ?? List(maxChosen: maxChosen))
        }
        switch kind {
        case .value:
            valueRows.append((key, row))
            current!.list.chosen += 1
            if current!.list.worst.map({ Breakdown.Chosen.isBetter($0, value) }) ?? true { current!.list.worst = value }
        case .remainder: current!.list.hasRemainder = true
        case .missing: break
        }
    }

    private mutating func keepCurrent() {
        if let current { lists[current.key] = current.list }
        current = nil
    }

    /// Everything stored was added; false where some list is too long.
    mutating func finishStored() -> Bool {
        keepCurrent()
        for (key, list) in lists where list.hasRemainder {
            let artist = key / 8
            while cut.count <= artist { cut.append(0) }
            cut[artist] |= 1 << UInt8(key % 8)
        }
        let rows = valueRows.filter { lists[$0.list]!.hasRemainder }
        chosen.removeAll(for: rows.count)
        for row in rows { _ = chosen.insert(row.row) }
        valueRows = []
        return lists.values.allSatisfy { $0.chosen <= $0.maxChosen }
    }

    // MARK: What raw beacons give

    /// Whether not all values of the list have rows.
    @inline(__always)
    func isCut(_ artist: Int32, _ dimension: Int) -> Bool {
        Int(artist) < cut.count && cut[Int(artist)] & 1 << UInt8(dimension) != 0
    }

    /// Whether a value of a list that is cut has no row of its own.
    ///
    /// - Parameter row: that it has, or would have.
    @inline(__always)
    func isOther(_ value: UInt64, _ row: UInt64) -> Bool { value != RowHash.missing && !chosen.contains(row) }

    /// - Parameter row: that the value would have.
    @inline(__always)
    mutating func count(
        _ artist: Int32, _ dimension: Int, _ value: UInt64, _ row: UInt64, _ sum: BeaconSum
    ) {
        pending.append(
            Other(
                row: row, value: value, list: Self.key(artist, dimension), pageViews: sum.pageViews,
                beacons: sum.beacons))
        if pending.count == Self.maxPending { countPending() }
    }

    private mutating func countPending() {
        let mask = 1 << Int(Self.orderBits) - 1
        var starts = [Int](repeating: 0, count: mask + 2)
        // The bits by which their numbers are found first: neighbours are found near each other.
        func place(_ other: Other) -> Int { otherNumbers.order(of: other.row, bits: Self.orderBits) }
        for other in pending { starts[place(other) + 1] += 1 }
        for place in 1..<starts.count { starts[place] += starts[place - 1] }
        var ordered = pending
        for other in pending {
            let place = place(other)
            ordered[starts[place]] = other
            starts[place] += 1
        }
        for other in ordered {
            if let known = otherNumbers[other.row] {
                others[Int(known)].pageViews += other.pageViews
                others[Int(known)].beacons += other.beacons
            } else {
                _ = otherNumbers.insert(other.row, Int32(others.count))
                others.append(other)
            }
        }
        pending.removeAll(keepingCapacity: true)
    }

    var isBounded: Bool { others.count <= Self.maxOthers }

    /// Whether a list is cut only where it is full, and none of its others is better than those that were chosen.
    mutating func agree() -> Bool {
        countPending()
        return others.allSatisfy { other in
            let list = lists[other.list]!
            guard list.chosen == list.maxChosen, let worst = list.worst else { return false }
            let own = Breakdown.Chosen(value: other.value, pageViews: other.pageViews, beacons: other.beacons)
            return !Breakdown.Chosen.isBetter(own, worst)
        }
    }
}
