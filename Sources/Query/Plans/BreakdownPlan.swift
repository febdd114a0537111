import Core
import Platform

/// Which days of a ranking by page, referrer, country or device are read from stored breakdowns, and which from raw beacons.
///
/// A breakdown keeps its day's first values, and all others in one sum: that says less than the beacons, where a day has so
/// many values, and is older than its hours while the day waits to be derived. So such days are counted from raw beacons,
/// as long as those are there and few days are.
struct BreakdownPlan: Equatable, Sendable {
    private(set) var stored: [ClosedRange<Day>] = []
    private(set) var scanned: [ClosedRange<Day>] = []
    /// The first of those days that are read as they are stored though beacons were folded since.
    private(set) var firstStale: Day?

    /// - Parameters:
    ///   - stale: days that wait to be derived.
    ///   - cut: days with more values than the breakdown keeps.
    ///   - firstRaw: the first day all of whose raw beacons are there; nil for every day.
    init(
        _ days: ClosedRange<Day>, stale: Set<Day>, cut: Set<Day>, firstRaw: Day?,
        maxScanDays: Int = TopQuestion.maxScanDays
    ) {
        func isRaw(_ day: Day) -> Bool { firstRaw.map { $0 <= day } ?? true }
        // What waits and has no raw beacons any more keeps what it has.
        let waiting = stale.filter { days.contains($0) && isRaw($0) }.sorted()
        var scan = Set(waiting.suffix(maxScanDays))
        firstStale = waiting.count > maxScanDays ? waiting[0] : nil
        let cut = cut.filter { days.contains($0) && isRaw($0) }
        if scan.union(cut).count <= maxScanDays { scan.formUnion(cut) }
        for day in sequence(first: days.lowerBound, next: { $0 < days.upperBound ? $0 + 1 : nil }) {
            if scan.contains(day) { Self.append(day, to: &scanned) } else { Self.append(day, to: &stored) }
        }
    }

    private static func append(_ day: Day, to ranges: inout [ClosedRange<Day>]) {
        if let last = ranges.last, last.upperBound + 1 == day {
            ranges[ranges.count - 1] = last.lowerBound...day
        } else {
            ranges.append(day...day)
        }
    }
}
