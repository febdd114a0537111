import Core

/// Counts the values of one part of all groups, and chooses the first of each artist and dimension.
struct BreakdownCount {
    struct TooManyGroups: Error {}

    private struct List: Hashable {
        var artist: Int32
        var dimension: Dimension
    }

    private let maxGroups: Int
    private let maxValues: Int
    private var part = 0
    private var parts = 1
    private var counts: [Breakdown.Group: (pageViews: Int64, beacons: Int64)] = [:]
    private var chosen: [List: [Breakdown.Chosen]] = [:]

    init(maxGroups: Int = Breakdown.maxGroups, maxValues: Int = Breakdown.maxValues) {
        self.maxGroups = maxGroups
        self.maxValues = maxValues
    }

    /// Begins anew with those groups whose hash falls into `part` of so many.
    mutating func begin(part: Int, of parts: Int) {
        if part == 0 { chosen = [:] }
        (self.part, self.parts) = (part, parts)
        counts.removeAll(keepingCapacity: true)
    }

    /// - Parameter artists: each row's artist; rows of none are passed over.
    mutating func add(_ batch: BeaconBatch, rows: [Int32], artists: [Int32?]) throws(TooManyGroups) {
        let values = Breakdown.Values(batch)
        let pageView = batch[.eventType].code(of: "page_view")
        for (place, row) in rows.enumerated() {
            guard let artist = artists[place] else { continue }
            let views: Int64 = batch[.eventType].codes[Int(row)] == pageView ? 1 : 0
            for dimension in Dimension.allCases {
                guard let value = values.hash(dimension, row: Int(row)) else { continue }
                guard parts == 1 || Int((value ^ UInt64(artist) &* 0x9e37_79b9_7f4a_7c15) % UInt64(parts)) == part
                else { continue }
                let group = Breakdown.Group(artist: artist, dimension: dimension, value: value)
                counts[group, default: (0, 0)].pageViews += views
                counts[group]!.beacons += 1
            }
            if counts.count > maxGroups { throw TooManyGroups() }
        }
    }

    /// The part is counted: keeps the best of it and of those before.
    mutating func finishPart() {
        for (group, count) in counts {
            chosen[List(artist: group.artist, dimension: group.dimension), default: []].append(
                Breakdown.Chosen(value: group.value!, pageViews: count.pageViews, beacons: count.beacons))
        }
        counts.removeAll(keepingCapacity: true)
        for list in chosen.keys where chosen[list]!.count > maxValues {
            chosen[list]!.sort(by: Breakdown.Chosen.isBetter)
            chosen[list]!.removeSubrange(maxValues...)
        }
    }

    /// The groups that get rows of their own.
    var groups: [Breakdown.Group] {
        chosen.flatMap { list, values in
            values.map { Breakdown.Group(artist: list.artist, dimension: list.dimension, value: $0.value) }
        }
    }
}
