import Core
import Storage

/// Proves that a reporting day's hours, its day's rows and its share of the ledgers are what raw beacons give.
///
/// Slice by slice of the day, each raw batch is decoded once, or twice where it lies in two slices. Nothing is written, and
/// nothing is said of what is wrong: that is for the exact comparison of a day that doesn't hold.
struct DayProof {
    /// What all days have in common.
    struct Ground: Sendable {
        var calendar: ReportingCalendar
        /// All that may have beacons of the days, in the order in which they were folded.
        var batches: [FoldedBatch]
        /// The buckets that wait to be derived, days that have no hours, and days whose details wait.
        var dirty: DirtyBuckets
        var pruned: Set<Day>
        var dirtyDetails: Set<Day>
        /// The last day of receipt whose raw batches are gone.
        var lastDropped: Day?
        /// Where the last day ends: beacons before it may claim to be after it.
        var end: Int64
        var maxSliceBeacons: Int
        /// What was proven before; nil where each day is to be proven, and what is proven forgotten.
        var proven: [Day: ProvenDay]?

        /// Those that may have beacons of some time: their places among `batches`.
        func batches(near range: Range<Int64>) -> [Int] {
            let near = range.lowerBound - Recount.maxClampMs...range.upperBound - 1 + Recount.maxClampMs
            return batches.indices.filter { batches[$0].times.overlaps(near) }
        }

        /// Whether breakdowns and funnels can be compared.
        func hasDetails(_ day: Day) -> Bool {
            !dirtyDetails.contains(day) && (lastDropped.map { $0 + 2 <= day } ?? true)
        }

        /// Whether some of the day is not compared, or waits: what is proven of it is not all.
        func isUnsettled(_ day: Day) -> Bool {
            pruned.contains(day) || dirty.hasDay(day) || !hasDetails(day)
        }

        /// The instants of which ids are looked at with the beacons of some time. One that claims an instant of it may
        /// count up to so much before it.
        func claimed(by range: Range<Int64>) -> Range<Int64> {
            range.lowerBound..<range.upperBound + (range.upperBound == end ? Recount.maxClampMs : 0)
        }
    }

    /// A beacon that the server stamped, with its id.
    struct Stamped: Sendable {
        var id: UInt64
        /// In the order of folding.
        var batch: Int32
        var row: Int32
        var receivedAt: Int64
        var isRecordedRepeat: Bool
    }

    struct Outcome: Sendable {
        /// What does not hold; nil where all does.
        var doubt: String?
        var beacons = 0
        var stamped: [Stamped] = []
        /// How many there are, also where they are not kept.
        var stampedCount = 0
        /// Whether the rows of the day itself were compared too.
        var comparedDay = false
        /// Whether it was proven before, and nothing has changed since.
        var isKnown = false
        /// What to remember of it, where it was proven now.
        var proven: ProvenDay?

        var holds: Bool { doubt == nil }
    }

    /// Where a day has more beacons than this, it is cut into slices of some hours: what is in memory at a time.
    static let maxSliceBeacons = 500_000
    /// Columns read of each batch.
    private static let columns = Claim.columns.union([.path, .referrer, .userAgent, .country])

    private let day: Day
    private let ground: Ground
    private let connection: PostgresConnection
    private var outcome = Outcome()
    /// Of sessions, the last that was looked at.
    private var lastSlot = Int32.min

    /// - Parameter records: room for them, which each day uses.
    static func run(
        _ day: Day, _ ground: Ground, _ records: inout VisitRecords, on connection: PostgresConnection
    ) throws -> Outcome {
        var proof = DayProof(day, ground, on: connection)
        // A statement whose rows are thrown at is cancelled, which must not fail the transaction.
        try connection.execute("SAVEPOINT day_proof")
        do {
            if try !proof.isKnown() { try proof.run(&records) }
        } catch let row as UndecodableRow {
            proof.outcome.doubt = "\(row.table)"
        } catch let batch as RawBatches.Unreadable {
            proof.outcome.doubt = "\(batch)"
        } catch let error as PostgresError where error.isCorruption {
            proof.outcome.doubt = error.message
        }
        try connection.execute("ROLLBACK TO SAVEPOINT day_proof")
        try connection.execute("RELEASE SAVEPOINT day_proof")
        return proof.outcome
    }

    private init(_ day: Day, _ ground: Ground, on connection: PostgresConnection) {
        self.day = day
        self.ground = ground
        self.connection = connection
    }

    /// Whether the day need not be proven again.
    private mutating func isKnown() throws -> Bool {
        guard let proven = ground.proven?[day], !ground.isUnsettled(day),
            try proven.holds(
                day, ground, try ProvenDay.batches(of: day, ground, on: connection), on: connection)
        else { return false }
        outcome = Outcome(beacons: proven.beacons, comparedDay: true, isKnown: true)
        return true
    }

