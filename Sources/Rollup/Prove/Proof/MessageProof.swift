import Core
import Storage

/// Proves that the ids of some minutes were counted once each: those of the beacons that count and the stored ones are the
/// same, and every recorded repeat repeats one that was folded before it.
///
/// By sums of hashes, minute by minute: equal sums of 64-bit hashes are equal sets of ids, but for a chance that is rarer
/// than a lost disk. A stored set holds each id once, so one that counted twice shows.
struct MessageProof {
    private struct Sum: Equatable {
        var ids: UInt64 = 0
        var count = 0

        mutating func add(_ id: UInt64) {
            ids &+= id
            count += 1
        }
    }

    /// A repeat's place in the order in which repeats are decided.
    private struct Place: Comparable {
        var batch: Int
        var row: Int32

        static func < (left: Place, right: Place) -> Bool { (left.batch, left.row) < (right.batch, right.row) }
    }

    private let claimed: Range<Int64>
    private let firstMinute: Int32
    private var counted: [Sum]
    /// Whether there are repeats at all: else nothing has to be kept for them.
    private let hasRepeats: Bool
    private var repeats: [UInt64: Place] = [:]
    /// Ids that count, each with its minute, batch by batch.
    private var keys: [(batch: Int, rows: [Int32], keys: [UInt64])] = []
    private(set) var holds = true

    /// - Parameter claimed: whole minutes; beacons count where they claim to have been.
    init(_ claimed: Range<Int64>, hasRepeats: Bool) {
        self.claimed = claimed
        self.hasRepeats = hasRepeats
        firstMinute = Int32(clamping: floorDiv(claimed.lowerBound, 60_000))
        counted = [Sum](repeating: Sum(), count: Int((claimed.upperBound - claimed.lowerBound) / 60_000))
    }

    /// - Parameter number: the batch's place in the order of folding.
    mutating func add(_ batch: BeaconBatch, number: Int, repeats recorded: RowSet) {
        let ids = batch[.messageId]
        let codes = ids.codes.span
        let instants = batch.claimed.span
        let flags = batch.flags.span
        let start = Int64(firstMinute) * 60_000
        let length = claimed.upperBound - start
        var minute = 0
        // Beacons of a minute come one after the other, more or less: divided once a stretch.
        var minuteRange: Range<Int64> = 0..<0
        var rows: [Int32] = []
        var keys: [UInt64] = []
        ids.bytes.withUnsafeBytes { bytes in
            for row in 0..<batch.count {
                let code = codes[row]
                let offset = instants[row] &- start
                guard offset >= 0, offset < length else { continue }
                guard code != 0 else {
                    if recorded.contains(row) { holds = false }
                    continue
                }
                if flags[row].contains(.stamped) { continue }
                if !minuteRange.contains(offset) {
                    minute = Int(offset / 60_000)
                    minuteRange = Int64(minute) * 60_000..<Int64(minute + 1) * 60_000
                }
                let id = Murmur3.hash64(UnsafeRawBufferPointer(rebasing: bytes[ids.range(ofValue: Int(code) - 1)]))
                if recorded.contains(row) {
                    let key = Self.key(id, minute: minute)
                    let place = Place(batch: number, row: Int32(row))
                    repeats[key] = min(repeats[key] ?? place, place)
                } else {
                    counted[minute].add(id)
                    if hasRepeats {
                        rows.append(Int32(row))
                        keys.append(Self.key(id, minute: minute))
                    }
                }
            }
        }
        if hasRepeats { self.keys.append((number, rows, keys)) }
    }

    private static func key(_ id: UInt64, minute: Int) -> UInt64 {
        id &+ UInt64(minute) &* 0x9e37_79b9_7f4a_7c15
    }

    mutating func finish(_ calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        var stored = [Sum](repeating: Sum(), count: counted.count)
        let firstMinute = firstMinute
        let lastMinute = firstMinute + Int32(counted.count) - 1
        // A minute's runs may not share an id: summed, it would stand for one that counted twice.
        var minuteIds: (minute: Int32, ids: [UInt64]) = (firstMinute, [])
        var isDisjoint = true
        try connection.stream(
            """
            SELECT minute, ids FROM message_ids WHERE minute >= \(firstMinute) AND minute <= \(lastMinute)
            ORDER BY minute
            """
        ) { row in
            let minute = try row.get(0, as: Int32.self)
            do {
                let ids = try row.withBytes(1) { try HashSetRun.decode($0) }
                for id in ids { stored[Int(minute - firstMinute)].add(id) }
                if minuteIds.minute != minute { minuteIds = (minute, []) }
                let count = minuteIds.ids.count + ids.count
                MessageIds.union(&minuteIds.ids, ids)
                if minuteIds.ids.count != count { isDisjoint = false }
            } catch let failure as SealedRun.Failure {
                throw UndecodableRow.ids(ofMinute: minute, calendar, reason: "\(failure)")
            }
        }
        // Ids of erased beacons are stored and count no more.
        for (minute, ids) in try ErasedIds.timed(claimed, on: connection) {
            let index = Int(minute - firstMinute)
            for id in ids {
                counted[index].add(id)
                repeats[Self.key(id, minute: index)] = nil
            }
        }
        holds = holds && isDisjoint && stored == counted && everyRepeatHasAnEarlierOne()
    }

    private mutating func everyRepeatHasAnEarlierOne() -> Bool {
        if repeats.isEmpty { return true }
        // Nearly all ids repeat nothing, and a bit tells.
        var bits = [UInt64](repeating: 0, count: 1 << 14)
        for key in repeats.keys { bits[Int(key >> 50)] |= 1 << (key >> 44 & 63) }
        for (batch, rows, keys) in keys {
            for (index, key) in keys.enumerated() where bits[Int(key >> 50)] & 1 << (key >> 44 & 63) != 0 {
                if let place = repeats[key], Place(batch: batch, row: rows[index]) < place { repeats[key] = nil }
            }
        }
        return repeats.isEmpty
    }
}
