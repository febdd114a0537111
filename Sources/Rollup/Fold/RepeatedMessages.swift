import Core
import Storage

/// Decides which beacons repeat a `messageId`. Pure: what was seen before is given to it.
///
/// A beacon with its own timestamp repeats another of the same id and the same minute of that timestamp, for ever. One
/// that the server stamped repeats another stamped less than 24 hours before or after it.
struct RepeatedMessages {
    static let stampedWindowMs: Int64 = 24 * 3_600_000

    /// The columns that tell repeats.
    static let columns: ColumnSet = [.receivedAt, .claimed, .flags, .messageId]

    /// One beacon that carries an id.
    struct Entry: BitwiseCopyable {
        var id: UInt64
        var batch: Int32
        var row: Int32

        fileprivate static func isEarlier(_ left: Entry, _ right: Entry) -> Bool {
            (left.batch, left.row) < (right.batch, right.row)
        }
    }

    /// By minute since 1970 of the timestamp that beacons claim.
    private var timed: [Int32: [Entry]] = [:]
    private(set) var stamped: [(id: UInt64, receivedAt: Int64, batch: Int32, row: Int32)] = []

    /// Which beacons to collect.
    enum Kind {
        case timed, stamped, both
    }

    /// Collects a batch's ids; batches are added in the order in which repeats are decided.
    ///
    /// - Parameter claimed: only beacons that claim an instant in it; nil takes all.
    mutating func add(_ batch: BeaconBatch, number: Int, claimed range: Range<Int64>? = nil, only kind: Kind = .both) {
        let messageIds = batch[.messageId]
        let codes = messageIds.codes.span
        // Beacons of a minute come one after the other, more or less: looked up once a stretch.
        var minute = Int32.min
        var entries: [Entry] = []
        func store() {
            if !entries.isEmpty { timed[minute, default: []] += entries }
            entries.removeAll(keepingCapacity: true)
        }
        messageIds.bytes.withUnsafeBytes { bytes in
            for row in 0..<batch.count {
                let code = codes[row]
                guard code != 0 else { continue }
                if let range, !range.contains(batch.claimed[row]) { continue }
                let isStamped = batch.flags[row].contains(.stamped)
                if kind == (isStamped ? .timed : .stamped) { continue }
                let id = Murmur3.hash64(
                    UnsafeRawBufferPointer(rebasing: bytes[messageIds.range(ofValue: Int(code) - 1)]))
                if isStamped {
                    stamped.append((id, batch.receivedAt[row], Int32(number), Int32(row)))
                } else {
                    let own = Int32(truncatingIfNeeded: floorDiv(batch.claimed[row], 60_000))
                    if own != minute {
                        store()
                        minute = own
                    }
                    entries.append(Entry(id: id, batch: Int32(number), row: Int32(row)))
                }
            }
        }
        store()
    }

    /// What was collected of beacons with their own timestamps, in no order.
    var timedIds: [(minute: Int32, id: UInt64)] {
        timed.flatMap { minute, entries in entries.map { (minute, $0.id) } }
    }

    /// Those of which ids were collected, ascending.
    var minutes: [Int32] { timed.keys.sorted() }

    /// Whether a beacon stamped at `receivedAt` repeats the one of its id that was counted last.
    static func isStampedRepeat(_ receivedAt: Int64, ofCounted counted: Int64?) -> Bool {
        counted.map { abs(receivedAt - $0) < stampedWindowMs } ?? false
    }

    struct Decision {
        /// By batch number, ascending rows that repeat.
        var repeats: [Int: [Int32]] = [:]
        /// When each stamped id was last counted, where that changed.
        var stamped: [UInt64: Int64] = [:]
    }

    private(set) var decision = Decision()

    /// One minute's ids, while it is decided.
    struct Minute {
        /// Ascending by id, those of equal ids in the order in which repeats are decided.
        fileprivate let entries: [Entry]
        /// Whether the id of the entry was counted before.
        fileprivate var isSeen: [Bool]

        fileprivate init(_ entries: [Entry]) {
            self.entries = entries.sorted(byHash: \.id, then: Entry.isEarlier)
            isSeen = [Bool](repeating: false, count: entries.count)
        }

        /// No more than this are new.
        var count: Int { entries.count }

        /// Takes note of ids that were counted before.
        ///
        /// - Parameter ids: ascending.
        mutating func see(_ ids: [UInt64]) {
            var position = 0
            for (index, entry) in entries.enumerated() {
                while position < ids.count, ids[position] < entry.id { position += 1 }
                guard position < ids.count else { return }
                if ids[position] == entry.id { isSeen[index] = true }
            }
        }
    }

    /// The minute's ids, to be compared with what was counted before and then given to `decide`.
    mutating func takeMinute(_ minute: Int32) -> Minute {
        Minute(timed.removeValue(forKey: minute) ?? [])
    }

    /// Decides a minute's repeats and returns its new ids, ascending.
    mutating func decide(_ minute: Minute) -> [UInt64] {
        var new: [UInt64] = []
        new.reserveCapacity(minute.count)
        for (entry, isSeen) in zip(minute.entries, minute.isSeen) {
            if isSeen || new.last == entry.id {
                decision.repeats[Int(entry.batch), default: []].append(entry.row)
            } else {
                new.append(entry.id)
            }
        }
        return new
    }

    /// Decides those that the server stamped, and puts everything in order.
    ///
    /// - Parameter stampedBefore: when a stamped id was last counted, in milliseconds since 1970.
    mutating func decideStamped(before stampedBefore: [UInt64: Int64]) {
        for entry in stamped {
            let counted = decision.stamped[entry.id] ?? stampedBefore[entry.id]
            if Self.isStampedRepeat(entry.receivedAt, ofCounted: counted) {
                decision.repeats[Int(entry.batch), default: []].append(entry.row)
            } else {
                decision.stamped[entry.id] = entry.receivedAt
            }
        }
        for batch in decision.repeats.keys { decision.repeats[batch]!.sort() }
    }
}
