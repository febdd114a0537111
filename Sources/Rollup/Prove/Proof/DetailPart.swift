import Core

/// Some artists' dimensions, or the site's, and some events: what is stored of them, and what raw beacons give.
///
/// The stored rows say which values have rows of their own: each row's sums and sketch are counted again, and of all other
/// values only the counts, which must be no better than those of the values that were chosen. One pass, whatever there is.
struct DetailPart {
    /// What neighbouring beacons of one visitor say of one artist and dimension, or of one event.
    struct Record: BitwiseCopyable {
        var list: UInt64
        var value: UInt64
        var visitor: UInt64
        var beacons: UInt16 = 0
        var pageViews: UInt16 = 0
        var isNobody = false
    }

    /// A stored row; one of a funnel has a sketch only.
    private struct Stored {
        var pageViews: Int64?
        var beacons: Int64?
        /// Where its sketch lies among those of the part.
        var visitors: Range<Int>
        /// Whether it may be there though no beacon is of it.
        var mayBeEmpty = false
    }

    /// What stands for no value, for all those without a row, and for the columns of a funnel: no text has these hashes but
    /// by a chance that is rarer than a lost disk.
    static let missing: UInt64 = 0x6d69_7373_696e_6700
    static let remainder: UInt64 = 0x7265_6d61_696e_6465
    static let viewers: UInt64 = 0x7669_6577_6572_7300
    static let seatViewers: UInt64 = 0x7365_6174_7300_0000

    private struct Count {
        var pageViews: Int64 = 0
        var beacons: Int64 = 0
    }

    private struct List {
        /// How many values may have a row.
        var maxChosen: Int
        var chosen = 0
        var worst: Breakdown.Chosen?
        /// The row that holds all other values; -1 without one.
        var remainder: Int32 = -1
    }

    private var stored: [Stored] = []
    /// The stored sketches, end to end.
    private var sketches: [UInt8] = []
    private var lists: [UInt64: List] = [:]
    /// Each group's index: those of stored rows, then those of values without one.
    private var groups = HashIndex()
    private var counts: [Count] = []
    /// Of the stored rows.
    private var visitors: [VisitorSketch] = []
    /// The values without a row, and the row that they are part of.
    private var others: [(value: UInt64, list: UInt64, row: Int32)] = []

    var otherCount: Int { others.count }

    static func mixed(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return hash ^ hash >> 32
    }

    /// Adds a row of a breakdown; false where there is such a row already.
    ///
    /// - Parameter maxValues: how many values of the list may have one.
    mutating func add(
        list: UInt64, value: UInt64, _ kind: BreakdownRows.Kind, maxValues: Int, pageViews: Int64, beacons: Int64,
        visitors: UnsafeRawBufferPointer
    ) -> Bool {
        let index = Int32(stored.count)
        guard add(list: list, value: value, pageViews: pageViews, beacons: beacons, visitors: visitors) else {
            return false
        }
        switch kind {
        case .value:
            let chosen = Breakdown.Chosen(value: value, pageViews: pageViews, beacons: beacons)
            lists[list, default: List(maxChosen: maxValues)].chosen += 1
            if lists[list]!.worst.map({ Breakdown.Chosen.isBetter($0, chosen) }) ?? true {
                lists[list]!.worst = chosen
            }
        case .remainder: lists[list, default: List(maxChosen: maxValues)].remainder = index
        case .missing: break
        }
        return true
    }

    /// Adds a column of a funnel; false where there is such a row already.
    mutating func addFunnel(list: UInt64, value: UInt64, visitors: UnsafeRawBufferPointer) -> Bool {
        add(list: list, value: value, visitors: visitors, mayBeEmpty: value == Self.seatViewers)
    }

    private mutating func add(
        list: UInt64, value: UInt64, pageViews: Int64? = nil, beacons: Int64? = nil, visitors: UnsafeRawBufferPointer,
        mayBeEmpty: Bool = false
    ) -> Bool {
        guard groups.insert(Self.mixed(list ^ value), Int32(stored.count)) else { return false }
        let start = sketches.count
        sketches += visitors
        stored.append(
            Stored(
                pageViews: pageViews, beacons: beacons, visitors: start..<sketches.count, mayBeEmpty: mayBeEmpty))
        counts.append(Count())
        self.visitors.append(VisitorSketch())
        return true
    }

    /// False where one of them can't be right.
    mutating func take(_ records: ArraySlice<Record>) -> Bool {
        for record in records {
            guard let index = index(record.list, record.value) else { return false }
            counts[index].pageViews += Int64(record.pageViews)
            counts[index].beacons += Int64(record.beacons)
            var row = index
            if index >= stored.count {
                row = Int(others[index - stored.count].row)
                counts[row].pageViews += Int64(record.pageViews)
                counts[row].beacons += Int64(record.beacons)
            }
            if !record.isNobody { visitors[row].add(hash: record.visitor) }
        }
        return true
    }

    /// Nil where no row can be of it.
    private mutating func index(_ list: UInt64, _ value: UInt64) -> Int? {
        let group = Self.mixed(list ^ value)
        if let known = groups[group] { return Int(known) }
        guard value != Self.missing, let remainder = lists[list]?.remainder, remainder >= 0
        else { return nil }
        let index = stored.count + others.count
        _ = groups.insert(group, Int32(index))
        others.append((value, list, remainder))
        counts.append(Count())
        return index
    }

    /// Whether the rows are what was taken gives.
    func agrees() -> Bool {
        let rowsAgree = sketches.withUnsafeBytes { sketches in
            stored.indices.allSatisfy { index in
                let (row, count) = (stored[index], counts[index])
                return (row.beacons ?? count.beacons) == count.beacons
                    && (row.pageViews ?? count.pageViews) == count.pageViews && (count.beacons > 0 || row.mayBeEmpty)
                    && visitors[index].isEncoded(as: UnsafeRawBufferPointer(rebasing: sketches[row.visitors]))
            }
        }
        guard rowsAgree else { return false }
        for (index, other) in others.enumerated() {
            // A list is cut only where it is full.
            let list = lists[other.list]!
            guard list.chosen == list.maxChosen, let worst = list.worst else { return false }
            let count = counts[stored.count + index]
            let own = Breakdown.Chosen(value: other.value, pageViews: count.pageViews, beacons: count.beacons)
            if Breakdown.Chosen.isBetter(own, worst) { return false }
        }
        return lists.values.allSatisfy { $0.chosen <= $0.maxChosen }
    }
}
