/// When one session key was active: closed intervals of instants in milliseconds, ascending, each 30 minutes or more
/// from the next. Equal for the same instants, in whatever order they were added and sets merged.
package struct SessionIntervals: Sendable, Equatable {
    package struct Interval: Sendable, Equatable {
        package var startMs: Int64
        package var endMs: Int64

        package init(startMs: Int64, endMs: Int64) {
            self.startMs = startMs
            self.endMs = endMs
        }

        package var durationMs: Int64 { endMs - startMs }
    }

    /// Two neighbours this far apart belong to two sessions, nearer ones to one.
    package static let gapMs: Int64 = 30 * 60 * 1000

    /// Nearly every key has one interval, which needs no storage of its own: `others` is empty unless there are more.
    private var first: Interval?
    private var others: [Interval] = []

    package init() {}

    /// From instants that ascend; linear.
    package init(sorted instants: some Sequence<Int64>) {
        for instant in instants { add(instant) }
    }

    /// From intervals in whatever order, such as rows of `session_intervals`.
    package init(_ intervals: some Sequence<Interval>) {
        for interval in intervals { add(interval) }
    }

    package var isEmpty: Bool { first == nil }

    package var count: Int { first == nil ? 0 : 1 + others.count }

    /// Ascending.
    package var intervals: [Interval] {
        guard let first else { return [] }
        return [first] + others
    }

    package mutating func add(_ instant: Int64) {
        add(Interval(startMs: instant, endMs: instant))
    }

    /// - Precondition: it does not end before it starts.
    package mutating func add(_ interval: Interval) {
        precondition(interval.startMs <= interval.endMs)
        guard let first else {
            self.first = interval
            return
        }
        if others.isEmpty && Self.meet(first, interval) {
            self.first = Self.joined(first, interval)
        } else if let last = others.last, last.startMs <= interval.startMs {
            if Self.meet(last, interval) {
                others[others.count - 1] = Self.joined(last, interval)
            } else {
                others.append(interval)
            }
        } else {
            insert(interval)
        }
    }

    package mutating func merge(_ other: SessionIntervals) {
        guard let first = other.first else { return }
        add(first)
        for interval in other.others { add(interval) }
    }

    private mutating func insert(_ interval: Interval) {
        let all = intervals
        var merged = interval
        var result: [Interval] = []
        result.reserveCapacity(all.count + 1)
        var placed = false
        for interval in all {
            if Self.meet(interval, merged) {
                merged = Self.joined(interval, merged)
            } else if interval.startMs < merged.startMs {
                result.append(interval)
            } else {
                if !placed { result.append(merged) }
                placed = true
                result.append(interval)
            }
        }
        if !placed { result.append(merged) }
        first = result[0]
        result.removeFirst()
        others = result
    }

    private static func joined(_ left: Interval, _ right: Interval) -> Interval {
        Interval(startMs: min(left.startMs, right.startMs), endMs: max(left.endMs, right.endMs))
    }

    /// Whether the two overlap or are less than `gapMs` apart. Distances are taken modulo 2⁶⁴, where they always fit.
    private static func meet(_ left: Interval, _ right: Interval) -> Bool {
        if left.endMs < right.startMs { return UInt64(bitPattern: right.startMs &- left.endMs) < UInt64(gapMs) }
        if right.endMs < left.startMs { return UInt64(bitPattern: left.startMs &- right.endMs) < UInt64(gapMs) }
        return true
    }
}
