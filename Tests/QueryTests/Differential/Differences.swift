import Core

/// Where our rollups and DuckDB's answer are not the same.
struct Differences {
    /// A sketch of 8192 registers: one standard error, relative.
    static let standardError = 1.04 / (8192.0).squareRoot()
    /// Most that are described.
    static let maxShown = 8

    /// Rows that only one of the two has, or that differ in page views, seat views, beacons, sessions or milliseconds.
    private(set) var counts: [String] = []
    /// Visitors, where they are to be exact.
    private(set) var visitors: [String] = []
    private(set) var revenue: [String] = []
    let export: Int
    /// Buckets with more visitors than are counted exactly, with how many standard errors the estimate is off.
    private(set) var estimates: [(bucket: ExactText, errors: Double)] = []

    init(_ ours: [ExactText: DifferentialRun.Traffic], _ money: Set<ExactText>, _ theirs: DuckAnswer) {
        for (bucket, row) in ours where theirs.traffic[bucket] == nil {
            counts.append("\(bucket): \(row.counts), theirs has no such row")
        }
        for (bucket, row) in theirs.traffic {
            guard let own = ours[bucket] else {
                counts.append("\(bucket): no such row, theirs \(row.counts)")
                continue
            }
            if own.counts != row.counts { counts.append("\(bucket): \(own.counts), theirs \(row.counts)") }
            if row.visitors > VisitorSketch.maxExactValues {
                let off = abs(own.visitors.estimate / Double(row.visitors) - 1)
                estimates.append((bucket, off / Self.standardError))
            } else if own.visitors.value != row.visitors {
                visitors.append("\(bucket): \(own.visitors.value), theirs \(row.visitors)")
            }
        }
        revenue = money.symmetricDifference(theirs.revenue).map(\.string)
        export = theirs.exportDifferences
    }

    /// What is wrong; estimates apart.
    var summary: String {
        func text(_ name: String, _ found: [String]) -> String {
            found.isEmpty ? "" : "\(found.count) of \(name): \(found.sorted().prefix(Self.maxShown))\n"
        }
        return text("counts and sessions", counts) + text("exact visitors", visitors) + text("revenue", revenue)
            + (export == 0 ? "" : "\(export) of exported beacons\n")
    }
}
