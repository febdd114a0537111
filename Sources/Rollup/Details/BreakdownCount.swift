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
    private let maxSiteValues: Int
    private let withSite: Bool
    private var part = 0
    private var parts = 1
    private var counts: [Breakdown.Group: (pageViews: Int64, beacons: Int64)] = [:]
    private var chosen: [List: [Breakdown.Chosen]] = [:]

    init(
        maxGroups: Int = Breakdown.maxGroups, maxValues: Int = Breakdown.maxValues,
        maxSiteValues: Int = Breakdown.maxSiteValues, withSite: Bool = true
    ) {
        self.maxGroups = maxGroups
        self.maxValues = maxValues
        self.maxSiteValues = maxSiteValues
        self.withSite = withSite
    }

    /// Begins anew with those groups whose hash falls into `part` of so many.
    mutating func begin(part: Int, of parts: Int) {
        if part == 0 { chosen = [:] }
        (self.part, self.parts) = (part, parts)
        counts.removeAll(keepingCapacity: true)
    }

    /// - Parameter artists: each row's artist; rows of none count for the site alone.
    mutating func add(_ batch: BeaconBatch, rows: [Int32], artists: [Int32?]) throws(TooManyGroups) {
        let values = Breakdown.Values(batch)
        let pageView = batch[.eventType].code(of: "page_view")
        if withSite { try addToSite(batch, values, rows: rows, pageView: pageView) }
        for (place, row) in rows.enumerated() {
            guard let artist = artists[place] else { continue }
            let views: Int64 = batch[.eventType].codes[Int(row)] == pageView ? 1 : 0
            for dimension in Dimension.allCases {
                add(values.hash(dimension, row: Int(row)), dimension, artist, pageViews: views, beacons: 1)
            }
            if counts.count > maxGroups { throw TooManyGroups() }
        }
    }

    /// Text by text, since every row counts.
    private mutating func addToSite(
        _ batch: BeaconBatch, _ values: Breakdown.Values, rows: [Int32], pageView: UInt32?
    ) throws(TooManyGroups) {
        let types = batch[.eventType].codes
        for dimension in Dimension.allCases {
            let column = batch[dimension.column]
            var found = [(pageViews: Int64, beacons: Int64)](repeating: (0, 0), count: column.valueCount + 1)
            for row in rows {
                let code = Int(column.codes[Int(row)])
                found[code].beacons += 1
                if types[Int(row)] == pageView { found[code].pageViews += 1 }
            }
            for (code, count) in found.enumerated() where count.beacons > 0 {
                add(
                    values.hash(dimension, code: code), dimension, Breakdown.site, pageViews: count.pageViews,
                    beacons: count.beacons)
                if counts.count > maxGroups { throw TooManyGroups() }
            }
        }
    }

    private mutating func add(
        _ value: UInt64?, _ dimension: Dimension, _ artist: Int32, pageViews: Int64, beacons: Int64
    ) {
        guard let value else { return }
        let mixed = value ^ UInt64(UInt32(bitPattern: artist)) &* 0x9e37_79b9_7f4a_7c15
        guard parts == 1 || Int(mixed % UInt64(parts)) == part else { return }
        let group = Breakdown.Group(artist: artist, dimension: dimension, value: value)
        counts[group, default: (0, 0)].pageViews += pageViews
        counts[group]!.beacons += beacons
    }

    /// The part is counted: keeps the best of it and of those before.
    mutating func finishPart() {
        for (group, count) in counts {
            chosen[List(artist: group.artist, dimension: group.dimension), default: []].append(
                Breakdown.Chosen(value: group.value!, pageViews: count.pageViews, beacons: count.beacons))
        }
        counts.removeAll(keepingCapacity: true)
        for list in chosen.keys {
            let limit = list.artist == Breakdown.site ? maxSiteValues : maxValues
            guard chosen[list]!.count > limit else { continue }
            chosen[list]!.sort(by: Breakdown.Chosen.isBetter)
            chosen[list]!.removeSubrange(limit...)
        }
    }

    /// The groups that get rows of their own.
    var groups: [Breakdown.Group] {
        chosen.flatMap { list, values in
            values.map { Breakdown.Group(artist: list.artist, dimension: list.dimension, value: $0.value) }
        }
    }
}
