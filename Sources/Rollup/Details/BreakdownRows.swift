import Core

/// Adds up what chosen values, missing ones and all others have, of some artists, the site among them.
struct BreakdownRows {
    enum Kind: String {
        case value, missing, remainder
    }

    struct Row: Equatable {
        var pageViews: Int64 = 0
        var beacons: Int64 = 0
        var visitors = VisitorSketch()
    }

    struct Key: Hashable, Comparable {
        var artist: ExactText
        var dimension: String
        var kind: String
        var value: ExactText

        static func < (left: Key, right: Key) -> Bool {
            (left.artist, left.dimension, left.kind, left.value) < (
                right.artist, right.dimension, right.kind, right.value
            )
        }
    }

    private let artists: Set<Int32>
    private let chosen: Set<Breakdown.Group>
    private var places: [Breakdown.Group: Int] = [:]
    private var remainders: [Breakdown.Group: Int] = [:]
    private var texts: [String?] = []
    private var rows: [Row] = []

    /// - Parameter chosen: of these artists.
    init(_ artists: Set<Int32>, chosen: [Breakdown.Group]) {
        self.artists = artists
        self.chosen = Set(chosen)
    }

    mutating func add(_ batch: BeaconBatch, rows counted: [Int32], artists: [Int32?]) {
        let values = Breakdown.Values(batch)
        let visits = Visits(batch, counted)
        let pageView = batch[.eventType].code(of: "page_view")
        if self.artists.contains(Breakdown.site) { addToSite(batch, values, visits, rows: counted, pageView: pageView) }
        for (place, row) in counted.enumerated() {
            guard let artist = artists[place], self.artists.contains(artist) else { continue }
            let views: Int64 = batch[.eventType].codes[Int(row)] == pageView ? 1 : 0
            for dimension in Dimension.allCases {
                let value = values.hash(dimension, row: Int(row))
                let group = Breakdown.Group(artist: artist, dimension: dimension, value: value)
                let index = index(of: group) { values.text(dimension, row: Int(row)) }
                rows[index].pageViews += views
                rows[index].beacons += 1
                if let visitor = visits.visitor(at: place) { rows[index].visitors.add(hash: visitor) }
            }
        }
    }

    private mutating func addToSite(
        _ batch: BeaconBatch, _ values: Breakdown.Values, _ visits: Visits, rows counted: [Int32], pageView: UInt32?
    ) {
        let types = batch[.eventType].codes
        for dimension in Dimension.allCases {
            let column = batch[dimension.column]
            // A text's row is found once a batch.
            var known = [Int?](repeating: nil, count: column.valueCount + 1)
            for (place, row) in counted.enumerated() {
                let code = Int(column.codes[Int(row)])
                let index =
                    known[code]
                    ?? index(
                        of: Breakdown.Group(
                            artist: Breakdown.site, dimension: dimension, value: values.hash(dimension, code: code))
                    ) { values.text(dimension, row: Int(row)) }
                known[code] = index
                rows[index].pageViews += types[Int(row)] == pageView ? 1 : 0
                rows[index].beacons += 1
                if let visitor = visits.visitor(at: place) { rows[index].visitors.add(hash: visitor) }
            }
        }
    }

    private mutating func index(of group: Breakdown.Group, text: () -> String?) -> Int {
        if let known = places[group] { return known }
        guard group.value == nil || chosen.contains(group) else {
            var list = group
            list.value = nil
            if let known = remainders[list] { return known }
            remainders[list] = rows.count
            rows.append(Row())
            texts.append(nil)
            return rows.count - 1
        }
        places[group] = rows.count
        rows.append(Row())
        texts.append(group.value == nil ? nil : text())
        return rows.count - 1
    }

    /// - Parameter name: an artist's id.
    func result(_ name: (Int32) -> ExactText) -> [Key: Row] {
        var result: [Key: Row] = [:]
        func add(_ group: Breakdown.Group, _ index: Int, _ kind: Kind) {
            let key = Key(
                artist: name(group.artist), dimension: group.dimension.name, kind: kind.rawValue,
                value: ExactText(texts[index] ?? ""))
            result[key] = rows[index]
        }
        for (group, index) in places { add(group, index, group.value == nil ? .missing : .value) }
        for (group, index) in remainders { add(group, index, .remainder) }
        return result
    }
}
