import Core

/// Chooses which small batches of one day of receipt become one row. Pure: no IO.
struct CompactionRun: Equatable {
    /// What a merged row aims at, as a shipper's batch does.
    static let targetBeacons = 32_768
    /// Nor does it hold more than this: two that are smaller than half the target always fit.
    static let maxBeacons = 60_000
    /// Rows merged at once, since folding waits meanwhile; what is still small is merged further.
    static let maxBatches = 1024

    /// A batch of the day, as the tables have it.
    struct Candidate: Equatable {
        var node: String
        var seq: Int64
        var lastSeq: Int64
        var beacons: Int
        /// Folded and in no other ledger.
        var isFolded: Bool
        /// A batch of another day was folded between this one and the one before it.
        var isCutOff: Bool

        var isSmall: Bool { isFolded && beacons < targetBeacons / 2 }
    }

    private(set) var batches: [Candidate]

    var node: String { batches[0].node }
    var seqs: ClosedRange<Int64> { batches[0].seq...batches[batches.count - 1].seq }
    var beacons: Int { batches.reduce(0) { $0 + $1.beacons } }

    /// The first stretch of at least two small batches of one node that follow one another without a gap.
    ///
    /// - Parameter candidates: ascending by node and number.
    init?(in candidates: [Candidate]) {
        var stretch: [Candidate] = []
        var beacons = 0
        for candidate in candidates {
            if let last = stretch.last {
                let follows = candidate.node == last.node && candidate.seq == last.lastSeq + 1 && !candidate.isCutOff
                if candidate.isSmall, follows, beacons < Self.targetBeacons,
                    beacons + candidate.beacons <= Self.maxBeacons, stretch.count < Self.maxBatches
                {
                    stretch.append(candidate)
                    beacons += candidate.beacons
                    continue
                }
                if stretch.count > 1 { break }
            }
            stretch = candidate.isSmall ? [candidate] : []
            beacons = candidate.isSmall ? candidate.beacons : 0
        }
        guard stretch.count > 1 else { return nil }
        batches = stretch
    }
}
