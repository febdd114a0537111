import Core

/// Some artists' dimensions, or the site's, and some events: what is stored of them, and what raw beacons give.
///
/// The stored rows say which values have rows of their own: each row's sums are counted again and its sketch is compared with
/// its visitors, and of all other values only the counts, which must be no better than those of the values that were chosen.
/// One pass, whatever there is.
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

    /// A value's number, and that of the row that it is part of: the same unless that is the row of all others.
    struct Place {
        var value: Int32
        var row: Int32
    }

    /// A stored row; one of a funnel has a sketch only.
    private struct Stored {
        var pageViews: Int64?
        var beacons: Int64?
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
        var row: Int32
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
    /// Of the stored rows.
    private var sketches = ReachedSketches()
    private var lists: [UInt64: List] = [:]
    /// Each value's number: those of stored rows, then those of values without one.
    private var values = HashIndex()
    private var counts: [Count] = []
    /// The values without a row.
    private var others: [(value: UInt64, list: UInt64)] = []

    var otherCount: Int { others.count }

    static func mixed(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return hash ^ hash >> 32
    }

    // MARK: What is stored

    /// Adds a row of a breakdown; false where there is such a row already, or its sketch is none.
    ///
    /// - Parameter maxValues: how many values of the list may have one.
    mutating func add(
        list: UInt64, value: UInt64, _ kind: BreakdownRows.Kind, maxValues: Int, pageViews: Int64, beacons: Int64,
        visitors: UnsafeRawBufferPointer
    ) -> Bool {
        let row = Int32(stored.count)
        guard add(list, value, Stored(pageViews: pageViews, beacons: beacons), visitors) else { return false }
        switch kind {
        case .value:
            let chosen = Breakdown.Chosen(value: value, pageViews: pageViews, beacons: beacons)
            lists[list, default: List(maxChosen: maxValues)].chosen += 1
            if lists[list]!.worst.map({ Breakdown.Chosen.isBetter($0, chosen) }) ?? true {
                lists[list]!.worst = chosen
            }
        case .remainder: lists[list, default: List(maxChosen: maxValues)].remainder = row
        case .missing: break
        }
        return true
    }

    /// Adds a column of a funnel; false where there is such a row already, or its sketch is none.
    mutating func addFunnel(list: UInt64, value: UInt64, visitors: UnsafeRawBufferPointer) -> Bool {
        add(list, value, Stored(mayBeEmpty: value == Self.seatViewers), visitors)
    }

    private mutating func add(
        _ list: UInt64, _ value: UInt64, _ row: Stored, _ visitors: UnsafeRawBufferPointer
    ) -> Bool {
        let number = Int32(stored.count)
        guard values.insert(Self.mixed(list ^ value), number) else { return false }
        stored.append(row)
        counts.append(Count(row: number))
        return sketches.add(visitors)
    }

    // MARK: What raw beacons give

    /// False where one of them can't be right.
    mutating func take(_ records: ArraySlice<Record>) -> Bool {
        var seen: [ReachedSketches.Sighting] = []
        seen.reserveCapacity(records.count)
        for record in records {
            guard let place = place(record.list, record.value) else { return false }
            count(place, pageViews: Int64(record.pageViews), beacons: Int64(record.beacons))
            if !record.isNobody { seen.append(.init(record.visitor, in: place.row)) }
        }
        return see(seen)
    }

    /// Nil where no row can be of it.
    mutating func place(_ list: UInt64, _ value: UInt64) -> Place? {
        let hash = Self.mixed(list ^ value)
        if let known = values[hash] { return Place(value: known, row: counts[Int(known)].row) }
        guard value != Self.missing, let remainder = lists[list]?.remainder, remainder >= 0
        else { return nil }
        let number = Int32(counts.count)
        _ = values.insert(hash, number)
        others.append((value, list))
        counts.append(Count(row: remainder))
        return Place(value: number, row: remainder)
    }

    mutating func count(_ place: Place, pageViews: Int64, beacons: Int64) {
        counts[Int(place.value)].pageViews += pageViews
        counts[Int(place.value)].beacons += beacons
    }

    /// False where the sketch of a row would be another with a visitor.
    mutating func see(_ seen: [ReachedSketches.Sighting]) -> Bool { sketches.see(seen.span) }

    /// Whether the rows are what was taken gives.
    mutating func agrees() -> Bool {
        for index in others.indices {
            let other = counts[stored.count + index]
            counts[Int(other.row)].pageViews += other.pageViews
            counts[Int(other.row)].beacons += other.beacons
        }
        let rowsAgree = zip(stored, counts).allSatisfy { row, count in
            (row.beacons ?? count.beacons) == count.beacons && (row.pageViews ?? count.pageViews) == count.pageViews
                && (count.beacons > 0 || row.mayBeEmpty)
        }
        guard rowsAgree, sketches.areReached else { return false }
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
