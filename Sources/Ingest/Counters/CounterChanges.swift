import Core

/// What several batches of one node add to the counters, batch by batch: one script call a counter, however many batches
/// have touched it. Pure.
struct CounterChanges {
    struct Change: Equatable {
        var seq: Int64
        var views: Int64
    }

    struct Counter: Equatable {
        /// Seconds since 1970.
        var expires: Int64
        var changes: [Change] = []
    }

    let node: String
    private(set) var batches = 0
    /// Of each counter, in the batches' order.
    private(set) var counters: [ExactText: Counter] = [:]
    private(set) var visitors: [Int64: Set<UInt64>] = [:]

    init(node: String) {
        self.node = node
    }

    init(_ deltas: CounterDeltas, node: String, seq: Int64) {
        self.init(node: node)
        add(deltas, seq: seq)
    }

    /// - Parameter seq: above those that were added before.
    mutating func add(_ deltas: CounterDeltas, seq: Int64) {
        batches += 1
        for counter in deltas.counters {
            counters[counter.name, default: Counter(expires: counter.expires)].changes
                .append(Change(seq: seq, views: counter.views))
        }
        for (minute, seen) in deltas.visitors {
            let room = CounterDeltas.maxVisitorsPerMinute - visitors[minute, default: []].count
            visitors[minute, default: []].formUnion(seen.prefix(max(0, room)))
        }
    }
}
