package import Core
import Storage

/// Compares raw batches with their ledgers and with hours, hours with days, days with months, and the revenue ledger with
/// its rollups, bookings with who booked, all in one snapshot, and names every bucket that disagrees or can't be decoded.
package enum Verify {
    /// A bucket that disagrees.
    package struct Finding: Sendable, Equatable, CustomStringConvertible {
        package var table: String
        package var entity: String
        package var bucket: String
        package var difference: String

        package var description: String { "\(table) \(entity) \(bucket): \(difference)" }
    }

    package struct Report: Sendable {
        package var days: ClosedRange<Day>?
        package var beacons = 0
        package var findings: [Finding] = []
        /// Buckets of any grain, and days of details, not compared because they wait to be derived.
        package var dirty = 0
        /// Those that have waited for so long that nothing may ever derive them.
        package var waitingForLong: [String] = []
        /// What could not be proven, and was counted exactly.
        package var doubts: [String] = []
        /// Days of receipt whose raw batches are gone: hours they may have fed were not compared with raw.
        package var rawDropped: [Day] = []
        /// Days of the range that were not compared with raw beacons; nil where all were.
        package var withoutRaw: ClosedRange<Day>?
        /// How many days were proven before, and nothing of them has changed.
        package var known = 0
        /// What to remember of days that were proven now.
        var proven: [Day: ProvenDay] = [:]
        /// Why that could not be written down; nil where it was.
        package var notRemembered: String?
    }

    /// Where there are more findings, these are the first.
    package static let maxFindings = 1000

    /// - Parameters:
    ///   - isIncremental: whether days that were proven before, of which nothing has changed, need not be proven again.
    ///   - work: other connections may help with it.
    static func run(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, isIncremental: Bool = false, work: ProofWork,
        on connection: PostgresConnection
    ) throws -> Report {
        try connection.transaction(isolation: .repeatableRead) { connection in
            var report = Report()
            // Before the snapshot: a partition of it that is detached since waits for this, and none is missing in it that
            // is not recorded to be dropped.
            try connection.execute("LOCK TABLE ONLY analytics_events IN ACCESS SHARE MODE")
            try connection.execute(Recount.maxIdle)
            report.rawDropped = try connection.query("SELECT day FROM dropped_event_days ORDER BY day")
                .map { try $0.get(0) }
            for damaged in try DamagedBatches.all(on: connection) {
                report.add(
                    "damaged_batches", "\(damaged.key.node) \(damaged.key.seq)", "\(damaged.key.day)", damaged.reason)
            }
            try BatchLedgers.verify(into: &report, on: connection)
            try BatchHeader.verify(into: &report, on: connection)
            let dirty = try DirtyBuckets(on: connection)
            report.dirty = dirty.count + (try VerifyDetails.dirty(.first ... .last, on: connection).count)
            report.waitingForLong = try DirtyBuckets.waitingForLong(on: connection)
            var rawRange = range
            if let dropped = report.rawDropped.last, range.map({ $0.lowerBound <= dropped + 1 }) ?? true {
                let days = (range?.lowerBound ?? .first)...min(range?.upperBound ?? .last, dropped + 1)
                report.withoutRaw = days
                try VerifyKeptDetails.compare(days, dirty: dirty, into: &report, on: connection)
            }
            if let dropped = report.rawDropped.last {
                // Beacons of the days up to the last dropped one may be gone: those after it are all there, and nothing else
                // may be stored of their days, whenever they are.
                let first = max(range?.lowerBound ?? .first, dropped + 2)
                let last = range?.upperBound ?? .last
                rawRange = first <= last ? first...last : nil
                if rawRange == nil {
                    try compareDerived(
                        range, calendar: calendar, dirty: dirty, compared: [], into: &report, on: connection)
                    return report
                }
            }
            let proof = try Proof(
                rawRange, calendar: calendar, dirty: dirty, isIncremental: isIncremental, work: work, on: connection)
            report.proven = proof.proven
            report.known = proof.known
            report.days = try compared(proof, range, calendar: calendar, on: connection)
            report.beacons = proof.beacons
            let unnamed = try countExactly(proof, rawRange, calendar: calendar, into: &report, on: connection)
            let before = report.findings.count
            try compareDerived(
                range, calendar: calendar, dirty: dirty, compared: proof.comparedDays, into: &report, on: connection)
            if report.findings.count == before {
                for doubt in unnamed {
                    report.add(
                        "proof", "day", doubt.day.map { "\($0)" } ?? "",
                        "\(doubt.reason) don't hold, and the exact count doesn't say why")
                }
            }
            return report
        }
    }

    /// Of what is compared with an open end, what there is.
    private static func compared(
        _ proof: Proof, _ range: ClosedRange<Day>?, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> ClosedRange<Day>? {
        guard range == nil, let days = proof.days,
            let stored = try FoldedBatch.stored(calendar: calendar, on: connection)
        else { return proof.days }
        let last = min(days.upperBound, calendar.day(of: stored.upperBound))
        return days.lowerBound <= last ? days.lowerBound...last : nil
    }

    /// Names what disagrees where the proof doesn't hold: in the days in doubt and, unless that explains it, in all of them.
    ///
    /// - Returns: what remains in doubt though nothing was named for it.
    private static func countExactly(
        _ proof: Proof, _ range: ClosedRange<Day>?, calendar: ReportingCalendar, into report: inout Report,
        on connection: PostgresConnection
    ) throws -> [Doubt] {
        var doubts = Doubt.all(of: proof)
        report.doubts = doubts.map(\.description)
        if proof.doubt == nil {
            // With the days next to them, which share sessions and ids.
            let around = proof.doubts.keys.flatMap { [$0 - 1, $0, $0 + 1] }.filter { proof.days!.contains($0) }
            for stretch in DayList(around).stretches where report.hasRoom {
                let before = report.findings.count
                try countExactly(stretch, calendar: calendar, into: &report, on: connection)
                if report.findings.count > before { doubts.removeAll { $0.day.map(stretch.contains) ?? false } }
            }
            doubts.removeAll { !$0.isUnanswered(within: range) }
            if doubts.isEmpty { return [] }
        }
        let before = report.findings.count
        try countExactly(range, calendar: calendar, into: &report, on: connection)
        return report.findings.count > before ? [] : doubts.filter { $0.isUnanswered(within: range) }
    }

    private static func countExactly(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, into report: inout Report,
        on connection: PostgresConnection
    ) throws {
        let recount = try Recount(range, calendar: calendar, isForReplacing: false, on: connection)
        for family in TrafficFamily.allCases { try compareHours(family, recount, into: &report, on: connection) }
        for batch in recount.unreadable {
            report.add(
                "analytics_events", "\(batch.key.node) \(batch.key.seq)", "\(batch.key.day)",
                "can't be read: \(batch.reason)")
        }
        for batch in recount.differing {
            report.add("analytics_events", "\(batch.key.node) \(batch.key.seq)", "\(batch.key.day)", batch.reason)
        }
        for (key, repeats) in recount.changedRepeats {
            report.add(
                "rollup_folded", "\(key.node) \(key.seq)", "\(key.day)",
                "its repeats should be \(repeats.count) beacons")
        }
        if let days = recount.days {
            try VerifyDetails.compare(days, calendar: calendar, into: &report, on: connection)
        }
        try VerifyLedgers.compare(recount, of: range, into: &report, on: connection)
        try Recount.dropTables(on: connection)
    }

    // MARK: Raw and hours

    private static func compareHours(
        _ family: TrafficFamily, _ recount: Recount, into report: inout Report, on connection: PostgresConnection
    ) throws {
        guard report.hasRoom, recount.days != nil else { return }
        // Without the sketches, which are the most of a row.
        let rows = try connection.query(
            """
            SELECT entity, hour, c_page_views, t_page_views, c_seat_views, t_seat_views, c_beacons, t_beacons,
                c_sessions, t_sessions, c_session_ms, t_session_ms, c_visitors IS DISTINCT FROM t_visitors AS visitors
            FROM (\(sql: recount.differences(family))) d
            WHERE NOT EXISTS (
                SELECT FROM pruned_days p WHERE p.day = (d.hour AT TIME ZONE \(recount.calendar.identifier))::date)
            LIMIT \(maxFindings - report.findings.count)
            """)
        for row in rows {
            var differences: [String] = []
            for name in ["page_views", "seat_views", "beacons", "sessions", "session_ms"] {
                let counted = try row.get("c_\(name)", as: Int64?.self)
                let stored = try row.get("t_\(name)", as: Int64?.self)
                if counted != stored {
                    differences.append("\(name) \(text(stored)), raw gives \(text(counted))")
                }
            }
            if try row.get("visitors") { differences.append("visitors differ") }
            let hour = try row.get("hour", as: PostgresTimestamp.self).ms
            report.add(
                family.table(.hour), try row.get("entity"), recount.calendar.hourLabel(hour),
                differences.joined(separator: "; "))
        }
    }

    private static func text(_ value: Int64?) -> String { value.map(String.init) ?? "missing" }

    // MARK: Hours, days and months

    private static func compareDerived(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, dirty: DirtyBuckets, compared: Set<Day>,
        into report: inout Report, on connection: PostgresConnection
    ) throws {
        let pruned = try PrunedDays.all(on: connection)
        for family in TrafficFamily.allCases {
            try compareDays(
                family, range, calendar: calendar, dirty: dirty, pruned: pruned, compared: compared, into: &report,
                on: connection)
            try compareMonths(family, range, calendar: calendar, dirty: dirty, into: &report, on: connection)
        }
        try VerifyRevenue.compare(range, calendar: calendar, into: &report, on: connection)
        try VerifyFunnel.compare(range, calendar: calendar, into: &report, on: connection)
    }

    private struct Bucket: Hashable {
        var entity: ExactText
        var bucket: Day
    }

    /// What the parts of the buckets give.
    private struct Expected {
        var cells: [Bucket: TrafficCell] = [:]
        /// Those with a part that can't be decoded.
        var unknown: Set<Bucket> = []

        mutating func merge(into bucket: Bucket, _ report: inout Report, _ part: () throws -> TrafficCell) throws {
            do {
                cells[bucket, default: TrafficCell()].merge(try part())
            } catch let row as UndecodableRow {
                unknown.insert(bucket)
                report.add(row)
            }
        }
    }

    /// Whether a day's rows of all families are what its hours give, visitors and all.
    static func dayAgrees(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Bool {
        var report = Report()
        for family in TrafficFamily.allCases where report.findings.isEmpty {
            try compareDays(
                family, day...day, calendar: calendar, dirty: DirtyBuckets(), pruned: [], compared: [], into: &report,
                on: connection)
        }
        return report.findings.isEmpty
    }

    private static func compareDays(
        _ family: TrafficFamily, _ range: ClosedRange<Day>?, calendar: ReportingCalendar, dirty: DirtyBuckets,
        pruned: Set<Day>, compared: Set<Day>, into report: inout Report, on connection: PostgresConnection
    ) throws {
        let last = range?.upperBound ?? .last
        var next = range?.lowerBound ?? .first
        while true {
            while compared.contains(next) { next = next + 1 }
            let found = try firstBucket(family, .day, from: next, calendar: calendar, on: connection)
            guard let day = found, day <= last else { return }
            next = day + 1
            if compared.contains(day) { continue }
            if pruned.contains(day) {
                try comparePruned(family, day, calendar: calendar, dirty: dirty, into: &report, on: connection)
                continue
            }
            var expected = Expected()
            var lookup = DayLookup(calendar)
            try connection.stream(
                """
                SELECT \(unescaped: family.idColumn), hour, \(unescaped: TrafficTable.columns)
                FROM \(unescaped: family.table(.hour))
                WHERE hour >= \(PostgresTimestamp(ms: calendar.start(of: day)))
                    AND hour < \(PostgresTimestamp(ms: calendar.start(of: day + 1)))
                """
            ) { row in
                let hour = try row.get(1, as: PostgresTimestamp.self).ms
                let bucket = Bucket(entity: ExactText(try row.get(0)), bucket: lookup.day(of: hour))
                try expected.merge(into: bucket, &report) {
                    try TrafficTable.cell(row, from: 2) {
                        .hour(family, bucket.entity.string, hour, calendar, reason: $0)
                    }
                }
            }
            try compare(
                family, .day, day...day, expected, calendar: calendar, dirty: dirty, into: &report, on: connection)
        }
    }

    /// A pruned day has no hours but those that wait to be added to it.
    private static func comparePruned(
        _ family: TrafficFamily, _ day: Day, calendar: ReportingCalendar, dirty: DirtyBuckets,
        into report: inout Report, on connection: PostgresConnection
    ) throws {
        let range = calendar.range(of: day)
        for row in try connection.query(
            """
            SELECT DISTINCT \(unescaped: family.idColumn) FROM \(unescaped: family.table(.hour))
            WHERE hour >= \(PostgresTimestamp(ms: range.lowerBound))
                AND hour < \(PostgresTimestamp(ms: range.upperBound)) ORDER BY 1 LIMIT \(maxFindings)
            """)
        {
            let entity = ExactText(try row.get(0))
            if dirty.contains(family, .day, entity, day) { continue }
            report.add(
                family.table(.hour), entity.string, "\(day)", "the day was pruned, and hours wait to be added to it")
        }
    }

    private static func compareMonths(
        _ family: TrafficFamily, _ range: ClosedRange<Day>?, calendar: ReportingCalendar, dirty: DirtyBuckets,
        into report: inout Report, on connection: PostgresConnection
    ) throws {
        let last = range?.upperBound ?? .last
        var next = (range?.lowerBound ?? .first).firstOfMonth
        while true {
            let found = try firstBucket(family, .month, from: next, calendar: calendar, on: connection)
            guard let month = found, month <= last else { return }
            let months = month...month.firstOfNextMonth - 1
            next = month.firstOfNextMonth
            var expected = Expected()
            try connection.stream(
                """
                SELECT \(unescaped: family.idColumn), day, \(unescaped: TrafficTable.columns)
                FROM \(unescaped: family.table(.day))
                WHERE day >= \(months.lowerBound) AND day <= \(months.upperBound)
                """
            ) { row in
                let day = try row.get(1, as: Day.self)
                let bucket = Bucket(entity: ExactText(try row.get(0)), bucket: day.firstOfMonth)
                try expected.merge(into: bucket, &report) {
                    try TrafficTable.cell(row, from: 2) {
                        .bucket(family, .day, bucket.entity.string, day, calendar, reason: $0)
                    }
                }
            }
            try compare(
                family, .month, months, expected, calendar: calendar, dirty: dirty, into: &report, on: connection)
        }
    }

    /// The first day, or month, from this day on that has a row or a part; nil where there is none. A row of another
    /// century costs no look at each day before it.
    private static func firstBucket(
        _ family: TrafficFamily, _ grain: Grain, from day: Day, calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws -> Day? {
        let column: SQL = "\(unescaped: grain.column)"
        let stored = try connection.query(
            "SELECT min(\(sql: column)) FROM \(unescaped: family.table(grain)) WHERE \(sql: column) >= \(day)"
        )[0].get(0, as: Day?.self)
        let part: Day?
        if grain == .month {
            part = try connection.query("SELECT min(day) FROM \(unescaped: family.table(.day)) WHERE day >= \(day)")[0]
                .get(0, as: Day?.self)?.firstOfMonth
        } else {
            let start = PostgresTimestamp(ms: calendar.start(of: day))
            part = try connection.query(
                "SELECT min(hour) FROM \(unescaped: family.table(.hour)) WHERE hour >= \(start)"
            )[0].get(0, as: PostgresTimestamp?.self).map { calendar.day(of: $0.ms) }
        }
        return [stored, part].compactMap { $0 }.min()
    }

    private static func compare(
        _ family: TrafficFamily, _ grain: Grain, _ days: ClosedRange<Day>, _ expected: Expected,
        calendar: ReportingCalendar,
        dirty: DirtyBuckets, into report: inout Report, on connection: PostgresConnection
    ) throws {
        var cells = expected.cells
        func isComparable(_ bucket: Bucket) -> Bool {
            !expected.unknown.contains(bucket) && !dirty.contains(family, grain, bucket.entity, bucket.bucket)
        }
        try connection.stream(
            """
            SELECT \(unescaped: family.idColumn), \(unescaped: grain.column), \(unescaped: TrafficTable.columns)
            FROM \(unescaped: family.table(grain))
            WHERE \(unescaped: grain.column) >= \(days.lowerBound) AND \(unescaped: grain.column) <= \(days.upperBound)
            """
        ) { row in
            let bucket = Bucket(entity: ExactText(try row.get(0)), bucket: try row.get(1))
            let wanted = cells.removeValue(forKey: bucket)
            do {
                let stored = try TrafficTable.cell(row, from: 2) {
                    .bucket(family, grain, bucket.entity.string, bucket.bucket, calendar, reason: $0)
                }
                if wanted != stored, isComparable(bucket) {
                    report.add(
                        family.table(grain), bucket.entity.string, "\(bucket.bucket)", describe(stored, against: wanted)
                    )
                }
            } catch let row as UndecodableRow {
                report.add(row)
            }
        }
        for (bucket, cell) in cells.sorted(by: { ($0.key.entity, $0.key.bucket) < ($1.key.entity, $1.key.bucket) })
        where !cell.isEmpty && isComparable(bucket) {
            report.add(family.table(grain), bucket.entity.string, "\(bucket.bucket)", "missing")
        }
    }

    private static func describe(_ stored: TrafficCell, against wanted: TrafficCell?) -> String {
        guard let wanted else { return "should not be there" }
        var differences: [String] = []
        func add(_ name: String, _ stored: Int64, _ wanted: Int64) {
            if stored != wanted { differences.append("\(name) \(stored), its parts give \(wanted)") }
        }
        add("page_views", stored.pageViews, wanted.pageViews)
        add("seat_views", stored.seatViews, wanted.seatViews)
        add("beacons", stored.beacons, wanted.beacons)
        add("sessions", stored.sessions, wanted.sessions)
        add("session_ms", stored.sessionMs, wanted.sessionMs)
        if stored.visitors != wanted.visitors { differences.append("visitors differ") }
        return differences.joined(separator: "; ")
    }
}

extension Verify.Report {
    /// Once, though some days may be counted alone and then with all others.
    mutating func add(_ table: String, _ entity: String, _ bucket: String, _ difference: String) {
        let finding = Verify.Finding(table: table, entity: entity, bucket: bucket, difference: difference)
        if hasRoom, !findings.contains(finding) { findings.append(finding) }
    }

    var hasRoom: Bool { findings.count < Verify.maxFindings }

    mutating func add(_ row: UndecodableRow) {
        add(row.table, row.entity, row.bucket, "can't be decoded, \(row.reason)")
    }
}
