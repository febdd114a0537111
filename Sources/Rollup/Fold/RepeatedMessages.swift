import Core

/// Decides which beacons repeat a `messageId`. Pure: what was seen before is given to it.
///
/// A beacon with its own timestamp repeats another of the same id and the same minute of that timestamp, for ever. One
/// that the server stamped repeats another stamped less than 24 hours before or after it.
struct RepeatedMessages {
    static let stampedWindowMs: Int64 = 24 * 3_600_000

    /// One beacon that carries an id.
    struct Entry {
        /// Minutes since 1970 of the timestamp it claims.
        var minute: Int32
        var id: UInt64
        var batch: Int32
        var row: Int32
    }

    private(set) var timed: [Entry] = []
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
        messageIds.bytes.withUnsafeBytes { bytes in
            for row in 0..<batch.count {
                let code = messageIds.codes[row]
                guard code != 0 else { continue }
                if let range, !range.contains(batch.claimed[row]) { continue }
                let isStamped = batch.flags[row].contains(.stamped)
                if kind == (isStamped ? .timed : .stamped) { continue }
                let id = Murmur3.hash64(
                    UnsafeRawBufferPointer(rebasing: bytes[messageIds.range(ofValue: Int(code) - 1)]))
                if isStamped {
                    stamped.append((id, batch.receivedAt[row], Int32(number), Int32(row)))
                } else {
                    timed.append(
                        Entry(
                            minute: Int32(truncatingIfNeeded: floorDiv(batch.claimed[row], 60_000)), id: id,
                            batch: Int32(number), row: Int32(row)))
                }
            }
        }
    }

    /// The minutes for which `decide` asks.
    var minutes: [Int32] { Array(Set(timed.map(\.minute))).sorted() }

    /// Whether a beacon stamped at `receivedAt` repeats the one of its id that was counted last.
    static func isStampedRepeat(_ receivedAt: Int64, ofCounted counted: Int64?) -> Bool {
        counted.map { abs(receivedAt - $0) < stampedWindowMs } ?? false
    }

    struct Decision {
        /// By batch number, ascending rows that repeat.
        var repeats: [Int: [Int32]] = [:]
        /// By minute, the ids that are new, ascending.
        var newIds: [Int32: [UInt64]] = [:]
        /// When each stamped id was last counted, where that changed.
        var stamped: [UInt64: Int64] = [:]
    }

    /// - Parameters:
    ///   - seen: the ids of a minute counted before, ascending.
    ///   - stampedBefore: when a stamped id was last counted, in milliseconds since 1970.
    mutating func decide(seen: (Int32) throws -> [UInt64], stampedBefore: [UInt64: Int64]) rethrows -> Decision {
        var decision = Decision()
        timed.sort { ($0.minute, $0.id, $0.batch, $0.row) < ($1.minute, $1.id, $1.batch, $1.row) }
        var start = 0
        while start < timed.count {
            let minute = timed[start].minute
            let before = try seen(minute)
            var position = 0
            var new: [UInt64] = []
            while start < timed.count, timed[start].minute == minute {
                let entry = timed[start]
                while position < before.count, before[position] < entry.id { position += 1 }
                if position < before.count && before[position] == entry.id || new.last == entry.id {
                    decision.repeats[Int(entry.batch), default: []].append(entry.row)
                } else {
                    new.append(entry.id)
                }
                start += 1
            }
            if !new.isEmpty { decision.newIds[minute] = new }
        }
        for entry in stamped {
            let counted = decision.stamped[entry.id] ?? stampedBefore[entry.id]
            if Self.isStampedRepeat(entry.receivedAt, ofCounted: counted) {
                decision.repeats[Int(entry.batch), default: []].append(entry.row)
            } else {
                decision.stamped[entry.id] = entry.receivedAt
            }
        }
        for batch in decision.repeats.keys { decision.repeats[batch]!.sort() }
        return decision
    }
}
