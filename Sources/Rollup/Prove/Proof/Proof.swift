import Core
import Storage

/// What can be said of some days without counting them exactly: that they agree, or that they may not.
///
/// A proof takes time linear in what is stored, and days are proven side by side; an exact count sorts ids and sessions and
/// writes them down. So a verification proves what it can, and counts exactly what doesn't hold, to name it. A proof that
/// fails where nothing is wrong only costs that.
struct Proof {
    /// The days looked at; nil where nothing is stored.
    private(set) var days: ClosedRange<Day>?
    private(set) var beacons = 0
    /// Days that may disagree with what raw beacons give, and in what.
    private(set) var doubts: [Day: String] = [:]
    /// What may be wrong and belongs to no day.
    private(set) var doubt: String?
    /// Days whose rows are what their hours give, too.
    private(set) var comparedDays: Set<Day> = []
    /// How many days were proven before, and nothing of them has changed.
    private(set) var known = 0
    /// What to remember of days that were proven now.
    private(set) var proven: [Day: ProvenDay] = [:]

    /// - Parameters:
    ///   - range: nil for everything that is stored.
    ///   - isIncremental: whether days that were proven before, of which nothing has changed, need not be proven again.
    init(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, dirty: DirtyBuckets, isIncremental: Bool = false,
        work: ProofWork,
        maxSliceBeacons: Int = DayProof.maxSliceBeacons, on connection: PostgresConnection
    ) throws {
        try connection.execute(Recount.maxIdle)
        try connection.execute(.planForValues)
        guard let stored = try FoldedBatch.stored(calendar: calendar, on: connection) else {
            doubt = "nothing is stored"
            return
        }
        let storedDays = calendar.day(of: stored.lowerBound)...calendar.day(of: stored.upperBound)
        days = range ?? storedDays
        let lastStored = calendar.day(of: stored.upperBound + Recount.maxClampMs)
        let first = max(days!.lowerBound, storedDays.lowerBound)
        // Ids may be claimed for the day after.
        let last = range == nil ? lastStored : min(days!.upperBound, lastStored)
        guard first <= last else {
            doubt = "nothing is stored of these days"
            return
        }
        let instants = calendar.start(of: first)..<calendar.start(of: last + 1)
        let edge = RepeatedMessages.stampedWindowMs + Recount.maxClampMs
        let batches = try FoldedBatch.read(
            from: range == nil ? .min : instants.lowerBound - ReportingCalendar.hourMs - edge,
            before: range == nil ? .max : instants.upperBound + edge, on: connection)
        let ground = DayProof.Ground(
            calendar: calendar, batches: batches, dirty: dirty, pruned: try PrunedDays.all(on: connection),
            dirtyDetails: try VerifyDetails.dirty(first...last, on: connection),
            lastDropped: try connection.query("SELECT max(day) FROM dropped_event_days")[0].get(0, as: Day?.self),
            end: instants.upperBound, maxSliceBeacons: maxSliceBeacons,
            proven: isIncremental ? try ProvenDays.read(on: connection) : nil)
        // Largest days first: those who prove side by side end at about the same time.
        let sizes = Self.sizes(of: batches, calendar)
        let found = Self.days(of: batches, within: first...last, calendar)
            .sorted { (sizes[$1] ?? 0, $0) < (sizes[$0] ?? 0, $1) }
        let outcomes = try work.prove(found, ground, on: connection)
        for (day, outcome) in outcomes {
            beacons += outcome.beacons
            doubts[day] = outcome.doubt
            proven[day] = outcome.proven
            if outcome.isKnown { known += 1 }
            if outcome.holds, outcome.comparedDay { comparedDays.insert(day) }
        }
        if !(try areAllThere(range, on: connection)) {
            doubt = "batches that are gone"
        } else if try outcomes.values.contains(where: { $0.stamped.count < $0.stampedCount })
            || !stampedHold(
                outcomes.values.flatMap(\.stamped), range == nil ? nil : instants, ground, on: connection)
        {
            doubt = "repeats of stamped ids"
        } else if !(try Self.areEmpty(
            Self.gaps(between: outcomes.keys.sorted(), days: range), calendar,
            on: connection))
        {
            doubt = "something of days without beacons"
        }
    }

