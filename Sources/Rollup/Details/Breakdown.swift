import Core

/// Finds which values of each dimension the day of an artist, or of the whole site, is broken down into, then adds up what
/// they have. Pure.
///
/// Exact in bounded memory: counts first, of one part of the groups at a time where there are many, then visitors of those
/// that were chosen.
enum Breakdown {
    /// Values of one artist and dimension that have a row of their own.
    static let maxValues = 20
    /// Those of the whole site and one dimension.
    static let maxSiteValues = 200
    /// Groups counted at once.
    static let maxGroups = 500_000
    /// Rows that get visitors at once: each may take the 8 KiB of a large sketch.
    static let maxRows = 8000

    /// Stands for the whole site, beacons of no artist with it, where artists have their numbers.
    static let site: Int32 = -1
    /// What the site's rows have for an artist's id: no artist has it.
    static let siteEntity = ExactText("")

    /// One value of one artist or of the site, or none.
    struct Group: Hashable {
        var artist: Int32
        var dimension: Dimension
        /// The value's hash; nil for no value, which is never one of many.
        var value: UInt64?
    }

    struct Chosen: Equatable {
        var value: UInt64
        var pageViews: Int64
        var beacons: Int64

        /// The one order of values: most page views, then most beacons; the hash decides between equals.
        static func isBetter(_ left: Chosen, _ right: Chosen) -> Bool {
            (left.pageViews, left.beacons, right.value) > (right.pageViews, right.beacons, left.value)
        }
    }

    /// Each row's group by dimension, in the order of `Dimension.allCases`: what a batch's texts count as is found once for
    /// each distinct text.
    struct Values {
        private let hashes: [[UInt64?]]
        private let columns: [TextColumn]

        init(_ batch: BeaconBatch) {
            columns = Dimension.allCases.map { batch[$0.column] }
            hashes = zip(Dimension.allCases, columns).map { dimension, column in
                ([nil] + (0..<column.valueCount).map { column.string(ofValue: $0) }).map { text in
                    dimension.value(text).map { Murmur3.hash64($0) }
                }
            }
        }

        func hash(_ dimension: Dimension, row: Int) -> UInt64? {
            hash(dimension, code: Int(columns[Int(dimension.rawValue)].codes[row]))
        }

        func hash(_ dimension: Dimension, code: Int) -> UInt64? { hashes[Int(dimension.rawValue)][code] }

        func text(_ dimension: Dimension, row: Int) -> String? {
            dimension.value(columns[Int(dimension.rawValue)][row])
        }
    }
}