    private mutating func run(_ records: inout VisitRecords) throws {
        let range = ground.calendar.range(of: day)
        // A day that the zone left out is one of those that must be empty.
        guard !range.isEmpty else { return }
        let batches = ground.batches(near: range)
        let isTraffic = !ground.pruned.contains(day)
        let hasDetails = ground.hasDetails(day)
        var rows = try RowProof(
            day, range, .init(traffic: isTraffic, details: hasDetails, dirty: ground.dirty), on: connection)
        records.removeAll()
        swap(&rows.records, &records)
        defer { swap(&rows.records, &records) }
        for slice in slices(of: range, batches) where outcome.holds { try prove(slice, batches, &rows) }
        if outcome.holds, !rows.agrees() { outcome.doubt = rows.doubt }
        outcome.comparedDay = outcome.holds && isTraffic
        // Repeats of stamped ids are decided over all days.
        if ground.proven != nil, outcome.holds, !ground.isUnsettled(day), outcome.stampedCount == 0 {
            outcome.proven = try ProvenDay(
                day, ground, try ProvenDay.batches(of: day, ground, on: connection), lastSlot: lastSlot,
                beacons: outcome.beacons, on: connection)
        }
    }

    /// Whole hours, about as many beacons in each.
    private func slices(of range: Range<Int64>, _ batches: [Int]) -> [Range<Int64>] {
        let beacons = batches.reduce(0) { $0 + ground.batches[$1].beacons }
        let hours = (range.upperBound - range.lowerBound) / ReportingCalendar.hourMs
        let count = min(hours, Int64((beacons + ground.maxSliceBeacons - 1) / max(1, ground.maxSliceBeacons)))
        let length = (hours + max(1, count) - 1) / max(1, count) * ReportingCalendar.hourMs
        return stride(from: range.lowerBound, to: range.upperBound, by: Int(length)).map {
            $0..<min($0 + length, range.upperBound)
        }
    }

    private mutating func prove(_ slice: Range<Int64>, _ batches: [Int], _ rows: inout RowProof) throws {
        let claimed = ground.claimed(by: slice)
        let reach = slice.lowerBound - Recount.maxClampMs...claimed.upperBound - 1
        let batches = batches.filter { ground.batches[$0].times.overlaps(reach) }
        var sessions = try SessionProof(slice, calendar: ground.calendar, on: connection)
        var messages = MessageProof(claimed, hasRepeats: batches.contains { !ground.batches[$0].repeats.isEmpty })
        for number in batches where rows.holds && sessions.holds && messages.holds && outcome.holds {
            let source = ground.batches[number]
            let counts = source.times.overlaps(slice.lowerBound...slice.upperBound - 1)
            let batch = try RawBatches.load(
                source.key, columns: counts ? Self.columns : RepeatedMessages.columns, on: connection)
            if counts { outcome.doubt = try BatchHeader.difference(source.key, batch, on: connection) }
            guard outcome.holds else { return }
            guard source.repeats.allSatisfy({ $0 >= 0 && $0 < batch.count }),
                zip(source.repeats, source.repeats.dropFirst()).allSatisfy({ $0 < $1 })
            else {
                outcome.doubt = "repeats of \(source.key)"
                return
            }
            let repeats = RowSet(source.repeats, of: batch.count)
            messages.add(batch, number: number, repeats: repeats)
            guard counts else { continue }
            collectStamped(batch, number, slice, repeats)
            let counted = batch.rows(in: slice, except: repeats)
            outcome.beacons += batch.timestamp.count { slice.contains($0) }
            if counted.isEmpty { continue }
            rows.add(CountedBeacons(batch, counted), of: batch, &sessions)
        }
        guard outcome.holds else { return }
        if rows.holds, sessions.holds { try sessions.finish(into: &rows, on: connection) }
        lastSlot = max(lastSlot, sessions.lastSlot)
        if rows.holds, sessions.holds, messages.holds { try messages.finish(ground.calendar, on: connection) }
        if !rows.holds { outcome.doubt = rows.doubt }
        if !sessions.holds { outcome.doubt = sessions.isTooLong ? Doubt.longSessions : "sessions" }
        if !messages.holds { outcome.doubt = "message ids and repeats" }
    }

    private mutating func collectStamped(_ batch: BeaconBatch, _ number: Int, _ slice: Range<Int64>, _ repeats: RowSet)
    {
        let ids = batch[.messageId]
        for row in batch.flags.indices
        where batch.flags[row].contains(.stamped) && ids.codes[row] != 0 && slice.contains(batch.timestamp[row]) {
            let id = ids.bytes.withUnsafeBytes {
                Murmur3.hash64(UnsafeRawBufferPointer(rebasing: $0[ids.range(ofValue: Int(ids.codes[row]) - 1)]))
            }
            outcome.stamped.append(
                Stamped(
                    id: id, batch: Int32(number), row: Int32(row), receivedAt: batch.receivedAt[row],
                    isRecordedRepeat: repeats.contains(row)))
        }
        outcome.stampedCount = outcome.stamped.count
        if outcome.stampedCount > StampedProof.maxStamped { outcome.doubt = Doubt.manyStamped }
    }
}