    /// The days on which some batch has beacons, or may have claimed an instant, ascending.
    private static func days(
        of batches: [FoldedBatch], within days: ClosedRange<Day>, _ calendar: ReportingCalendar
    ) -> [Day] {
        var found: [Day] = []
        var lookup = DayLookup(calendar)
        for times in batches.map(\.times).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let last = min(days.upperBound, lookup.day(of: times.upperBound + Recount.maxClampMs))
            var day = max(days.lowerBound, lookup.day(of: times.lowerBound))
            if let known = found.last { day = max(day, known + 1) }
            while day <= last {
                // One that the zone left out has no beacons.
                if !calendar.range(of: day).isEmpty { found.append(day) }
                day = day + 1
            }
        }
        return found
    }

    /// How many beacons some days have, about.
    private static func sizes(of batches: [FoldedBatch], _ calendar: ReportingCalendar) -> [Day: Int] {
        var lookup = DayLookup(calendar)
        return batches.reduce(into: [:]) { $0[lookup.day(of: $1.times.lowerBound), default: 0] += $1.beacons }
    }

    /// The stretches that have none of these.
    ///
    /// - Parameter days: nil for all there can be.
    private static func gaps(between found: [Day], days: ClosedRange<Day>?) -> [ClosedRange<Day>] {
        let days = days ?? Day.first...Day.last
        var gaps: [ClosedRange<Day>] = []
        var next = days.lowerBound
        for day in found {
            if next < day { gaps.append(next...day - 1) }
            next = day + 1
        }
        if next <= days.upperBound { gaps.append(next...days.upperBound) }
        return gaps
    }

    /// Whether hours, ids, sessions and details have nothing of these days, of which raw beacons have nothing.
    private static func areEmpty(
        _ gaps: [ClosedRange<Day>], _ calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Bool {
        try gaps.allSatisfy { gap in
            let start = calendar.start(of: gap.lowerBound)
            let end = calendar.start(of: gap.upperBound + 1)
            let minutes = (Int32(clamping: floorDiv(start, 60_000)), Int32(clamping: floorDiv(end, 60_000)))
            let slots = (SessionPiece.slot(of: start), SessionPiece.slot(of: end))
            var found: SQL = """
                SELECT EXISTS (SELECT FROM message_ids WHERE minute >= \(minutes.0) AND minute < \(minutes.1))
                    OR EXISTS (SELECT FROM erased_message_ids WHERE minute >= \(minutes.0) AND minute < \(minutes.1))
                    OR EXISTS (SELECT FROM session_slots WHERE slot >= \(slots.0) AND slot < \(slots.1))
                    OR EXISTS (SELECT FROM traffic_breakdown_daily WHERE day >= \(gap.lowerBound) AND day <= \(gap.upperBound))
                    OR EXISTS (SELECT FROM event_funnel_daily WHERE day >= \(gap.lowerBound) AND day <= \(gap.upperBound))
                """
            for family in TrafficFamily.allCases {
                found =
                    found + """
                         OR EXISTS (SELECT FROM \(unescaped: family.table(.hour))
                        WHERE hour >= \(PostgresTimestamp(ms: start)) AND hour < \(PostgresTimestamp(ms: end)))
                        """
            }
            return try !connection.query(found)[0].get(0, as: Bool.self)
        }
    }

    private func stampedHold(
        _ stamped: [DayProof.Stamped], _ instants: Range<Int64>?, _ ground: DayProof.Ground,
        on connection: PostgresConnection
    ) throws -> Bool {
        guard stamped.count <= StampedProof.maxStamped else { return false }
        guard let instants else {
            return try StampedProof.holds(stamped, computed: .min ..< .max, isWhole: true, on: connection)
        }
        let isOpen = days?.upperBound == .last
        if stamped.isEmpty, !isOpen { return true }
        let beyond: [DayProof.Stamped]
        do {
            beyond = try stampedBeyond(instants, ground.batches, on: connection)
        } catch is RawBatches.Unreadable {
            return false
        }
        return try StampedProof.holds(
            stamped + beyond, computed: instants.lowerBound - ReportingCalendar.hourMs..<instants.upperBound,
            isWhole: isOpen, from: instants.lowerBound, on: connection)
    }

    /// Whether every folded batch has its row.
    private func areAllThere(_ days: ClosedRange<Day>?, on connection: PostgresConnection) throws -> Bool {
        try Recount.missing(days, on: connection).isEmpty
    }

    /// Stamped beacons near the instants that were looked at, on which repeats among these may rest.
    private func stampedBeyond(
        _ instants: Range<Int64>, _ batches: [FoldedBatch], on connection: PostgresConnection
    ) throws -> [DayProof.Stamped] {
        var stamped: [DayProof.Stamped] = []
        for (number, source) in batches.enumerated()
        where source.times.lowerBound < instants.lowerBound || source.times.upperBound >= instants.upperBound {
            let loaded = try RawBatches.load(
                source.key, columns: RepeatedMessages.columns.union(.timestamp), on: connection
            ) { $0.contains(.stamped) }
            guard let (batch, rows) = loaded else { continue }
            let recorded = Set(source.repeats)
            var messages = RepeatedMessages()
            messages.add(batch, number: number, only: .stamped)
            for entry in messages.stamped where !instants.contains(batch.timestamp[Int(entry.row)]) {
                let row = Int32(rows[Int(entry.row)])
                stamped.append(
                    .init(
                        id: entry.id, batch: Int32(number), row: row, receivedAt: entry.receivedAt,
                        isRecordedRepeat: recorded.contains(row)))
            }
        }
        return stamped
    }
}
